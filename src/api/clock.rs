//! Primitives about time.
use super::duration::duration;
use crate::{
    duration::{age, limit},
    failure::{Cause, Failure},
    script::{RhaiResultOf, failure_of, here, thrown},
    ui::{Confirm, Now, Pause, Pausing, Wait},
};
use rhai::{Dynamic, FnPtr, NativeCallContext, plugin::*};
use std::time::Duration;

#[export_module(manifest)]
pub mod clock {
    /// Returns the current time, in seconds since 1970.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let now = clock::now();
    /// ```
    #[rhai_fn(name = "now", return_raw)]
    pub(crate) fn now(ctx: NativeCallContext) -> RhaiResultOf<i64> {
        here(&ctx)?.perform(Now)
    }

    /// Returns how long ago a time was, in words.
    ///
    /// The time is a string as in the ledger, or a number of seconds since 1970.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let age = clock::ago("2026-11-23T10:00:00Z");
    /// ```
    #[rhai_fn(name = "ago", return_raw)]
    pub(crate) fn ago(ctx: NativeCallContext, time: Dynamic) -> RhaiResultOf<String> {
        let then = match time.as_int() {
            Ok(seconds) => seconds,
            Err(_) => time.to_string().parse::<jiff::Timestamp>().map(|t| t.as_second()).map_err(|_| {
                let failure = Failure::new(Cause::Fabfile, format!("`{time}` isn't a time"));
                thrown(failure.help("write seconds since 1970, or a string such as `2026-11-23T10:00:00Z`"))
            })?,
        };
        Ok(age(here(&ctx)?.perform(Now)? - then))
    }

    /// Waits for a duration: a string such as `"10s"`, or a number of seconds.
    ///
    /// # Example
    ///
    /// ```rhai
    /// clock::wait("2s");
    /// ```
    #[rhai_fn(name = "wait", return_raw)]
    pub(crate) fn wait(ctx: NativeCallContext, time: Dynamic) -> RhaiResultOf<()> {
        let time = duration(&time)?.as_millis() as u64;
        here(&ctx)?.perform(Wait { time })
    }

    /// Returns whether `--pause` asks for a pause between groups.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if clock::pausing() { ui::note("there will be a pause"); }
    /// ```
    #[rhai_fn(name = "pausing", return_raw)]
    pub(crate) fn pausing(ctx: NativeCallContext) -> RhaiResultOf<bool> {
        Ok(here(&ctx)?.session.run.allowed.pause.is_some())
    }

    /// Pauses as `--pause` asks: for a time, or until a person answers yes. Any other answer stops the run.
    ///
    /// Without `--pause`, it doesn't wait. `after` names what the run did before the pause.
    ///
    /// # Example
    ///
    /// ```rhai
    /// clock::pause("group1");
    /// ```
    #[rhai_fn(name = "pause", return_raw)]
    pub(crate) fn pause(ctx: NativeCallContext, after: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        match here.session.run.allowed.pause {
            None => Ok(()),
            Some(Pausing::For(time)) => here.perform(Pause { after: after.to_owned(), time }),
            Some(Pausing::Ask) => {
                let question = format!("{after} is done and healthy. Continue?");
                if here.perform(Confirm { question, given: false })? {
                    return Ok(());
                }
                let failure = Failure::failed(format!("nobody confirmed continuing after {after}"));
                Err(thrown(failure.help("no step is half done; `--resume` asks again")))
            }
        }
    }

    /// Calls the closure until it succeeds, at most `times` times. It waits for `wait` between two calls.
    ///
    /// # Example
    ///
    /// ```rhai
    /// clock::retry(3, "1s", || host.capture("bin/ping"));
    /// ```
    #[rhai_fn(name = "retry", return_raw)]
    pub(crate) fn retry(ctx: NativeCallContext, times: i64, wait: Dynamic, f: FnPtr) -> RhaiResultOf<Dynamic> {
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

    /// Calls the closure at intervals of `every` until it returns `true`. It fails if that takes longer than `within`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.write("/tmp/ready", "yes");
    /// clock::deadline("30s", "1s", || host.exists("/tmp/ready"));
    /// ```
    #[rhai_fn(name = "deadline", return_raw)]
    pub(crate) fn deadline(ctx: NativeCallContext, within: Dynamic, every: Dynamic, f: FnPtr) -> RhaiResultOf<()> {
        let (within, every) = (duration(&within)?.as_millis() as u64, duration(&every)?.as_millis() as u64);
        let lane = here(&ctx)?.lane.clone();
        let began = lane.world().now(&lane);
        loop {
            if f.call_within_context::<bool>(&ctx, ())? {
                return Ok(());
            }
            if lane.world().now(&lane).saturating_sub(began) >= within {
                let within = limit(Duration::from_millis(within));
                return Err(thrown(Failure::failed(format!("the condition didn't become true within {within}"))));
            }
            here(&ctx)?.perform(Wait { time: every.max(10) })?;
        }
    }
}
