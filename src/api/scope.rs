//! Primitives that run something when a scope ends, and that name the steps of a run.
use crate::{
    event::EventKind,
    failure::{Cause, Failure, Reason},
    script::{Here, RhaiResultOf, failure_of, here, run_defers, thrown},
};
use rhai::{Dynamic, FnPtr, NativeCallContext, plugin::*};
use std::sync::Arc;

#[export_module(manifest)]
pub mod scope {
    /// Runs the closure when the surrounding task, `scope` or closure of `each` ends, even if that fails.
    ///
    /// Deferred closures run in reverse order: the last one deferred runs first.
    ///
    /// # Example
    ///
    /// ```rhai
    /// defer(|| ui::note("done, one way or another"));
    /// ```
    #[rhai_fn(name = "defer", return_raw)]
    pub(crate) fn defer(ctx: NativeCallContext, f: FnPtr) -> RhaiResultOf<()> {
        here(&ctx)?.defers.lock().unwrap().push((f, ctx.global_runtime_state().clone()));
        Ok(())
    }

    /// Calls the closure. When it ends, rfab runs everything that it deferred.
    ///
    /// # Example
    ///
    /// ```rhai
    /// scope(|| {
    ///     defer(|| ui::note("second"));
    ///     ui::note("first");
    /// });
    /// ```
    #[rhai_fn(name = "scope", return_raw)]
    pub(crate) fn within(ctx: NativeCallContext, f: FnPtr) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let inner = Here { defers: Arc::default(), ..here };
        let mut global = ctx.global_runtime_state().clone();
        global.tag = Dynamic::from(inner.clone());
        let engine = ctx.engine();
        let within =
            NativeCallContext::new_with_all_fields(engine, "scope", ctx.fn_source(), &global, ctx.call_position());
        let result = f.call_within_context::<Dynamic>(&within, ());
        run_defers(&inner, result)
    }

    /// Runs the closure as a step with this name. The output and the history show the name.
    ///
    /// # Example
    ///
    /// ```rhai
    /// step("warm up", || targets().parallel(|host| host.run("bin/warm-up")));
    /// ```
    #[rhai_fn(name = "step", return_raw)]
    pub(crate) fn step(ctx: NativeCallContext, name: &str, f: FnPtr) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        if name.is_empty() || name.len() > 80 || name.chars().any(char::is_control) {
            let message = "a step's name has 1 to 80 characters, and no control characters";
            return Err(thrown(Failure::new(Cause::Fabfile, message)));
        }
        let host = here.lane.host.clone();
        let (lane, world) = (&here.lane, here.lane.world());
        let (began, step) = (world.now(lane), here.session.observed.names.told(name));
        lane.tell(EventKind::StepStarted { step: step.clone(), host: host.clone() });
        let result = f.call_within_context::<Dynamic>(&ctx, ());
        let took = world.now(lane).saturating_sub(began);
        let failed = result.as_ref().is_err_and(|e| failure_of(e).reason() != Reason::Killed);
        lane.tell(EventKind::StepFinished { step, host, took, failed });
        result
    }
}
