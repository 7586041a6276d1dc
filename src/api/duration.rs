//! Durations as scripts write them.
use crate::{
    duration::read,
    failure::{Cause, Failure},
    script::{RhaiResultOf, thrown},
};
use rhai::Dynamic;

/// Reads a duration: a string such as `60s`, or a number of seconds.
pub(super) fn duration(value: &Dynamic) -> RhaiResultOf<std::time::Duration> {
    let wrong = || {
        let failure = Failure::new(Cause::Fabfile, format!("`{value}` isn't a duration"));
        thrown(failure.help("write `\"90s\"`, `\"5m\"` or a number of seconds"))
    };
    if let Ok(seconds) = value.as_int() {
        return u64::try_from(seconds).map(std::time::Duration::from_secs).map_err(|_| wrong());
    }
    if let Ok(seconds) = value.as_float() {
        return std::time::Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    }
    let text = value.clone().into_immutable_string().map_err(|_| wrong())?;
    read(&text).ok_or_else(wrong)
}
