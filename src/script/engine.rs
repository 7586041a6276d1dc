//! The engine: every limit set by hand, so that a fabfile means the same in every build.
use super::{Resolver, constants};
use crate::api;
use rhai::{Engine, OptimizationLevel};
use std::sync::Arc;

/// The most operations of a run; a fabfile of a thousand lines needs some ten thousands.
const OPERATIONS: u64 = 50_000_000;

/// Builds the engine for a project.
pub fn engine(resolver: Arc<Resolver>) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(OPERATIONS)
        .set_max_expr_depths(128, 128)
        .set_max_call_levels(64)
        .set_max_modules(64)
        .set_max_functions(10_000)
        .set_max_variables(10_000)
        .set_max_string_size(64 << 20)
        .set_max_array_size(200_000)
        .set_max_map_size(200_000)
        .set_max_strings_interned(4_096)
        .set_fail_on_invalid_map_property(true)
        .set_optimization_level(OptimizationLevel::Simple)
        .disable_symbol("eval");
    // A script waits by `clock::wait`, which has a deadline and a virtual clock; it prints by `ui::note`.
    engine.on_print(|_| {}).on_debug(|_, _, _| {});
    api::register(&mut engine);
    constants::install(&mut engine, resolver.clone());
    engine.set_module_resolver(super::resolver::Shared(resolver));
    engine
}
