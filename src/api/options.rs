//! Options as scripts write them.
use crate::{
    failure::{Cause, Failure},
    script::{RhaiResultOf, thrown},
};
use rhai::Dynamic;

/// Reads a literal map of options; the error for an unknown one lists the known ones.
pub(super) fn options<T: serde::de::DeserializeOwned>(map: rhai::Map) -> RhaiResultOf<T> {
    rhai::serde::from_dynamic(&Dynamic::from(map)).map_err(|e| {
        let text = e.unwrap_inner().to_string();
        let text = text.split(" (line ").next().unwrap_or_default().trim_start_matches("Syntax error: ");
        thrown(Failure::new(Cause::Fabfile, format!("these options are wrong: {text}")))
    })
}
