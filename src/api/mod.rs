//! Script primitives: each builds an effect and performs it, and is documented where it is defined.
mod balancer;
mod building;
mod called;
mod clock;
mod failure;
mod file;
mod fleet;
mod git;
mod health;
mod host;
mod http;
mod ledger;
mod local;
mod marking;
mod release;
mod release_choice;
mod release_value;
mod scope;
mod secret;
mod service;
mod targets;
mod text;
mod ui;
mod undo;

pub use host::HostValue;
pub use undo::abort;

use crate::{
    failure::{Cause, Failure},
    script::{RhaiResultOf, Targets, thrown},
};
use called::Called;
use rhai::{
    Dynamic, Engine, Module,
    plugin::{FuncRegistration, ModuleManifest, RhaiFunc, exported_manifest},
};

/// Functions that a script calls by their bare names.
const BARE: [&ModuleManifest; 8] = [
    exported_manifest!(host::host),
    exported_manifest!(file::file),
    exported_manifest!(targets::targets),
    exported_manifest!(fleet::fleet),
    exported_manifest!(scope::scope),
    exported_manifest!(text::text),
    exported_manifest!(failure::failure),
    exported_manifest!(secret::unseen),
];

/// Functions that a script calls behind a namespace.
const NAMESPACES: [(&str, &ModuleManifest); 11] = [
    ("balancer", exported_manifest!(balancer::balancer)),
    ("clock", exported_manifest!(clock::clock)),
    ("git", exported_manifest!(git::git)),
    ("health", exported_manifest!(health::health)),
    ("http", exported_manifest!(http::http)),
    ("ledger", exported_manifest!(ledger::ledger)),
    ("local", exported_manifest!(local::local)),
    ("release", exported_manifest!(release::release)),
    ("secret", exported_manifest!(secret::secret)),
    ("service", exported_manifest!(service::service)),
    ("ui", exported_manifest!(ui::ui)),
];

/// Makes every primitive known to an engine.
pub fn register(engine: &mut Engine) {
    fill(engine, callable);
}

/// Makes every primitive known to an engine that tells about them by its metadata, and calls none.
pub fn describe(engine: &mut Engine) {
    fill(engine, Module::from_manifest);
}

fn fill(engine: &mut Engine, module: fn(&'static ModuleManifest) -> Module) {
    engine
        .register_type_with_name::<HostValue>("Host")
        .build_type::<Targets>()
        .register_type_with_name::<Failure>("Failure")
        .register_type_with_name::<crate::command::Command>("Command")
        .register_type_with_name::<crate::secret::Secret>("Secret")
        .register_type_with_name::<release::ReleaseValue>("Release")
        .register_type_with_name::<git::CommitValue>("Commit")
        .register_type_with_name::<local::LocalValue>("Local");
    BARE.into_iter().for_each(|bare| _ = engine.register_global_module(module(bare).into()));
    NAMESPACES.into_iter().for_each(|(name, inside)| _ = engine.register_static_module(name, module(inside).into()));
}

fn callable(manifest: &'static ModuleManifest) -> Module {
    let mut module = Module::new();
    manifest.init_eager(&mut module);
    for function in manifest.functions() {
        (function.param_types)(&mut |types| {
            let called = RhaiFunc::Plugin { func: rhai::Shared::new(Called(function.func)) };
            let named = FuncRegistration::new(function.name).with_namespace(function.namespace);
            named.set_into_module_raw(&mut module, types, called);
        });
    }
    module.build_index();
    module
}

/// Reads a literal map of options; one that is not known is refused with those that are.
fn options<T: serde::de::DeserializeOwned>(map: rhai::Map) -> RhaiResultOf<T> {
    rhai::serde::from_dynamic(&Dynamic::from(map)).map_err(|e| {
        let text = e.unwrap_inner().to_string();
        let text = text.split(" (line ").next().unwrap_or_default().trim_start_matches("Syntax error: ");
        thrown(Failure::new(Cause::Fabfile, format!("these options are wrong: {text}")))
    })
}

/// A text such as `60s`, or a number of seconds.
fn duration(value: &Dynamic) -> RhaiResultOf<std::time::Duration> {
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
    crate::fleet::span(&text).ok_or_else(wrong)
}
