//! The walls between the modules, which this test finds in the sources.
mod functions;
mod imports;

use imports::{Imports, circles};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The path of this file, which names what it forbids.
const ITSELF: &str = "tests/pages/walls.rs";

/// A source file.
struct Source {
    /// The path from the top folder, with `/`.
    name: String,
    text: String,
}

impl Source {
    /// Returns the module of `src` that it belongs to.
    fn module(&self) -> &str {
        self.name.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs")
    }

    /// Returns whether it is only for tests.
    fn is_test(&self) -> bool {
        let parts = ["/tests/", "/tests.rs", "/table.rs", "/sample.rs"];
        !self.name.starts_with("src/")
            || (parts.iter().any(|part| self.name.contains(part)) && self.name != "src/report/table.rs")
    }

    /// Returns its code, without comments and without the tests in it.
    fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<Source> {
    fn walk(folder: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { walk(&entry, all) } else { all.push(entry) }
        }
    }
    let mut all = Vec::new();
    walk(&top().join(folder), &mut all);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(top()).unwrap().to_str().unwrap().to_owned();
        Source { text: fs::read_to_string(path).unwrap(), name }
    };
    all.sort();
    all.into_iter().filter(|path| path.to_string_lossy().ends_with(ending)).map(read).collect()
}

fn sources() -> Vec<Source> {
    let sources = files("src", ".rs");
    assert!(sources.len() > 100, "the sources aren't where this test looks");
    sources
}

/// Returns the files of the test programs, and all other files of the tests.
fn tests_and_parts() -> (Vec<Source>, Vec<Source>) {
    let is_program = |source: &Source| source.name.matches('/').count() == 1 || source.name.ends_with("/main.rs");
    files("tests", ".rs").into_iter().partition(is_program)
}

