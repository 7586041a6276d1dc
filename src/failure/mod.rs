//! What a call throws, and how a run ends.
mod cause;
mod excerpt;
mod exit;
mod written;

pub use cause::{Cause, Reason};
pub use excerpt::Excerpt;
pub use exit::Exit;

use crate::{host::Name, secret::Masks};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Stands in a help for the words of the line that name hosts.
pub const HOSTS: &str = "{hosts}";

/// Why a call failed, as data, with the words for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "written::Written", from = "written::Written")]
pub struct Failure {
    pub cause: Cause,
    /// Lower case, the thing in backticks, no full stop; it doesn't name the host that `host` has.
    pub message: String,
    /// What to do or type next.
    pub help: Option<String>,
    /// What stayed as it was, where that is known.
    pub unchanged: Option<Unchanged>,
    pub host: Option<Name>,
    /// A command's exit status.
    pub status: Option<i32>,
    /// The name that it is about, as somebody typed it, such as a tag.
    pub about: Option<String>,
    /// The effect that failed.
    pub origin: Option<Origin>,
    /// The failures that it joins.
    pub sources: Vec<Failure>,
    /// Where in files it lies: the place itself first, then what led there.
    pub places: Vec<Excerpt>,
}

/// An effect of a run: the lane that it belongs to, and its number there.
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
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: message.into(),
            help: None,
            unchanged: None,
            host: None,
            status: None,
            about: None,
            origin: None,
            sources: Vec::new(),
            places: Vec::new(),
        }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Cause::Failed, message)
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Cause::Refused, message)
    }

    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Cause::Unknown, message)
    }

    /// The kind of failure that its cause makes.
    pub fn reason(&self) -> Reason {
        self.cause.reason()
    }

    /// Puts the words that name hosts into the help, where it leaves a place for them.
    pub fn naming(mut self, words: &str) -> Self {
        if let Some(help) = self.help.as_mut().filter(|help| help.contains(HOSTS)) {
            let place = if words.is_empty() { format!("{HOSTS} ") } else { HOSTS.to_owned() };
            *help = help.replace(&place, words);
        }
        self
    }

    /// The same, with the words that nothing was changed.
    pub fn unchanged(self) -> Self {
        Self { unchanged: Some(Unchanged::Run), ..self }
    }

    /// The same in a run that changed something before: the call changed nothing, the run did.
    pub fn after_changes(self) -> Self {
        Self { unchanged: self.unchanged.map(|_| Unchanged::Call), ..self }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub fn on(self, host: &Name) -> Self {
        Self { host: Some(host.clone()), ..self }
    }

    /// The same, about a name that somebody typed.
    pub fn about(self, name: impl Into<String>) -> Self {
        Self { about: Some(name.into()), ..self }
    }

    /// The same, of an effect, unless it comes from another one.
    pub fn of(mut self, lane: &Name, number: u32) -> Self {
        self.origin.get_or_insert_with(|| Origin { lane: lane.clone(), number });
        self
    }

    /// The same, with one more place where it lies.
    pub fn at(mut self, place: Excerpt) -> Self {
        self.places.push(place);
        self
    }

    pub fn status(self, status: i32) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Its words where a host is named already: without that host's name.
    pub fn beside(&self, host: Option<&Name>) -> Cow<'_, str> {
        match self.host.as_ref() == host {
            true => (&self.message).into(),
            false => self.to_string().into(),
        }
    }

    /// What stayed as it was, and what to do next.
    pub fn advice(&self) -> Option<String> {
        let unchanged = self.unchanged.map(|unchanged| match unchanged {
            Unchanged::Run => "nothing was changed",
            Unchanged::Call => "nothing more was changed",
        });
        match (unchanged, &self.help) {
            (Some(unchanged), Some(help)) => Some(format!("{unchanged}; {help}")),
            (Some(unchanged), None) => Some(unchanged.to_owned()),
            (None, help) => help.clone(),
        }
    }

    /// Whether it tells of another failure: that one is the same, or among those that it joins.
    pub fn tells(&self, other: &Failure) -> bool {
        let same = match (&self.origin, &other.origin) {
            (Some(own), Some(others)) => own == others,
            // A script threw it: `each` adds the host.
            _ => Failure { host: other.host.clone(), places: other.places.clone(), ..self.clone() } == *other,
        };
        let host = self.host.is_none() || self.host == other.host;
        same && host || self.sources.iter().any(|source| source.tells(other))
    }

    /// Takes secrets out of its texts.
    pub fn mask(&mut self, masks: &Masks) {
        masks.clean(&mut self.message);
        self.help.iter_mut().chain(&mut self.about).for_each(|text| masks.clean(text));
        self.sources.iter_mut().for_each(|source| source.mask(masks));
        for place in &mut self.places {
            masks.clean(&mut place.label);
            place.text = masks.in_place(&place.text).into_owned();
        }
    }

    /// Whether a script's `try` may see it.
    pub fn catchable(&self) -> bool {
        !matches!(self.reason(), Reason::Killed | Reason::Interrupted | Reason::Unknowable)
    }
}

/// The words that a message begins with whose subject is the host.
const VERBS: [&str; 9] = ["answers", "can't", "doesn't", "has", "is", "isn't", "serves", "still", "was"];

/// The message, with the host in front.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(host) = &self.host else { return f.write_str(&self.message) };
        let first = self.message.split(' ').next().unwrap_or_default();
        let colon = if VERBS.contains(&first) { "" } else { ":" };
        write!(f, "host `{host}`{colon} {}", self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_changed_before_is_not_denied() {
        let failure = Failure::refused("2 problems").help("see `y`").unchanged();
        assert_eq!(failure.advice().as_deref(), Some("nothing was changed; see `y`"));
        assert_eq!(failure.after_changes().advice().as_deref(), Some("nothing more was changed; see `y`"));
        assert_eq!(Failure::refused("no").unchanged().advice().as_deref(), Some("nothing was changed"));
        assert_eq!(Failure::refused("no").after_changes().advice(), None);
    }

    #[test]
    fn a_failure_of_a_host_names_it_once() {
        let named = |message: &str| Failure::failed(message).on(&"web1".into());
        assert_eq!(named("isn't drained").to_string(), "host `web1` isn't drained");
        assert_eq!(named("the disk is full").to_string(), "host `web1`: the disk is full");
        assert_eq!(named("the disk is full").beside(Some(&"web1".into())), "the disk is full");
        assert_eq!(named("the disk is full").beside(Some(&"web2".into())), "host `web1`: the disk is full");
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
