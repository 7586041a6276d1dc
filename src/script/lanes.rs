//! Closures on lanes of their own, and what they deferred.
use super::{Here, HostValue, RhaiResultOf, failure_of};
use crate::{effect::Lane, host::Host};
use rhai::{Dynamic, FnPtr, NativeCallContext, Position};
use std::sync::Arc;

/// A closure with its own lane and its own copies of what it captured; what it defers runs when it ends.
pub fn on_lane(
    ctx: &NativeCallContext,
    here: &Here,
    lane: Arc<Lane>,
    f: &FnPtr,
) -> impl Fn(Option<Host>) -> RhaiResultOf<Dynamic> + Send + Sync + use<> {
    let mut f = f.clone();
    f.iter_curry_mut().for_each(|captured| *captured = captured.flatten_clone());
    let mut global = ctx.global_runtime_state().clone();
    let here = Here { lane, defers: Arc::default(), ..here.clone() };
    global.tag = Dynamic::from(here.clone());
    let (source, pos) = (ctx.fn_source().map(str::to_owned), ctx.call_position());
    move |host| {
        let ctx = NativeCallContext::new_with_all_fields(&here.script.engine, "each", source.as_deref(), &global, pos);
        let result = match host {
            Some(host) => f.call_within_context(&ctx, (HostValue::from(host),)),
            None => f.call_within_context(&ctx, ()),
        };
        run_defers(&here, result)
    }
}

/// Runs what a lane deferred, last first, however the lane ended; the lane's own failure counts first.
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
