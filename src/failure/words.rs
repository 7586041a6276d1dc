//! The words of a failure for people.
use super::{Failure, Unchanged};
use crate::host::Name;
use std::{borrow::Cow, fmt};

impl Failure {
    /// Returns its message without the host's name if the reader already knows that host.
    pub fn beside(&self, host: Option<&Name>) -> Cow<'_, str> {
        if self.host.as_ref() == host { (&self.message).into() } else { self.to_string().into() }
    }

    /// Says what stayed as it was, and what to do next.
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
}

/// First words of messages that have the host as their subject.
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
}
