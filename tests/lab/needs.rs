//! What this machine and user cannot run is said aloud, and written down for whoever sums up.
use super::space::Level;
use std::{env, fs::OpenOptions, io::Write, path::Path};

/// Tells whether a test that needs root can run; if not, it is recorded as not run.
///
/// Where the environment names a file as `RFAB_NOT_RUN`, a line is appended to it, so that a script can end with
/// an exit code of its own.
#[must_use = "a test that can't run returns"]
pub fn needs_root(test: &str) -> bool {
    Level::here() == &Level::Root || not_run(test, "needs root, with namespaces")
}

/// Tells whether a lab can be started at all; if not, the test is recorded as not run.
#[must_use = "a test that can't run returns"]
pub fn needs_lab(test: &str) -> bool {
    match Level::here() {
        Level::Root | Level::User => true,
        Level::None(reason) => not_run(test, &format!("needs namespaces ({reason})")),
    }
}

/// Records a test, or a part of one, as not run; always false.
pub fn not_run(test: &str, reason: &str) -> bool {
    let line = format!("not run: {test}: {reason}\n");
    // Past libtest's capture, which hides what a test that passes prints.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = env::var_os("RFAB_NOT_RUN") {
        record(Path::new(&file), &line);
    }
    false
}

fn record(file: &Path, line: &str) {
    let file = OpenOptions::new().create(true).append(true).open(file);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("a line in the file that RFAB_NOT_RUN names");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_that_cannot_run_leaves_a_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("not-run");
        record(&file, "not run: a: needs root\n");
        record(&file, "not run: b: needs root\n");
        let text = std::fs::read_to_string(&file).expect("the file");
        assert_eq!(text, "not run: a: needs root\nnot run: b: needs root\n");
    }
}
