//! What rfab doesn't change, and why.
use super::{
    super::edit::{find, replace},
    file,
};

/// Returns a failure as people see it: its message, its help, and its places.
fn seen(name: &str, key: &str, text: &str, value: &str) -> String {
    let file = file(name, key);
    let failure = replace(&file, text, value).expect_err(text).of_file(name, text);
    let places = failure.places.iter().map(|at| format!("{}:{}: {}", at.line, at.column, at.label));
    [Some(failure.message), failure.help].into_iter().flatten().chain(places).collect::<Vec<_>>().join(" | ")
}

/// A file's name, the key, the text, and all that people see.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("VERSION", "", " \n", "`VERSION`: nothing is in it | leave only the version in it, or name another `format`"),
    (
        "VERSION",
        "",
        "1.2.3\n\n# x\n",
        "`VERSION`: it has more than one line, so rfab can't tell which one is the version | leave only the version in \
         it, or name another `format` | 3:1: a second line",
    ),
    ("VERSION", "", "latest\n", "`VERSION`: `the only line` isn't a version: `latest` | 1:1: not a version"),
    (
        "Cargo.toml",
        "",
        "[package]\nversion.workspace = true\n",
        "`Cargo.toml`: `package.version` is inherited from the workspace | name the workspace's `Cargo.toml`, with the \
         key `workspace.package.version` | 2:1: inherited",
    ),
    ("Cargo.toml", "", "[package]\nname = \"a\"\n", "`Cargo.toml`: it has no version at `package.version`"),
    (
        "Cargo.toml",
        "",
        "[package]\nversoin = \"1.2.3\"\n",
        "`Cargo.toml`: it has no version at `package.version` | did you mean `versoin`?",
    ),
    (
        "Cargo.toml",
        "",
        "[package]\nversion = 1.2\n",
        "`Cargo.toml`: `package.version` is a number, not a string | write it as a string, such as \"1.2.3\" | 2:11: not \
         a string",
    ),
    (
        "Cargo.toml",
        "",
        "[package]\nversion = \"1\\u002e2.3\"\n",
        "`Cargo.toml`: `package.version` is written with escapes or over several lines | write it as a plain string in \
         one line | 2:11: written in a form that rfab doesn't change",
    ),
    (
        "Cargo.toml",
        "",
        "[package]\nversion = \"1.2.3\"\nversion = \"1.2.3\"\n",
        "`Cargo.toml`: this isn't TOML: duplicate key | 3:1: here",
    ),
    (
        "pyproject.toml",
        "",
        "[project]\nname = \"a\"\ndynamic = [\"version\"]\n",
        "`pyproject.toml`: `project.version` is listed in `dynamic`, so a build determines it | name the file that the \
         build reads it from | 3:11: determined by a build",
    ),
    (
        "a.toml",
        "a..b",
        "a = 1",
        "`a.toml`: `a..b` isn't a key | write keys with dots between them, such as `package.version`",
    ),
    (
        "package.json",
        "",
        "{\"version\": \"1.2.3\",\n \"version\": \"1.2.3\"}",
        "`package.json`: `version` is there twice | remove one of them | 2:13: again | 1:13: first here",
    ),
    ("package.json", "", "{\n  // no\n}", "`package.json`: this isn't JSON: key must be a string | 2:3: here"),
    (
        "package.json",
        "",
        "{\"version\": null}",
        "`package.json`: `version` is null, not a string | write it as a string, such as \"1.2.3\" | 1:13: not a string",
    ),
    (
        "Chart.yaml",
        "",
        "version: 1.2\n",
        "`Chart.yaml`: `version` is a number, not a string | write it as a string, such as \"1.2.3\" | 1:10: not a string",
    ),
    (
        "Chart.yaml",
        "",
        "ü: 1\nversion: &v 1.2.3\nb: *v\n",
        "`Chart.yaml`: `version` is a value with an anchor, so it may be used elsewhere too | write the version out in \
         each place, without `&` and `*` | 2:10: used elsewhere",
    ),
    (
        "Chart.yaml",
        "",
        "a: &v 1.2.3\nversion: *v\n",
        "`Chart.yaml`: `version` is an alias, so it may be used elsewhere too | write the version out in each place, \
         without `&` and `*` | 2:10: used elsewhere",
    ),
    (
        "a.yml",
        "a.version",
        "a: &a\n  version: 1.2.3\nb: *a\n",
        "`a.yml`: `a` is a value with an anchor, so it may be used elsewhere too | write the version out in each \
         place, without `&` and `*` | 1:4: used elsewhere",
    ),
    (
        "Chart.yaml",
        "",
        "version: !!str 1.2.3\n",
        "`Chart.yaml`: `version` is a value with a tag, not a string | write it as a string, such as \"1.2.3\" | 1:10: not a string",
    ),
    (
        "Chart.yaml",
        "",
        "version: |-\n  1.2.3\n",
        "`Chart.yaml`: `version` is a block of text, not a string | write it as a string, such as \"1.2.3\" | 2:3: not a \
         string",
    ),
    (
        "Chart.yaml",
        "",
        "version: 1.2.3\n---\nversion: 1.2.3\n",
        "`Chart.yaml`: it has several documents, so rfab can't tell which one has the version | keep the version in a \
         file with one document | 2:1: another document",
    ),
    (
        "Chart.yaml",
        "",
        "version: 1.2.3\nversion: 1.2.3\n",
        "`Chart.yaml`: `version` is there twice | remove one of them | 2:10: again | 1:10: first here",
    ),
    (
        "setup.cfg",
        "",
        "[metadata]\nversion = attr: shop.__version__\n",
        "`setup.cfg`: `metadata.version` isn't a version: `attr: shop.__version__` | 2:11: not a version",
    ),
    (
        "setup.cfg",
        "",
        "[metadata]\nversion = 1.2.3\n  4\n",
        "`setup.cfg`: `metadata.version` is a text of several lines, not a string | write it as a string, such as \
         \"1.2.3\" | 2:11: not a string",
    ),
    (
        "a.ini",
        "a.v",
        "[a]\nv = 1.2.3\n[b]\n[a]\nV = 1.2.3\n",
        "`a.ini`: `a.v` is there twice | remove one of them | 5:5: again | 2:5: first here",
    ),
    ("a.ini", "a.v", "[a\nv = 1", "`a.ini`: this isn't INI: a section has no `]` | 1:1: here"),
    (
        "version.rb",
        "",
        "module Shop\n  VERSION = [MAJOR, 2].join('.')\nend\n",
        "`version.rb`: `VERSION` is an expression of Ruby | name the file that has the version as a plain string | 2:13: \
         not a plain string",
    ),
    (
        "shop.gemspec",
        "",
        "spec.version = Shop::VERSION\n",
        "`shop.gemspec`: `version` is an expression of Ruby | name the file that has the version as a plain string | 1:16: \
         not a plain string",
    ),
    (
        "version.rb",
        "",
        "VERSION = \"1.2.#{PATCH}\"\n",
        "`version.rb`: `VERSION` is an expression of Ruby | name the file that has the version as a plain string | 1:11: not a plain string",
    ),
    (
        "version.rb",
        "",
        "module A\n  VERSION = '1.2.3'\nend\nmodule B\n  VERSION = '1.2.3'\nend\n",
        "`version.rb`: `VERSION` is there twice | remove one of them | 5:13: again | 2:13: first here",
    ),
    ("version.rb", "", "text = <<EOS\nVERSION = '1.2.3'\n", "`version.rb`: it has no version at `VERSION`"),
];

