//! A commit built on this machine, for a release that is not the tree of its commit.
use super::git::CommitValue;
use crate::{
    failure::{Failure, Reason},
    fan,
    git::app,
    host::Host,
    ledger::ReadLedger,
    model::Release,
    release::{ANOTHER, CheckOut, Home, PackBuilt, ReadBuilt, ReadManifest, Sweep, Wanted},
    script::{Here, RhaiResultOf, Targets, current_targets, failure_of, run_defers, thrown},
};
use rhai::{Dynamic, FnPtr, NativeCallContext};
use std::sync::Arc;

/// Builds a commit here unless that was done, or every target has what came of it; what it does belongs to the attempt.
pub fn build(
    ctx: &NativeCallContext,
    here: &Here,
    commit: CommitValue,
    part: &str,
    f: &FnPtr,
) -> RhaiResultOf<CommitValue> {
    let targets = current_targets(here)?;
    let inner = Here { lane: here.lane.of_attempt("build"), defers: Arc::default(), ..here.clone() };
    let app = app(&targets.fleet).map_err(thrown)?;
    let (repository, linked) = (app.repository.clone(), app.linked.clone());
    let of = Wanted { repository, commit: commit.commit.to_string(), part: part.to_owned(), linked };
    let made = made(ctx, &inner, &targets, of, f);
    here.lane.advance(inner.lane.clock());
    inner.lane.end(made.as_ref().err().map(|e| failure_of(e)).as_ref());
    let (made, anew) = made?;
    Ok(CommitValue { made: Some(made), anew, ..commit })
}

/// The digest of the build's manifest, and whether it needs a number of its own.
fn made(
    ctx: &NativeCallContext,
    here: &Here,
    targets: &Targets,
    of: Wanted,
    f: &FnPtr,
) -> RhaiResultOf<(String, bool)> {
    let force = here.session.run.force;
    let there = there(here, targets, &of.commit)?;
    let everywhere = targets.hosts.iter().all(|host| there.iter().any(|(other, _)| other == host));
    if let (Some((_, first)), false) = (there.first(), force)
        && everywhere
        && there.iter().all(|(_, manifest)| manifest == first)
    {
        return Ok((first.clone(), false));
    }
    let manifest = match here.perform(ReadBuilt { of: of.clone(), own: force })? {
        Some(manifest) => manifest,
        None => built(ctx, here, of.clone(), f)?,
    };
    let anew = differs(&there, &manifest, force)?;
    Ok((manifest, anew))
}

/// Whether hosts have that release made from something else; refused unless that is forced.
pub fn differs(there: &[(Host, String)], manifest: &str, force: bool) -> RhaiResultOf<bool> {
    let others: Vec<&str> = there.iter().filter(|(_, other)| other != manifest).map(|(host, _)| &*host.name).collect();
    if others.is_empty() || force {
        return Ok(!others.is_empty());
    }
    let message = format!("this commit's release was made from something else on {}", others.join(", "));
    Err(thrown(Failure::new(Reason::Failed, message).help(ANOTHER)))
}

/// What the fleet's hosts have of a commit under its number; of nobody if it has none yet.
pub fn there(here: &Here, targets: &Targets, commit: &str) -> RhaiResultOf<Vec<(Host, String)>> {
    let fleet = targets.fleet.clone();
    let Some(number) = here.perform(ReadLedger { fleet: fleet.clone() })?.number_of(commit) else {
        return Ok(Vec::new());
    };
    let release = Release { number, commit: commit.into() };
    let excluded = here.excluded(&fleet);
    let hosts: Vec<Host> = fleet.hosts.iter().filter(|host| !excluded.contains(host)).cloned().collect();
    let read = fan::over(here, &hosts, move |lane, host| {
        let home = Home::of(&fleet, host)?;
        lane.perform(ReadManifest { host: host.clone(), release: release.clone(), home })
    });
    let mut there = Vec::new();
    for (host, manifest) in hosts.into_iter().zip(read) {
        there.extend(manifest.map_err(thrown)?.map(|manifest| (host, manifest)));
    }
    Ok(there)
}

/// Calls the closure with a clean checkout, which is gone afterwards however that ended.
fn built(ctx: &NativeCallContext, here: &Here, of: Wanted, f: &FnPtr) -> RhaiResultOf<String> {
    let (repository, commit) = (of.repository.clone(), of.commit.clone());
    let folder = here.perform(CheckOut { repository: repository.clone(), commit })?;
    let mut global = ctx.global_runtime_state().clone();
    global.tag = Dynamic::from(here.clone());
    let within =
        NativeCallContext::new_with_all_fields(ctx.engine(), "build", ctx.fn_source(), &global, ctx.call_position());
    let result = run_defers(here, f.call_within_context::<Dynamic>(&within, (folder.clone(),)));
    let packed = result.and_then(|_| here.perform(PackBuilt { of, folder: folder.clone() }));
    let swept = here.lane.deferred().perform(Sweep { repository, folder }).map_err(thrown);
    packed.and_then(|manifest| swept.map(|()| manifest))
}
