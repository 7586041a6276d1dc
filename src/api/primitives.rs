//! The registration of every primitive in an engine.
use super::{
    HostValue, balancer, called::Called, clock, failure, file, fleet, forge, git, git_flow, git_history, git_hooks,
    health, host, http, ledger, local, notice, release, release_marks, scope, secret, service, targets, text, ui,
    version,
};
use crate::{failure::Failure, script::Targets};
use rhai::{
    Engine, Module,
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

/// Functions that a script calls in a namespace, which one or more files define.
const NAMESPACES: [(&str, &[&ModuleManifest]); 14] = [
    ("balancer", &[exported_manifest!(balancer::balancer)]),
    ("clock", &[exported_manifest!(clock::clock)]),
    ("forge", &[exported_manifest!(forge::forge)]),
    (
        "git",
        &[
            exported_manifest!(git::git),
            exported_manifest!(git_flow::git_flow),
            exported_manifest!(git_history::git_history),
            exported_manifest!(git_hooks::git_hooks),
        ],
    ),
    ("health", &[exported_manifest!(health::health)]),
    ("http", &[exported_manifest!(http::http)]),
    ("ledger", &[exported_manifest!(ledger::ledger)]),
    ("local", &[exported_manifest!(local::local)]),
    ("notice", &[exported_manifest!(notice::notice)]),
    ("release", &[exported_manifest!(release::release), exported_manifest!(release_marks::marks)]),
    ("secret", &[exported_manifest!(secret::secret)]),
    ("service", &[exported_manifest!(service::service)]),
    ("ui", &[exported_manifest!(ui::ui)]),
    ("version", &[exported_manifest!(version::version)]),
];

/// Registers every primitive in an engine.
pub fn register(engine: &mut Engine) {
    fill(engine, callable);
}

/// Registers every primitive's metadata in an engine that documents them and never calls them.
pub fn describe(engine: &mut Engine) {
    fill(engine, described);
}

fn fill(engine: &mut Engine, module: fn(&[&'static ModuleManifest]) -> Module) {
    engine
        .register_type_with_name::<HostValue>("Host")
        .build_type::<Targets>()
        .register_type_with_name::<Failure>("Failure")
        .register_type_with_name::<crate::command::Command>("Command")
        .register_type_with_name::<crate::secret::Secret>("Secret")
        .register_type_with_name::<release::ReleaseValue>("Release")
        .register_type_with_name::<git::CommitValue>("Commit")
        .register_type_with_name::<local::LocalValue>("Local");
    BARE.into_iter().for_each(|bare| _ = engine.register_global_module(module(&[bare]).into()));
    NAMESPACES.into_iter().for_each(|(name, inside)| _ = engine.register_static_module(name, module(inside).into()));
}

fn callable(manifests: &[&'static ModuleManifest]) -> Module {
    let mut module = Module::new();
    for manifest in manifests {
        manifest.init_eager(&mut module);
        for function in manifest.functions() {
            (function.param_types)(&mut |types| {
                let called = RhaiFunc::Plugin { func: rhai::Shared::new(Called(function.func)) };
                let named = FuncRegistration::new(function.name).with_namespace(function.namespace);
                named.set_into_module_raw(&mut module, types, called);
            });
        }
    }
    module.build_index();
    module
}

fn described(manifests: &[&'static ModuleManifest]) -> Module {
    let mut modules = manifests.iter().map(|manifest| Module::from_manifest(manifest));
    let mut all = modules.next().unwrap_or_default();
    modules.for_each(|module| _ = all.combine(module));
    all.build_index();
    all
}
