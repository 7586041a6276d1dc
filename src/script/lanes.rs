//! Closures on separate lanes, and what they deferred.
use super::{Here, HostValue, RhaiResultOf, failure_of};
use crate::{effect::Lane, host::Host};
use rhai::{Dynamic, FnPtr, GlobalRuntimeState, NativeCallContext, Position};
use std::sync::Arc;

/// A closure that is called on separate lanes.
pub struct OnLanes {
    f: FnPtr,
    here: Here,
    global: GlobalRuntimeState,
    source: Option<String>,
    pos: Position,
}

impl OnLanes {
    pub fn of(ctx: &NativeCallContext, here: &Here, f: &FnPtr) -> Self {
        Self {
            f: f.clone(),
            here: here.clone(),
            global: ctx.global_runtime_state().clone(),
            source: ctx.fn_source().map(str::to_owned),
            pos: ctx.call_position(),
        }
    }

    /// Calls the closure with a host, on a lane with copies of the captured values; then runs what it deferred.
    ///
    /// The copies are made here, so that of thousands of lanes only the running ones hold any.
    pub fn call(&self, lane: Arc<Lane>, host: Host) -> RhaiResultOf<Dynamic> {
        let mut f = self.f.clone();
        f.iter_curry_mut().for_each(|captured| *captured = captured.flatten_clone());
        let here = Here { lane, defers: Arc::default(), ..self.here.clone() };
        let mut global = self.global.clone();
        global.tag = Dynamic::from(here.clone());
        let engine = &here.script.engine;
        let ctx = NativeCallContext::new_with_all_fields(engine, "each", self.source.as_deref(), &global, self.pos);
        let result = f.call_within_context(&ctx, (HostValue::from(host),));
        run_defers(&here, result)
    }
}

/// Runs what a lane deferred, last first, however the lane ended; the lane's own failure takes precedence.
pub fn run_defers(here: &Here, result: RhaiResultOf<Dynamic>) -> RhaiResultOf<Dynamic> {
    let defers = std::mem::take(&mut *here.defers.lock().unwrap());
    if defers.is_empty() {
        return result;
    }
    let well = result.is_ok();
    let after = here.deferred(well);
    let tag = Dynamic::from(after.clone());
    let result = defers.into_iter().rev().fold(result, |result, (f, mut global)| {
        global.tag = tag.clone();
        let engine = &here.script.engine;
        let ctx = NativeCallContext::new_with_all_fields(engine, "defer", None, &global, Position::NONE);
        let ended = f.call_within_context::<Dynamic>(&ctx, ());
        result.and_then(|value| ended.map(|_| value))
    });
    if well {
        after.lane.end(result.as_ref().err().map(|e| failure_of(e)).as_ref());
    }
    here.lane.advance(after.lane.clock());
    result
}
