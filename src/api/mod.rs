//! Script primitives: each builds an effect and performs it, and is documented where it is defined.
mod balancer;
mod clock;
mod failure;
mod fleet;
mod git;
mod health;
mod host;
mod release;
mod scope;
mod service;
mod targets;
mod text;
mod ui;

pub use host::HostValue;

use crate::{
    failure::{Failure, Reason},
    script::{RhaiResultOf, Targets, thrown},
};
use rhai::{Dynamic, Engine, exported_module};

/// Makes every primitive known to an engine.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<HostValue>("Host")
        .build_type::<Targets>()
        .register_type_with_name::<Failure>("Failure")
        .register_type_with_name::<crate::command::Command>("Command")
        .register_type_with_name::<release::ReleaseValue>("Release")
        .register_type_with_name::<git::CommitValue>("Commit");
    engine.register_global_module(exported_module!(host::host).into());
    engine.register_global_module(exported_module!(targets::targets).into());
    engine.register_global_module(exported_module!(fleet::fleet).into());
    engine.register_global_module(exported_module!(scope::scope).into());
    engine.register_global_module(exported_module!(text::text).into());
    engine.register_global_module(exported_module!(failure::failure).into());
    engine.register_static_module("balancer", exported_module!(balancer::balancer).into());
    engine.register_static_module("clock", exported_module!(clock::clock).into());
    engine.register_static_module("git", exported_module!(git::git).into());
    engine.register_static_module("health", exported_module!(health::health).into());
    engine.register_static_module("release", exported_module!(release::release).into());
    engine.register_static_module("service", exported_module!(service::service).into());
    engine.register_static_module("ui", exported_module!(ui::ui).into());
}

/// Reads a literal map of options; one that is not known is refused with those that are.
fn options<T: serde::de::DeserializeOwned>(map: rhai::Map) -> RhaiResultOf<T> {
    rhai::serde::from_dynamic(&Dynamic::from(map)).map_err(|e| {
        let text = e.unwrap_inner().to_string();
        let text = text.split(" (line ").next().unwrap_or_default().trim_start_matches("Syntax error: ");
        thrown(Failure::new(Reason::Fabfile, format!("these options are wrong: {text}")))
    })
}

/// A text such as `60s`, or a number of seconds.
fn duration(value: &Dynamic) -> RhaiResultOf<std::time::Duration> {
    let wrong = || {
        let failure = Failure::new(Reason::Fabfile, format!("`{value}` is no duration"));
        thrown(failure.help("write `\"90s\"`, `\"5m\"` or a number of seconds"))
    };
    if let Ok(seconds) = value.as_int() {
        return u64::try_from(seconds).map(std::time::Duration::from_secs).map_err(|_| wrong());
    }
    if let Ok(seconds) = value.as_float() {
        return std::time::Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    }
    let text = value.clone().into_immutable_string().map_err(|_| wrong())?;
    crate::fleet::span(&text).ok_or_else(wrong)
}
