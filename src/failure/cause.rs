//! Causes of failures, each with a stable name.
use super::Exit;
use serde::{Deserialize, Serialize};

/// The kind of a failure, which determines the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The step was done and didn't work.
    Failed,
    /// The command line asks for something that doesn't exist.
    Usage,
    /// The script or the fleet file asks for something that doesn't exist.
    Fabfile,
    /// A host can't be reached.
    Unreachable,
    /// Another operator holds the lock.
    Locked,
    /// This run lost the lock, so it does nothing more.
    Unlocked,
    /// The balancer refused, or its state is unknown.
    Balancer,
    /// A safety rule refused the step, and nothing was done.
    Refused,
    /// rfab can't tell whether the step was done.
    Unknown,
    /// The selection has no hosts.
    NoHosts,
    /// A dry run can't know this. A script can't catch it.
    Unknowable,
    /// The operator interrupted; `defer`s still run. A script can't catch it.
    Interrupted,
    /// The simulated operator died here. A script can't catch it.
    Killed,
}

impl Reason {
    pub fn exit(self) -> Exit {
        match self {
            Reason::Failed | Reason::Unknowable | Reason::Killed => Exit::Failed,
            Reason::Usage => Exit::Usage,
            Reason::Fabfile => Exit::Fabfile,
            Reason::Unreachable => Exit::Unreachable,
            Reason::Locked => Exit::Locked,
            Reason::Balancer => Exit::Balancer,
            Reason::Refused => Exit::Refused,
            Reason::Unknown | Reason::Unlocked => Exit::Unknown,
            Reason::NoHosts => Exit::NoHosts,
            Reason::Interrupted => Exit::Interrupted,
        }
    }
}

/// Declares the causes, each by its name in Rust, its reason and its meaning.
macro_rules! causes {
    ($($cause:ident $reason:ident $meaning:literal)*) => {
        /// What made a call fail. In scripts, JSON and the docs, its name is in kebab case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Cause { $(#[doc = $meaning] $cause,)* }

        impl Cause {
            /// Every cause, with its meaning.
            pub const ALL: &[(Cause, &'static str)] = &[$((Cause::$cause, $meaning),)*];

            /// Returns the kind of failure that it belongs to.
            pub fn reason(self) -> Reason {
                match self { $(Cause::$cause => Reason::$reason,)* }
            }
        }
    };
}

causes! {
    Failed Failed "a step failed, for a reason other than those below"
    Command Failed "a command ended with an exit status other than 0"
    TimedOut Failed "something took longer than allowed"
    Unhealthy Failed "a host doesn't prove that it serves the version that it should"
    NotDrained Failed "a host still has open requests when the time to drain is over"
    NoSpace Failed "a disk or a memory limit is too small"
    Sudo Failed "sudo doesn't run a command"
    Http Failed "a server's response isn't the one that was expected"
    Git Failed "git can't do what rfab asked it to do"
    Conflict Failed "a merge in git conflicts"
    Rejected Failed "the remote rejected a push, and nothing was pushed"
    Thrown Failed "a script threw a string"
    Usage Usage "the command line asks for something that doesn't exist"
    Fabfile Fabfile "the fabfile or the fleet file is wrong"
    NoVersion Fabfile "no file of the project contains a version"
    Unreachable Unreachable "a host can't be reached, for a reason other than those below"
    HostKeyUnknown Unreachable "nobody trusts the host's key yet"
    HostKeyChanged Unreachable "the host's key differs from the known one"
    HostKeyRevoked Unreachable "the host's key is revoked"
    HostCertificate Unreachable "the host's certificate isn't valid"
    LoginDenied Unreachable "the host doesn't accept the login"
    JumpHost Unreachable "a jump host can't connect to the next host"
    Locked Locked "another operator holds the lock"
    Unlocked Unlocked "this run lost the lock"
    Balancer Balancer "the balancer refused, or its state is unknown"
    Refused Refused "a safety rule refused the step, for a reason other than those below"
    Unconfirmed Refused "nobody confirmed the change"
    Declined Refused "a person answered no"
    MinLive Refused "too few hosts of a pool would stay live"
    StillLive Refused "a host is taking requests, so rfab can't change what it serves"
    Overtaken Refused "somebody else has changed the hosts since"
    Unproven Refused "the health check couldn't prove a release"
    Gate Refused "a forge's checks or reviews don't let a commit pass"
    Unknown Unknown "rfab can't tell whether a step was done"
    NoHosts NoHosts "the selection has no hosts"
    Unknowable Unknowable "a dry run can't know the answer"
    Interrupted Interrupted "the run was interrupted"
    Killed Killed "the simulated operator died"
    Internal Unknown "internal error; report this bug"
}

impl Cause {
    /// Returns the exit code of a run that ends with it.
    pub fn exit(self) -> Exit {
        self.reason().exit()
    }

    /// Returns its stable name, in kebab case.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).expect("a cause is plain data");
        name.as_str().expect("a cause is a name").to_owned()
    }
}

/// The general cause of a kind, for a failure that was recorded with its kind only.
impl From<Reason> for Cause {
    fn from(reason: Reason) -> Cause {
        match reason {
            Reason::Failed => Cause::Failed,
            Reason::Usage => Cause::Usage,
            Reason::Fabfile => Cause::Fabfile,
            Reason::Unreachable => Cause::Unreachable,
            Reason::Locked => Cause::Locked,
            Reason::Unlocked => Cause::Unlocked,
            Reason::Balancer => Cause::Balancer,
            Reason::Refused => Cause::Refused,
            Reason::Unknown => Cause::Unknown,
            Reason::NoHosts => Cause::NoHosts,
            Reason::Unknowable => Cause::Unknowable,
            Reason::Interrupted => Cause::Interrupted,
            Reason::Killed => Cause::Killed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_named_in_kebab_case_and_has_the_exit_code_of_its_reason() {
        assert_eq!(Cause::HostKeyUnknown.name(), "host-key-unknown");
        assert_eq!(Cause::HostKeyUnknown.reason().exit(), Exit::Unreachable);
    }

    #[test]
    fn a_reason_is_the_reason_of_its_own_cause() {
        for (cause, _) in Cause::ALL {
            assert_eq!(Cause::from(cause.reason()).reason(), cause.reason());
        }
    }
}
