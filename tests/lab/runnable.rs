//! Programs that a test writes and then runs.
//!
//! The kernel refuses to run a file that a process has open for writing ("Text file busy"). If another thread forks
//! meanwhile, its child has that file open too, until it starts its own program. So a process that doesn't fork writes
//! the file.
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Writes a program of mode `0755` that can run immediately.
#[track_caller]
pub fn write(file: &Path, text: &str) {
    write_as(file, text, 0o755);
}

/// Writes a program of another mode.
#[track_caller]
pub fn write_as(file: &Path, text: &str, mode: u32) {
    let line = "cat > \"$1\" && chmod \"$2\" \"$1\"";
    made(Command::new("sh").args(["-c", line, "sh"]).arg(file).arg(format!("{mode:o}")), text);
}

/// Copies a program, which can run immediately.
#[track_caller]
pub fn copy(from: &Path, to: &Path) {
    made(Command::new("cp").arg("--").args([from, to]), "");
}

#[track_caller]
fn made(command: &mut Command, text: &str) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    child.stdin.take().expect("piped").write_all(text.as_bytes()).unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(child.wait().is_ok_and(|status| status.success()), "{command:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn a_program_can_be_run_at_once_while_others_are_started() {
        let folder = tempfile::tempdir().unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Relaxed) {
                        let _ = Command::new("true").env("A", "x".repeat(100_000)).status();
                    }
                });
            }
            for n in 0..60 {
                let (file, other) = (folder.path().join(format!("p{n}")), folder.path().join(format!("c{n}")));
                write(&file, "#!/bin/sh\nexit 3\n");
                copy(&file, &other);
                for program in [&file, &other] {
                    let ended = Command::new(program).status();
                    over.store(ended.is_err(), Relaxed);
                    assert_eq!(ended.unwrap().code(), Some(3));
                }
            }
            over.store(true, Relaxed);
        });
    }
}
