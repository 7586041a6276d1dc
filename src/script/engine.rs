//! The engine, with every limit set explicitly, so that a fabfile means the same in every build.
use super::{Resolver, RhaiResultOf, here, meter::Meter, thrown};
use crate::failure::{Cause, Failure};
use rhai::{Array, Dynamic, Engine, ImmutableString, Map, NativeCallContext, OptimizationLevel, Variant};
use std::sync::Arc;

/// Builds the engine for a project, with the functions that `register` adds; `meter` counts what the scripts use up.
pub fn engine(resolver: Arc<Resolver>, meter: Arc<Meter>, register: fn(&mut Engine)) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(0)
        .set_max_expr_depths(128, 128)
        .set_max_call_levels(64)
        .set_max_modules(64)
        .set_max_functions(10_000)
        .set_max_variables(1_000)
        .set_max_string_size(16 << 20)
        .set_max_array_size(50_000)
        .set_max_map_size(50_000)
        .set_max_strings_interned(4_096)
        .set_fail_on_invalid_map_property(true)
        .set_strict_variables(true)
        .set_optimization_level(OptimizationLevel::Simple)
        .disable_symbol("eval");
    engine.on_progress(move |_| meter.tick());
    // `printing` below replaces the output of both.
    engine.on_print(|_| {}).on_debug(|_, _, _| {});
    register(&mut engine);
    printing(&mut engine);
    without(&mut engine);
    constants(&mut engine, resolver.clone());
    engine.set_module_resolver(super::resolver::Shared(resolver));
    engine
}

/// Lets the engine look up the literal constants of a file if it finds no other variable of a name.
#[expect(deprecated, reason = "`on_var` is Rhai's word for an API that may change, and there is no other")]
fn constants(engine: &mut Engine, resolver: Arc<Resolver>) {
    engine.on_var(move |name, index, context| {
        if index > 0 || context.scope().contains(name) {
            return Ok(None);
        }
        // Inside a closure, Rhai's own `source` is still the caller's file.
        let file = context.global_runtime_state().lib.last().and_then(|file| file.id()).unwrap_or_default();
        Ok(resolver.constant(file, name))
    });
}

/// Makes `print` and `debug` behave like `ui::note`. Rhai has one of each for every plain type.
fn printing(engine: &mut Engine) {
    fn for_type<T: Variant + Clone>(engine: &mut Engine) {
        for (name, as_text) in [("print", "to_string"), ("debug", "to_debug")] {
            let say = move |ctx: NativeCallContext, value: T| -> RhaiResultOf<ImmutableString> {
                let text: ImmutableString = ctx.call_native_fn(as_text, (Dynamic::from(value),))?;
                here(&ctx)?.note(&text);
                Ok(ImmutableString::new())
            };
            engine.register_fn(name, say);
        }
    }
    for_type::<Dynamic>(engine);
    for_type::<ImmutableString>(engine);
    for_type::<char>(engine);
    for_type::<bool>(engine);
    for_type::<()>(engine);
    for_type::<i64>(engine);
    for_type::<f64>(engine);
    for_type::<Array>(engine);
    for_type::<Map>(engine);
}

/// Removes Rhai's functions that bypass effects: waiting without a deadline, this machine's clock, and an exit that
/// looks like success.
fn without(engine: &mut Engine) {
    fn gone<T>(message: &str, help: &str) -> RhaiResultOf<T> {
        Err(thrown(Failure::new(Cause::Fabfile, message).help(help)))
    }
    let wait = || gone::<()>("there is no `sleep`", "write `clock::wait(\"2s\")`");
    let exit = || gone::<()>("there is no `exit`", "write `return`, or `throw` to fail");
    engine
        .register_fn("sleep", move |_: i64| wait())
        .register_fn("sleep", move |_: f64| wait())
        .register_fn("exit", exit)
        .register_fn("exit", move |_: Dynamic| exit())
        .register_fn("timestamp", || gone::<()>("there is no `timestamp`", "write `clock::now()`"));
}
