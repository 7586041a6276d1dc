//! Exit codes.
use serde::Serialize;

/// How a run ended, as the exit code of the process. It's serialized as its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A task failed.
    Failed = 1,
    /// rfab didn't understand the command line.
    Usage = 2,
    /// The fabfile or the fleet file is wrong.
    Fabfile = 3,
    /// A host can't be reached: it's down, silent, or its key is unknown or changed.
    Unreachable = 4,
    /// Another operator holds the lock.
    Locked = 5,
    /// The balancer refused, or its state is unknown.
    Balancer = 6,
    /// An invariant refused a step, and the step changed nothing.
    Refused = 7,
    /// Done, but hosts were left out.
    LeftOut = 8,
    /// The state of a host is unknown.
    Unknown = 9,
    /// The selection has no hosts.
    NoHosts = 10,
    /// Hung up (SIGHUP).
    HungUp = 129,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// Every code, in order.
    pub const ALL: [(Exit, &'static str); 14] = [
        (Exit::Done, "done"),
        (Exit::Failed, "a task failed"),
        (Exit::Usage, "rfab didn't understand the command line"),
        (Exit::Fabfile, "the fabfile or the fleet file is wrong"),
        (Exit::Unreachable, "a host can't be reached (down, silent, or its key is unknown or changed)"),
        (Exit::Locked, "another operator holds the lock"),
        (Exit::Balancer, "the balancer refused, or its state is unknown"),
        (Exit::Refused, "a safety rule refused a step, and the step changed nothing"),
        (Exit::LeftOut, "done, but hosts were left out"),
        (Exit::Unknown, "the state of a host is unknown"),
        (Exit::NoHosts, "the selection has no hosts"),
        (Exit::HungUp, "hung up (SIGHUP)"),
        (Exit::Interrupted, "interrupted (SIGINT)"),
        (Exit::Terminated, "terminated (SIGTERM)"),
    ];

    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns the exit code that counts if both apply: the first of 9, 6, 4, 1, 8.
    pub fn worse(self, other: Exit) -> Exit {
        const ORDER: [Exit; 5] = [Exit::Unknown, Exit::Balancer, Exit::Unreachable, Exit::Failed, Exit::LeftOut];
        let rank = |exit: Exit| match exit {
            Exit::Done => usize::MAX,
            _ => ORDER.iter().position(|e| *e == exit).unwrap_or(0),
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

impl Serialize for Exit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}
