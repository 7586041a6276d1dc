//! Reports what this machine and user can't run, and writes it down for a script that sums up.
use super::space::Level;
use std::{env, fs::OpenOptions, io::Write, path::Path};

/// Returns whether a test that needs root can run; if not, records it as not run.
///
/// If `RFAB_NOT_RUN` names a file, a line is appended to it, so that a script can end with an exit code for that.
#[must_use = "a test that can't run returns"]
pub fn needs_root(test: &str) -> bool {
    Level::here() == &Level::Root || not_run(test, "needs root, with namespaces")
}

/// Returns whether a lab can be started at all; if not, records the test as not run.
#[must_use = "a test that can't run returns"]
pub fn needs_lab(test: &str) -> bool {
    match Level::here() {
        Level::Root | Level::User => true,
        Level::None(reason) => not_run(test, &format!("needs namespaces ({reason})")),
    }
}

/// Records a test, or a part of one, as not run; always returns false.
pub fn not_run(test: &str, reason: &str) -> bool {
    let line = format!("not run: {test}: {reason}\n");
    // Past libtest's capture, which hides the output of a test that passes.
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
