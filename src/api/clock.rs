//! Time.
use super::duration;
use crate::{
    failure::Failure,
    script::{RhaiResultOf, failure_of, here, thrown},
    ui::{Now, Wait},
};
use rhai::{Dynamic, FnPtr, NativeCallContext, plugin::*};

#[export_module(manifest)]
pub mod clock {
    /// Seconds since 1970.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let now = clock::now();
    /// ```
    #[rhai_fn(name = "now", return_raw)]
    pub fn now(ctx: NativeCallContext) -> RhaiResultOf<i64> {
        here(&ctx)?.perform(Now)
    }

    /// Waits that long: a text such as `"10s"`, or seconds.
    ///
    /// # Example
    ///
    /// ```rhai
    /// clock::wait("2s");
    /// ```
    #[rhai_fn(name = "wait", return_raw)]
    pub fn wait(ctx: NativeCallContext, time: Dynamic) -> RhaiResultOf<()> {
        let time = duration(&time)?.as_millis() as u64;
        here(&ctx)?.perform(Wait { time })
    }

    /// Calls the closure until it does not fail, at most so many times, waiting in between.
    ///
    /// # Example
    ///
    /// ```rhai
    /// clock::retry(3, "1s", || host.capture("bin/ping"));
    /// ```
    #[rhai_fn(name = "retry", return_raw)]
    pub fn retry(ctx: NativeCallContext, times: i64, wait: Dynamic, f: FnPtr) -> RhaiResultOf<Dynamic> {
        let time = duration(&wait)?.as_millis() as u64;
        let mut tried = 0;
        loop {
            tried += 1;
            match f.call_within_context::<Dynamic>(&ctx, ()) {
                Err(e) if tried < times && failure_of(&e).catchable() => here(&ctx)?.perform(Wait { time })?,
                ended => return ended,
            }
        }
    }

    /// Calls the closure until it says true, every `every`; a failure if it has not within `within`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.write("/tmp/ready", "yes");
    /// clock::deadline("30s", "1s", || host.exists("/tmp/ready"));
    /// ```
    #[rhai_fn(name = "deadline", return_raw)]
    pub fn deadline(ctx: NativeCallContext, within: Dynamic, every: Dynamic, f: FnPtr) -> RhaiResultOf<()> {
        let (within, every) = (duration(&within)?.as_millis() as u64, duration(&every)?.as_millis() as u64);
        let lane = here(&ctx)?.lane.clone();
        let began = lane.world().now(&lane);
        loop {
            if f.call_within_context::<bool>(&ctx, ())? {
                return Ok(());
            }
            if lane.world().now(&lane).saturating_sub(began) >= within {
                return Err(thrown(Failure::failed(format!(
                    "it did not come true within {} s",
                    within as f64 / 1000.0
                ))));
            }
            here(&ctx)?.perform(Wait { time: every.max(10) })?;
        }
    }
}
