//! The output and exit code of a program that has ended.
use std::process::{Command, Stdio};

#[must_use = "compare it, or say `expect_ok`"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
}

impl Output {
    /// Runs a command to its end, without input.
    pub fn of(command: &mut Command) -> Output {
        let out = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Output {
            stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
            code: out.status.code(),
        }
    }

    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Returns its stdout; panics with the whole output if it failed.
    #[track_caller]
    pub fn expect_ok(self) -> String {
        assert!(self.ok(), "{self:?}");
        self.stdout
    }
}
