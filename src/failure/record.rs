//! A failure as data, and its form in a journal and in JSON.
use super::{Cause, Excerpt, Reason};
use crate::{host::Name, secret::Masks};
use serde::{Deserialize, Serialize};

/// Why a call failed, as data and in words for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "WrittenFailure", from = "WrittenFailure")]
pub struct Failure {
    pub cause: Cause,
    /// Starts in lower case, has names in backquotes and no full stop, and doesn't repeat the host in `host`.
    pub message: String,
    /// What to do or type next.
    pub help: Option<String>,
    /// What stayed as it was, if rfab knows that.
    pub unchanged: Option<Unchanged>,
    pub host: Option<Name>,
    /// The exit status of a command.
    pub status: Option<i32>,
    /// The name that it is about, such as a tag, as the user typed it.
    pub about: Option<String>,
    /// The effect that failed.
    pub origin: Option<Origin>,
    /// The failures that this one sums up.
    pub sources: Vec<Failure>,
    /// The places in files that it points at: its own first, then those that led there.
    pub places: Vec<Excerpt>,
}

/// Identifies an effect of a run by its lane and its number there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub lane: Name,
    pub number: u32,
}

/// What stayed as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unchanged {
    /// The run changed nothing.
    Run,
    /// The call changed nothing, but the run did before.
    Call,
}

impl Failure {
    /// Returns the kind of failure that its cause belongs to.
    pub fn reason(&self) -> Reason {
        self.cause.reason()
    }

    /// Returns whether another failure has the same cause, host and message.
    pub fn is_like(&self, other: &Failure) -> bool {
        self.cause == other.cause && self.host == other.host && self.message == other.message
    }

    /// Returns whether it covers another failure: it is the same, or sums it up.
    pub fn tells(&self, other: &Failure) -> bool {
        let same = match (&self.origin, &other.origin) {
            (Some(own), Some(others)) => own == others,
            // A script threw one of them: `each` adds the host.
            _ => Failure { host: other.host.clone(), places: other.places.clone(), ..self.clone() } == *other,
        };
        let host = self.host.is_none() || self.host == other.host;
        same && host || self.sources.iter().any(|source| source.tells(other))
    }

    /// Masks secrets in its texts.
    pub fn mask(&mut self, masks: &Masks) {
        masks.clean(&mut self.message);
        self.help.iter_mut().chain(&mut self.about).for_each(|text| masks.clean(text));
        self.sources.iter_mut().for_each(|source| source.mask(masks));
        for place in &mut self.places {
            masks.clean(&mut place.label);
            place.text = masks.in_place(&place.text).into_owned();
        }
    }

    /// Returns whether a script's `try` can catch it.
    pub fn catchable(&self) -> bool {
        !matches!(self.reason(), Reason::Killed | Reason::Interrupted | Reason::Unknowable)
    }
}

/// A failure as it is written, with its kind beside its cause.
///
/// rfab 0.1.0 wrote only the kind.
#[derive(Serialize, Deserialize)]
struct WrittenFailure {
    reason: Reason,
    cause: Option<Cause>,
    message: String,
    help: Option<String>,
    unchanged: Option<Unchanged>,
    host: Option<Name>,
    status: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sources: Vec<Failure>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    places: Vec<Excerpt>,
}

impl From<Failure> for WrittenFailure {
    fn from(failure: Failure) -> WrittenFailure {
        WrittenFailure {
            reason: failure.reason(),
            cause: Some(failure.cause),
            message: failure.message,
            help: failure.help,
            unchanged: failure.unchanged,
            host: failure.host,
            status: failure.status,
            about: failure.about,
            origin: failure.origin,
            sources: failure.sources,
            places: failure.places,
        }
    }
}

impl From<WrittenFailure> for Failure {
    fn from(written: WrittenFailure) -> Failure {
        Failure {
            cause: written.cause.unwrap_or(written.reason.into()),
            message: written.message,
            help: written.help,
            unchanged: written.unchanged,
            host: written.host,
            status: written.status,
            about: written.about,
            origin: written.origin,
            sources: written.sources,
            places: written.places,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_read_as_it_was_written() {
        let source = Failure::new(Cause::NotDrained, "2 requests").on(&"web1".into()).of(&"4.web1".into(), 7);
        let failure = Failure { sources: vec![source], ..Failure::refused("no").about("v1").status(3).unchanged() };
        let json = serde_json::to_string(&failure).unwrap();
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure, "{json}");
    }

    #[test]
    fn a_failure_of_rfab_0_1_0_has_the_cause_of_its_kind() {
        let old = r#"{"reason":"nohosts","message":"none","help":null,"host":null,"status":null}"#;
        assert_eq!(serde_json::from_str::<Failure>(old).unwrap(), Failure::new(Cause::NoHosts, "none"));
    }

    #[test]
    fn a_failure_tells_of_another_if_the_same_effect_failed_or_it_joins_it() {
        let (web1, web2) = (Name::from("web1"), Name::from("web2"));
        let first = Failure::failed("no room").on(&web1).of(&"4.web1".into(), 2);
        let worded = Failure { message: "the disk is full".into(), ..first.clone() };
        assert!(worded.tells(&first), "the words don't matter");
        assert!(!first.clone().of(&"".into(), 1).tells(&Failure::failed("no room").on(&web2).of(&"4.web2".into(), 2)));
        let joined = Failure { sources: vec![first.clone()], ..Failure::failed("2 problems") };
        assert!(joined.tells(&first) && !first.tells(&joined));
        let thrown = Failure::new(Cause::Thrown, "not today");
        assert!(thrown.tells(&thrown.clone().on(&web1)), "`each` adds the host");
        assert!(!thrown.clone().on(&web2).tells(&thrown.clone().on(&web1)));
    }
}
