//! Whether an answer proves what a service should serve.
use super::{
    Expected, ProbeAnswer,
    says::{could_say, names_commit, says},
    written::WrittenNames,
};
use crate::fleet::{Health, Version};

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Bad,
    Good {
        /// Whether it proves what the host should serve.
        proven: bool,
    },
}

/// Judges an answer: it must prove what is expected, unless the fleet file says that it cannot, or nobody knows how.
///
/// `nameless` takes one that could name no release, too.
pub fn judged(
    answer: &ProbeAnswer,
    health: &Health,
    expected: &Expected,
    written: &WrittenNames,
    nameless: bool,
) -> Verdict {
    let said = answer.version.as_deref();
    let proven = said.is_some_and(|said| says(said, expected) || written.proves(said, expected));
    let open = !expected.sure || said.is_some_and(|said| written.leaves_open(said));
    let taken = nameless && said.is_none_or(|said| !could_say(said, expected) && !written.names_one(said));
    match answer.good && (proven || open || taken || health.version == Version::None) {
        true => Verdict::Good { proven },
        false => Verdict::Bad,
    }
}

/// Returns whether names are to be looked up in ledgers, where a good answer does not prove it without.
///
/// `nameless` says that an answer is good, too, that could name no release.
pub fn looks_up(expected: &Expected, answer: &ProbeAnswer, nameless: bool) -> bool {
    let unproven = answer.version.as_deref().is_some_and(|said| answer.good && !says(said, expected));
    // A package is called by its version alone.
    let unnamed = expected.names.is_empty() && expected.id.as_deref().is_some_and(names_commit);
    unproven && expected.sure && (nameless || unnamed)
}
