//! What the pages for contributors name is there: files, suites, and tests to run.
use super::book;
use std::{fs, path::Path};

/// The pages for people who change rfab.
const PAGES: [&str; 4] = ["CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/STYLE.md", "docs/extending.md"];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(top().join(name)).unwrap()
}

/// Returns what is between backticks on the lines of a page.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn each_file_that_contributors_are_sent_to_is_there() {
    let folders = ["src/", "tests/", "stdlib/", "docs/", "scripts/", "examples/", "benches/"];
    let mut found = 0;
    for name in PAGES {
        let page = read(name);
        let paths = quoted(&page).filter(|text| folders.iter().any(|folder| text.starts_with(folder)));
        // A path with a placeholder, such as `stdlib/NAME.rhai`, is for a file to come.
        for path in paths.filter(|path| !path.contains(|c: char| c.is_whitespace()) && !path.contains("NAME")) {
            assert!(top().join(path).exists(), "{name} names `{path}`, which isn't there");
            found += 1;
        }
    }
    assert!(found > 40, "only {found} paths are found");
}

/// A filter of `cargo test`, and the suite that it's for; `None` for the unit tests.
type Filter<'a> = (Option<&'a str>, &'a str);

/// Reads a line of `cargo test`: which suite it runs, and which of its tests.
///
/// Cargo takes one filter; several stand behind `--`.
fn filters(line: &str) -> Vec<Filter<'_>> {
    let line = line.split(" # ").next().unwrap();
    let (cargo, behind) = line.split_once(" -- ").unwrap_or((line, ""));
    let words: Vec<&str> = cargo.split_whitespace().skip_while(|word| *word != "test").skip(1).collect();
    let (suite, others) = match words[..] {
        ["--lib", ref others @ ..] => (None, others),
        ["--test", suite, ref others @ ..] => (Some(suite), others),
        _ => panic!("`{line}` is for no suite"),
    };
    assert!(others.len() <= 1, "cargo takes one filter: {line}");
    let all: Vec<Filter> = others.iter().copied().chain(behind.split_whitespace()).map(|one| (suite, one)).collect();
    if all.is_empty() { vec![(suite, "")] } else { all }
}

#[test]
fn each_line_of_cargo_test_chooses_tests_that_are_there() {
    let mut found = 0;
    for name in PAGES {
        let page = read(name);
        let blocks = page.lines().filter(|line| line.starts_with("    ")).map(str::trim);
        let lines = blocks.chain(quoted(&page)).filter(|line| line.contains("cargo test --"));
        for (suite, filter) in lines.flat_map(filters).filter(|(_, filter)| *filter != "NAME") {
            let there = match suite {
                None => top().join("src").join(filter.trim_end_matches("::")).is_dir(),
                Some(suite) => has(suite, filter),
            };
            assert!(there, "{name}: no test of {} is `{filter}`", suite.unwrap_or("src"));
            found += 1;
        }
    }
    assert!(found > 20, "only {found} lines are found");
}

/// Whether a suite has a test whose name has a text in it.
fn has(suite: &str, filter: &str) -> bool {
    let mut there = false;
    book::walk(&top().join("tests").join(suite), &mut |file| {
        let named = file.file_stem().is_some_and(|name| name.to_string_lossy().contains(filter));
        let text = || fs::read_to_string(file).unwrap_or_default();
        let is_test = |line: &str| {
            let line = line.strip_prefix("pub(super) ").or(line.strip_prefix("pub(crate) ")).unwrap_or(line);
            line.starts_with("fn ") && line.contains(filter)
        };
        there |= named || text().lines().any(is_test);
    });
    there
}

/// Each line of `tests/long` is a suite and a test, with its seconds of both processors.
#[test]
fn each_long_test_is_there_once_and_in_order() {
    let text = read("tests/long");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() > 20, "only {} tests are long", lines.len());
    assert!(lines.is_sorted_by(|a, b| a < b), "the lines are sorted, and none stands twice");
    for line in lines {
        let [suite, test, _] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let folder = if suite == "lib" { top().join("src") } else { top().join("tests").join(suite) };
        let function = format!("fn {}(", test.rsplit("::").next().unwrap());
        let mut there = false;
        book::walk(&folder, &mut |file| there |= fs::read_to_string(file).unwrap_or_default().contains(&function));
        assert!(there, "{suite} has no test `{test}`");
    }
}
