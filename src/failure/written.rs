//! How a failure stands in a journal and in JSON.
use super::{Cause, Excerpt, Failure, Origin, Reason, Unchanged};
use crate::host::Name;
use serde::{Deserialize, Serialize};

/// A failure with its kind beside its cause.
///
/// rfab 0.1.0 wrote the kind only.
#[derive(Serialize, Deserialize)]
pub struct Written {
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

impl From<Failure> for Written {
    fn from(failure: Failure) -> Written {
        Written {
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

impl From<Written> for Failure {
    fn from(written: Written) -> Failure {
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
}
