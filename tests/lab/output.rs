//! What a program that has ended left behind.
use std::process::{Command, Stdio};

#[must_use = "compare it, or say `expect_ok`"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    /// The exit code; `None` when a signal ended it.
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

    /// Gives its output, or panics with all that is known.
    #[track_caller]
    pub fn expect_ok(self) -> String {
        assert!(self.ok(), "{self:?}");
        self.stdout
    }
}
