//! Primitives for the gate: what the fleet requires of a commit, and whether a run has passed.
use crate::{
    bookkeeping::PassGate,
    effect::Lane,
    failure::{Cause, Failure},
    fleet::{ForgeKind, Gate, TokenSource},
    script::{Here, RhaiResultOf, current_targets, failure_of, here, run_defers, thrown},
};
use rhai::{Dynamic, FnPtr, Map, NativeCallContext, plugin::*};
use std::sync::Arc;

/// Returns a gate as a script sees it.
fn map(gate: &Gate) -> Map {
    let forge = match gate.forge {
        ForgeKind::Github => "github",
        ForgeKind::Gitlab => "gitlab",
        ForgeKind::Gitea => "gitea",
    };
    let (how, place) = match &gate.token {
        TokenSource::Env(name) => ("env", name),
        TokenSource::File(path) => ("file", path),
        TokenSource::Command(words) => ("command", words),
    };
    let environment = gate.environment.clone().map_or(Dynamic::UNIT, Dynamic::from);
    let all: [(&str, Dynamic); 11] = [
        ("forge", forge.into()),
        ("project", gate.project.clone().into()),
        ("url", gate.url.clone().into()),
        ("kept", how.into()),
        ("place", place.clone().into()),
        ("branch", gate.branch.clone().into()),
        ("checks", gate.checks.into()),
        ("reviews", i64::from(gate.reviews).into()),
        ("pulls", gate.pulls.into()),
        ("within", (gate.within.as_secs().max(1) as i64).into()),
        ("environment", environment),
    ];
    all.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// Calls a closure in a lane that each attempt at the run does again.
fn of_attempt(ctx: &NativeCallContext, here: &Here, lane: Arc<Lane>, f: &FnPtr) -> RhaiResultOf<Dynamic> {
    let inner = Here { lane, defers: Arc::default(), ..here.clone() };
    let mut global = ctx.global_runtime_state().clone();
    global.tag = Dynamic::from(inner.clone());
    let (engine, at) = (ctx.engine(), ctx.call_position());
    let within = NativeCallContext::new_with_all_fields(engine, ctx.fn_name(), ctx.fn_source(), &global, at);
    let result = run_defers(&inner, f.call_within_context::<Dynamic>(&within, ()));
    here.lane.advance(inner.lane.clock());
    inner.lane.end(result.as_ref().err().map(|e| failure_of(e)).as_ref());
    result
}

#[export_module(manifest)]
pub mod forge {
    /// Returns the keys of `[gate]` of the targets' fleet as a map; `()` if the fleet has no gate.
    ///
    /// Instead of `token`, the map has `kept`, which is `env`, `file` or `command`, and `place`, which is what follows
    /// the colon. If the line has no targets, the result is `()`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let demanded = forge::demanded();
    /// if demanded != () { ui::note(`${demanded.project} must be green`); }
    /// ```
    #[rhai_fn(name = "demanded", return_raw)]
    pub(crate) fn demanded(ctx: NativeCallContext) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        if here.targets.lock().unwrap().is_none() {
            return Ok(Dynamic::UNIT);
        }
        let fleet = current_targets(&here)?.fleet;
        Ok(fleet.gate.as_ref().map_or(Dynamic::UNIT, |gate| super::map(gate).into()))
    }

    /// Asks the gate about a commit: calls the closure, and records that the commit passed.
    ///
    /// The closure fails if the branch's rules don't let the commit pass. If this run has already passed with the same
    /// commit, branch and fleet, rfab doesn't call the closure, so a resumed run doesn't ask again. With
    /// `--without-gate`, rfab doesn't call it either, but warns and records the reason.
    ///
    /// # Example
    ///
    /// ```rhai
    /// forge::once(git::resolve("stable").id, "main", || ui::note("the forge is asked here"));
    /// ```
    #[rhai_fn(name = "once", return_raw)]
    pub(crate) fn once(ctx: NativeCallContext, commit: &str, branch: &str, f: FnPtr) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let (run, without) = (&here.session.run, here.session.run.allowed.without_gate.clone());
        if let Some(why) = &without {
            let text = format!("rfab doesn't ask the gate whether this commit can be deployed: {why}");
            here.lane.tell(crate::event::EventKind::Warned { host: None, text });
        }
        let named = here.targets.lock().unwrap().is_some();
        let fleet = if named { current_targets(&here)?.fleet.name.clone() } else { "".into() };
        let rules = [commit.to_owned(), branch.to_owned(), fleet.to_string()];
        if without.is_none() && !run.passed.contains(&rules) && !here.session.observed.has_passed(&rules) {
            super::of_attempt(&ctx, &here, here.lane.of_attempt("gate"), &f).map(drop)?;
        } else {
            here.lane.of_attempt("gate");
        }
        here.perform(PassGate { commit: commit.into(), branch: branch.to_owned(), fleet, without })?;
        here.session.observed.passes(rules);
        Ok(())
    }

    /// Calls the closure for work that isn't part of the run, such as a report. Each attempt repeats it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// forge::aside(|| http::post("https://ci.example.org/builds", ()));
    /// ```
    #[rhai_fn(name = "aside", return_raw)]
    pub(crate) fn aside(ctx: NativeCallContext, f: FnPtr) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        super::of_attempt(&ctx, &here, here.lane.uncounted("aside"), &f)
    }

    /// Throws a failure with the cause `gate`, which means that nothing was changed.
    ///
    /// `why` tells what is wrong, and `help` tells what to do next.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if git::branches().len() > 1000 { forge::refuse("there are too many branches", "delete some"); }
    /// ```
    #[rhai_fn(name = "refuse", return_raw)]
    pub(crate) fn refuse(why: &str, help: &str) -> RhaiResultOf<()> {
        Err(thrown(Failure::new(Cause::Gate, why).help(help).unchanged()))
    }
}