#[test]
fn what_is_not_a_plain_string_or_is_not_the_only_one_is_refused_with_its_place() {
    for (name, key, text, expected) in REFUSED {
        assert_eq!(seen(name, key, text, "1.2.4"), *expected);
        assert_eq!(seen(name, key, &format!("\u{feff}{text}"), "1.2.4"), *expected, "with a byte order mark");
    }
}

#[test]
fn a_value_that_would_read_otherwise_is_refused() {
    let bad = "write a digit, followed by letters, digits and `.+-_~!`, such as `1.2.3-rc.1`";
    for value in ["", "v1.2.4", "1.2 4", "1\n2", "1\"", "1'", "1#", "1: 2", "latest", "1\u{202e}2"] {
        let shown = crate::control::shown(value);
        assert_eq!(
            seen("Chart.yaml", "", "version: 1.2.3\n", value),
            format!("`Chart.yaml`: `{shown}` can't be written as a version | {bad}")
        );
    }
    let otherwise = |value: &str| {
        format!(
            "`Chart.yaml`: with `{value}` at `version`, another part of the file would change, or the version wouldn't \
             be a string | \
             put quotes around the version in the file | 1:10: written here"
        )
    };
    for value in ["1.3", "12", "2026-11-30", "1e5", "0x1F"] {
        assert_eq!(seen("Chart.yaml", "", "version: 1.2.3\n", value), otherwise(value));
        let quoted = replace(&file("Chart.yaml", ""), "version: '1.2.3'\n", value);
        assert_eq!(quoted, Ok(format!("version: '{value}'\n")));
    }
}

#[test]
fn deep_and_large_files_are_read_or_refused_and_never_end_the_process() {
    for (name, deep) in [
        ("a.json", "[".repeat(100_000)),
        ("a.yaml", "[".repeat(100_000)),
        ("a.toml", format!("a = {}", "[".repeat(100_000))),
    ] {
        assert!(find(&file(name, "version"), &deep).is_err(), "{name}");
    }
    let nested = format!("{{\"version\": \"1.2.3\", \"a\": {}{}}}", "[".repeat(120), "]".repeat(120));
    assert_eq!(
        seen("package.json", "", &nested, "1.2.4"),
        "`package.json`: this isn't JSON: it has more than 100 levels | 1:126: here"
    );
}
