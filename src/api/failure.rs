//! What a script sees of a failure that it catches.
use crate::failure::Failure;
use rhai::{Dynamic, plugin::*};

#[export_module(manifest)]
pub mod failure {
    /// What happened.
    #[rhai_fn(get = "message", pure)]
    pub(crate) fn message(failure: &mut super::Failure) -> String {
        super::Failure::to_string(failure)
    }

    /// The kind of the failure.
    ///
    /// It's one of `failed`, `unreachable`, `locked`, `unlocked`, `balancer`, `refused`, `unknown`, `usage`, `fabfile`
    /// and `nohosts`.
    #[rhai_fn(get = "kind", pure)]
    pub(crate) fn kind(failure: &mut super::Failure) -> String {
        format!("{:?}", failure.reason()).to_lowercase()
    }

    /// The cause of the failure, as a [stable name](../exit-codes.md#causes).
    #[rhai_fn(get = "cause", pure)]
    pub(crate) fn cause(failure: &mut super::Failure) -> String {
        failure.cause.name()
    }

    /// The host where the failure happened; `()` if it didn't happen on a host.
    #[rhai_fn(get = "host", pure)]
    pub(crate) fn host(failure: &mut super::Failure) -> Dynamic {
        failure.host.as_ref().map_or(Dynamic::UNIT, |h| h.to_string().into())
    }

    /// The exit status of the command that failed; `()` if no command failed.
    #[rhai_fn(get = "status", pure)]
    pub(crate) fn status(failure: &mut super::Failure) -> Dynamic {
        failure.status.map_or(Dynamic::UNIT, |s| i64::from(s).into())
    }

    /// What to do next; `()` if rfab can't tell.
    #[rhai_fn(get = "help", pure)]
    pub(crate) fn help(failure: &mut super::Failure) -> Dynamic {
        failure.advice().map_or(Dynamic::UNIT, Dynamic::from)
    }

    // A string that a script threw reads like a failure.

    #[rhai_fn(get = "message", pure)]
    pub(crate) fn message_of_text(text: &mut ImmutableString) -> ImmutableString {
        text.clone()
    }

    #[rhai_fn(get = "kind", pure)]
    pub(crate) fn kind_of_text(_: &mut ImmutableString) -> String {
        "failed".to_owned()
    }

    #[rhai_fn(get = "cause", pure)]
    pub(crate) fn cause_of_text(_: &mut ImmutableString) -> String {
        "thrown".to_owned()
    }

    #[rhai_fn(get = "host", pure)]
    pub(crate) fn host_of_text(_: &mut ImmutableString) -> Dynamic {
        Dynamic::UNIT
    }

    #[rhai_fn(get = "status", pure)]
    pub(crate) fn status_of_text(_: &mut ImmutableString) -> Dynamic {
        Dynamic::UNIT
    }

    #[rhai_fn(get = "help", pure)]
    pub(crate) fn help_of_text(_: &mut ImmutableString) -> Dynamic {
        Dynamic::UNIT
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub(crate) fn to_string(failure: &mut super::Failure) -> String {
        super::Failure::to_string(failure)
    }
}