/// Returns whether code contains a word by itself.
fn says(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

#[test]
fn each_tool_is_known_in_one_place() {
    let places: [(&str, &[&str]); 12] = [
        ("clap", &["src/cli/"]),
        ("rhai", &["src/api/", "src/script/", "src/fabfile/", "src/fan_out.rs", "src/docs.rs", "src/template.rs"]),
        ("openssh", &["src/ssh/"]),
        ("russh", &["src/ssh/native/", "src/demo/"]),
        ("git2", &["src/git/"]),
        ("reqwest", &["src/http/", "src/health/"]),
        ("miette", &["src/report/", "src/fleet/", "src/line/"]),
        ("corosensei", &["src/world/"]),
        ("minijinja", &["src/template.rs"]),
        ("rusqlite", &["src/store/sqlite.rs"]),
        ("saphyr_parser", &["src/version/yaml.rs"]),
        ("tempfile", &["src/temporary.rs"]),
    ];
    for source in sources().iter().filter(|source| !source.is_test()) {
        let code = source.code();
        for (tool, allowed) in places {
            let path = format!("{tool}::");
            let used = code
                .match_indices(&path)
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            let here = allowed.iter().any(|place| source.name.starts_with(place));
            assert!(!used || here, "{} knows {tool}, which belongs in {allowed:?}", source.name);
        }
    }
}

#[test]
fn every_test_program_sees_nothing_of_the_machines_settings() {
    let (programs, _) = tests_and_parts();
    for source in programs.iter().chain(&files("src", "/lib.rs")).chain(&files("tests/lab", "/lib.rs")) {
        let calls = ["lab::suite!();", "lab::alone!();", "crate::alone!();"];
        let sees_nothing = source.text.lines().any(|line| calls.contains(&line));
        assert!(sees_nothing, "{} sees the machine's settings: it lacks `lab::suite!()`", source.name);
    }
    // A process with a cleared environment has lost what `alone` set, so `alone::cleared` sets it again.
    for source in files("tests", ".rs").iter().chain(&sources().into_iter().filter(Source::is_test).collect::<Vec<_>>())
    {
        let itself = ["tests/lab/alone.rs", "tests/lab/guard.rs", "tests/lab/host.rs", ITSELF];
        let clears = source.text.contains(".env_clear()") && !itself.contains(&&*source.name);
        assert!(!clears, "{} clears an environment: use `alone::cleared`", source.name);
    }
}

#[test]
fn only_the_report_writes_to_the_terminal() {
    for source in sources().iter().filter(|source| !source.is_test() && source.module() != "report") {
        let code = source.code();
        for word in ["print!(", "println!(", "eprint!(", "eprintln!(", "dbg!("] {
            assert!(!code.contains(word), "{} writes by {word}", source.name);
        }
        for stream in ["io::stdout()", "io::stderr()"] {
            let rest = code.split(stream).skip(1);
            let asks = |rest: &str| rest.starts_with(".is_terminal()");
            assert!(rest.into_iter().all(asks), "{} writes to {stream}", source.name);
        }
    }
}

/// The modules, lowest first.
const ORDER: [&str; 44] = [
    "control",
    "temporary",
    "misspelled",
    "duration",
    "host",
    "secret",
    "command",
    "failure",
    "event",
    "fleet",
    "ledger",
    "port",
    "model",
    "effect",
    "world",
    "ssh",
    "remote",
    "local",
    "git",
    "http",
    "template",
    "notice",
    "store",
    "bookkeeping",
    "balancer",
    "release",
    "service",
    "health",
    "ui",
    "source",
    "version",
    "session",
    "script",
    "fan_out",
    "api",
    "docs",
    "fabfile",
    "line",
    "run",
    "report",
    "simulate",
    "demo",
    "init",
    "cli",
];

/// Returns the modules that a source uses.
fn used(source: &Source) -> BTreeSet<String> {
    let code = source.code();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(word(rest));
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && c.is_alphabetic() => {
                    used.insert(word(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn a_module_uses_only_those_below_it() {
    let rank: BTreeMap<&str, usize> = ORDER.iter().enumerate().map(|(rank, name)| (*name, rank)).collect();
    let exists = |name: &str| top().join("src").join(name).is_dir() || top().join(format!("src/{name}.rs")).is_file();
    assert!(ORDER.into_iter().all(exists), "a module in the order doesn't exist");
    for source in sources().iter().filter(|source| !source.is_test()) {
        let module = source.module();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let own = rank.get(module).unwrap_or_else(|| panic!("{module} has no place in the order"));
        for used in used(source) {
            let Some(other) = rank.get(used.as_str()) else { continue };
            assert!(other <= own, "{} uses {used}, which stands above it", source.name);
        }
    }
}

#[test]
fn no_two_files_import_each_other_over_however_many_others() {
    let sources = sources();
    let of_src = sources.iter().filter(|source| !source.is_test() && source.name != "src/main.rs");
    let named = |source: &Source| (source.name.trim_start_matches("src/").to_owned(), source.text.clone());
    let imports = Imports::of(&of_src.map(named).collect::<Vec<_>>());
    let edges = imports.edges();
    assert!(edges["effect/read.rs"].contains("effect/door.rs"), "a name is followed to its file");
    assert!(edges.values().map(BTreeSet::len).sum::<usize>() > 1_000, "{edges:#?}");
    assert_eq!(circles(&edges), [[""; 0]; 0]);
}

#[test]
fn a_circle_of_files_is_found() {
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = [
        text("lib.rs", "pub mod a; pub mod b; pub mod c;"),
        text("a/mod.rs", "mod x; pub use x::X; use crate::b::B;"),
        text("a/x.rs", "pub struct X(crate::c::C);"),
        text("b.rs", "pub struct B; fn f() { crate::c::c() }"),
        text("c.rs", "use crate::a::X; pub struct C; pub fn c() {}"),
    ];
    let imports = Imports::of(&files);
    assert_eq!(circles(&imports.edges()), [["a/x.rs", "c.rs"]]);
}

/// Returns every word of a text that could be a name.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Returns the names that a source makes public.
fn public_names(code: &str) -> Vec<String> {
    let kinds = ["fn", "struct", "enum", "const", "static", "trait", "type"];
    let name = |line: &str| {
        let mut words = words(line.trim_start().strip_prefix("pub")?);
        let kind = words.by_ref().find(|word| !["crate", "super", "in", "async", "unsafe"].contains(word))?;
        let next = words.next()?;
        match (kind, next) {
            ("const", "fn") => words.next().map(str::to_owned),
            (kind, name) => kinds.contains(&kind).then(|| name.to_owned()),
        }
    };
    code.lines().filter_map(name).collect()
}

#[test]
fn whatever_is_public_is_used_by_more_than_its_tests() {
    // Product features that only integration tests call: the simulator's abort, and the table of keys.
    let for_tests = ["simulate_abort", "TABLES"];
    let code: Vec<(String, String)> =
        sources().iter().filter(|source| !source.is_test()).map(|s| (s.name.clone(), s.code())).collect();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for word in code.iter().flat_map(|(_, code)| words(code)) {
        *used.entry(word).or_default() += 1;
    }
    let mut made: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    // Rhai calls a primitive by its name there.
    for (file, code) in code.iter().filter(|(file, _)| !file.starts_with("src/api/")) {
        for name in public_names(code) {
            made.entry(name).or_default().push(file);
        }
    }
    assert!(made.len() > 1000, "only {} names are found", made.len());
    for (name, files) in made {
        let idle = used[&*name] <= files.len() && !for_tests.contains(&&*name);
        assert!(!idle, "`{name}` of {files:?} is used by nobody, or by its own tests alone");
    }
}

#[test]
fn files_are_short_and_named_by_nouns() {
    for source in sources().iter().chain(&files("tests", ".rs")).chain(&files("stdlib", ".rhai")) {
        let lines = source.text.lines().count();
        let most = if source.name.ends_with(".rhai") { 99 } else { 500 };
        assert!(lines <= most, "{} has {lines} lines", source.name);
        for part in source.name.split(['/', '.']) {
            let vague = ["util", "utils", "helper", "helpers", "manager", "common", "misc", "imp", "shared", "base"];
            assert!(!vague.contains(&part), "{} says nothing by its name", source.name);
        }
    }
}

/// The name of the type that a line of code defines, if it isn't inside of anything.
fn type_defined(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) ")).unwrap_or(line);
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let name = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn one_name_names_one_type() {
    assert_eq!(type_defined("pub(crate) struct Lane<'a> {"), Some("Lane"));
    assert_eq!(type_defined("    type Outcome = ();"), None);
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        for name in source.code().lines().filter_map(type_defined) {
            defined.entry(name.to_owned()).or_default().push(source.name.clone());
        }
    }
    assert!(defined.len() > 500, "only {} types are found", defined.len());
    let twice: Vec<_> = defined.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "names of several types: {twice:#?}");
}

#[test]
fn functions_fit_a_screen() {
    let short = "fn two() {\n}\nimpl A { fn one() {} }\ntrait B { fn two() {\n} fn none(); }\n";
    assert_eq!(functions::longer_than(1, short), [("two".to_owned(), 2), ("two".to_owned(), 2)]);
    for source in sources().iter().chain(&files("tests", ".rs")).chain(&files("benches", ".rs")) {
        let long = functions::longer_than(60, &source.text);
        assert!(long.is_empty(), "{}: functions of more than 60 lines: {long:?}", source.name);
    }
}

#[test]
fn nothing_is_left_for_later_in_silence() {
    // Put together, so that this test doesn't find itself.
    let words = ["todo!", "unimplemented!", "FIXME", "XXX"].map(str::to_owned);
    let words = words.into_iter().chain([["TO", "DO:"].concat(), ["dbg", "!("].concat()]);
    let words: Vec<String> = words.collect();
    for source in sources().iter().chain(&files("stdlib", ".rhai")).chain(&files("tests", ".rs")) {
        for word in words.iter().filter(|_| source.name != ITSELF) {
            assert!(!source.text.contains(word.as_str()), "{} says {word}", source.name);
        }
    }
    // A test that another test starts has a reason in its `ignore`.
    for source in files("tests", ".rs").iter().filter(|source| source.name != ITSELF) {
        assert!(!source.text.contains("#[ignore]"), "{} has a test that nobody runs", source.name);
    }
}

#[test]
fn host_keys_are_checked_whatever_the_program_says() {
    for source in sources() {
        let text = if source.is_test() { String::new() } else { source.code() };
        let off = ["StrictHostKeyChecking", "no"];
        for joined in [off.join("="), off.join(" ")] {
            assert!(!text.contains(&format!("{joined}\"")) && !says(&text, &joined), "{} turns them off", source.name);
        }
    }
}

#[test]
fn every_primitive_and_every_module_says_what_it_is() {
    for source in sources().iter().filter(|source| !source.is_test()) {
        let first = source.text.lines().next().unwrap_or_default();
        assert!(
            source.name == "src/main.rs" || source.text.trim().is_empty() || first.starts_with("//! "),
            "{} doesn't say what it is",
            source.name
        );
        if source.module() != "api" {
            continue;
        }
        let lines: Vec<&str> = source.text.lines().collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("    pub fn ")) {
            let before = lines[..i].iter().rev().take_while(|line| !line.is_empty() && !line.starts_with("    }"));
            let before: Vec<&str> = before.copied().collect();
            let operator = before
                .iter()
                .any(|line| line.contains("to_string") || line.contains("\"==\"") || line.contains("\"!=\""));
            let of_text = line.contains("_of_text(");
            let said = before.iter().any(|line| line.trim_start().starts_with("///"));
            assert!(said || operator || of_text, "{}:{}: {line} isn't documented", source.name, i + 1);
        }
    }
}

#[test]
fn every_folder_of_tests_is_a_test_program_or_the_lab() {
    let (programs, parts) = tests_and_parts();
    for source in programs.iter().filter(|source| !source.name.ends_with("/main.rs")) {
        assert!(source.text.contains("#[test]"), "{} has no test", source.name);
    }
    for part in parts {
        let folder = part.name.split('/').nth(1).unwrap();
        let main = format!("tests/{folder}/main.rs");
        assert!(
            folder == "lab" || programs.iter().any(|source| source.name == main),
            "{} is part of no test",
            part.name
        );
    }
    let manifest = fs::read_to_string(top().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("autotests") && !manifest.contains("[[test]]"), "cargo finds the tests by itself");
}
