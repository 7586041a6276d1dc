//! Files that are made by chance.
use super::{
    super::edit::{find, replace},
    file, holds,
    table::texts,
};
use rand::{RngExt as _, SeedableRng, rngs::StdRng, seq::IndexedRandom as _};

/// A format: a file's name and the key, lines that may stand before the version, its line, and lines behind it.
struct Grammar {
    name: &'static str,
    key: &'static str,
    before: &'static [&'static str],
    version: &'static [&'static str],
    behind: &'static [&'static str],
}

const GRAMMARS: [Grammar; 6] = [
    Grammar {
        name: "a.toml",
        key: "app.version",
        before: &[
            "# 1.2.3",
            "",
            "\"nü#\" = 1",
            "a = \"1.2.3\"",
            "b = [\n \"1.2.3\",\n]",
            "c = '''\n[app]\nversion = \"1.2.3\"'''",
            "[x]",
            "version = '1.2.3'",
        ],
        version: &[
            "[app]\nversion = \"⟦1.2.3⟧\"",
            "[app]\nname = 'x'\nversion='⟦1.2.3⟧'#x",
            "[app]\n  version\t= \"v⟦1.2.3⟧\" # \"1.2.3\"",
        ],
        behind: &["# version = \"1.2.3\"", "", "old = \"1.2.3\"", "[app.deep]", "[[list]]", "date = 2026-11-30"],
    },
    Grammar {
        name: "a.json",
        key: "version",
        before: &[
            "\"a\": \"1.2.3\",",
            "\"b\": {\"version\": \"1.2.3\"},",
            "\"c\":[1,2 , \"😀 \\\"version\\\": \"],",
            "  \"d\":null,",
        ],
        version: &["\"version\": \"⟦1.2.3⟧\"", "\t\"version\"  :\"v⟦1.2.3⟧\"", "\"v\\u0065rsion\":\n\"⟦1.2.3⟧\""],
        behind: &[", \"x\": \"1.2.3\"", ",\"y\" : {\"version\": \"1.2.3\"}", "  ", ",\"z\":[[[]]]"],
    },
    Grammar {
        name: "a.yaml",
        key: "app.version",
        before: &[
            "# app:",
            "",
            "ü: 1.2.3",
            "b: |\n  app:\n    version: 1.2.3",
            "c: [1.2.3, {version: 1.2.3}]",
            "version: 1.2.3",
            "😀: &a {version: 1.2.3}",
        ],
        version: &[
            "app:\n  version: ⟦1.2.3⟧",
            "app:\n  x: y\n  version: \"⟦1.2.3⟧\" # 1.2.3",
            "app: { version: 'v⟦1.2.3⟧' }",
            "'app':\n    \"version\":   ⟦1.2.3⟧   ",
        ],
        behind: &["# version: 1.2.3", "", "z: 1.2.3", "deep:\n  app:\n    version: 1.2.3"],
    },
    Grammar {
        name: "a.ini",
        key: "app.version",
        before: &[
            "; version = 1.2.3",
            "",
            "[other]",
            "version = 1.2.3",
            "long = a\n  version = 1.2.3\n  [app]",
            "name: ü",
        ],
        version: &["[app]\nversion = ⟦1.2.3⟧", "[app]\nVERSION:v⟦1.2.3⟧ ; 1.2.3", "[app]\nx=1\nversion=\"⟦1.2.3⟧\""],
        behind: &["# 1.2.3", "", "old = 1.2.3", "[more]", "[app.more]\nversion = 1.2.3"],
    },
    Grammar {
        name: "a.rb",
        key: "VERSION",
        before: &[
            "# VERSION = '1.2.3'",
            "",
            "module Shop",
            "OLD = \"1.2.3\"",
            "A = <<~EOS\n  VERSION = '1.2.3'\n  ü\nEOS",
            "=begin\nVERSION = '1.2.3'\n=end",
        ],
        version: &["VERSION = \"⟦1.2.3⟧\"", "  VERSION='⟦1.2.3⟧'.freeze", "Shop::VERSION = 'v⟦1.2.3⟧' # '1.2.3'"],
        behind: &["end", "puts VERSION == '1.2.3'", "", "MINIMUM = VERSION", "x = \"VERSION = \\\"1.2.3\\\"\""],
    },
    Grammar {
        name: "VERSION",
        key: "",
        before: &["", " ", "\t"],
        version: &["⟦1.2.3⟧", "v⟦1.2.3⟧ "],
        behind: &["", "  "],
    },
];

impl Grammar {
    fn text(&self, rng: &mut StdRng) -> String {
        let json = self.name.ends_with(".json");
        let mut lines = some(self.before, rng);
        lines.push(self.version.choose(rng).unwrap());
        lines.extend(some(self.behind, rng));
        if json {
            lines.insert(0, "{");
            lines.push("}");
        }
        let end = if rng.random_bool(0.5) { "\n" } else { "" };
        let mark = if rng.random_bool(0.2) { "\u{feff}" } else { "" };
        let text = format!("{mark}{}{end}", lines.join("\n"));
        if rng.random_bool(0.5) { text.replace('\n', "\r\n") } else { text }
    }
}

/// Returns a few of the lines, in any order and each once.
fn some(from: &[&'static str], rng: &mut StdRng) -> Vec<&'static str> {
    let mut lines: Vec<&'static str> = Vec::new();
    for _ in 0..rng.random_range(0..5) {
        let line = from.choose(rng).unwrap();
        if !lines.contains(line) {
            lines.push(line);
        }
    }
    lines
}

#[test]
fn a_bump_changes_exactly_the_bytes_of_the_version_whatever_stands_around_it() {
    let mut rng = StdRng::seed_from_u64(13);
    for grammar in &GRAMMARS {
        for _ in 0..300 {
            holds(&file(grammar.name, grammar.key), &grammar.text(&mut rng));
        }
    }
}

#[test]
fn a_spoiled_file_is_refused_or_changed_in_one_place_alone() {
    let mut rng = StdRng::seed_from_u64(13);
    let signs = [
        "\"", "'", "\n", "\r", " ", "#", "[", "]", "{", "}", ":", "=", "&a ", "*a", "-", "\\", "v", "<<A", "é",
        "\u{feff}",
    ];
    let (mut refused, mut changed) = (0, 0);
    for (name, key, text) in texts() {
        for _ in 0..200 {
            let mut spoiled = text.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = spoiled.floor_char_boundary(rng.random_range(0..=spoiled.len()));
                match spoiled[at..].chars().next().filter(|_| rng.random_bool(0.4)) {
                    Some(gone) => spoiled.replace_range(at..at + gone.len_utf8(), ""),
                    None => spoiled.insert_str(at, signs.choose(&mut rng).unwrap()),
                }
            }
            let file = file(name, key);
            let Ok(found) = find(&file, &spoiled) else {
                refused += 1;
                assert!(replace(&file, &spoiled, "7.8.9").is_err());
                continue;
            };
            let Ok(after) = replace(&file, &spoiled, "7.8.9") else { continue };
            changed += 1;
            let mut expected = spoiled.clone();
            expected.replace_range(found.at.clone(), "7.8.9");
            assert_eq!(after, expected, "{name}: {spoiled:?}");
            assert_eq!(find(&file, &after).map(|found| found.value), Ok("7.8.9".to_owned()), "{name}: {spoiled:?}");
        }
    }
    assert!(refused > 1_000 && changed > 1_000, "{refused} {changed}");
}
