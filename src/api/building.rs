//! Releases that aren't the tree of their commit: they come from a build on this machine or from an archive.
use super::{git::CommitValue, options::options};
use crate::{
    bookkeeping::{Consult, NumberOf},
    control::shown,
    failure::{Cause, Failure},
    fan_out,
    fleet::Accept,
    git::app,
    host::Host,
    model::Release,
    release::{ANOTHER, BuildRequest, CheckOut, Home, PackBuilt, ReadBuilt, ReadManifest, Sweep, TakeArchive},
    script::{Here, RhaiResultOf, Targets, current_targets, failure_of, run_defers, thrown},
};
use rhai::{Dynamic, FnPtr, Map, NativeCallContext};
use serde::Deserialize;
use std::sync::Arc;

/// Builds a commit here, unless that was done or every target has the result; its effects belong to the attempt.
pub(super) fn build(
    ctx: &NativeCallContext,
    here: &Here,
    commit: CommitValue,
    part: &str,
    f: &FnPtr,
) -> RhaiResultOf<CommitValue> {
    let targets = current_targets(here)?;
    let inner = Here { lane: here.lane.of_attempt("build"), defers: Arc::default(), ..here.clone() };
    let app = app(&targets.fleet).map_err(thrown)?;
    let (repository, rules) = (app.repository.clone(), app.rules.clone());
    let of = BuildRequest { repository, commit: commit.commit.to_string(), part: part.to_owned(), rules };
    let made = made(ctx, &inner, &targets, of, f);
    here.lane.advance(inner.lane.clock());
    inner.lane.end(made.as_ref().err().map(|e| failure_of(e)).as_ref());
    let (made, renumbered) = made?;
    Ok(CommitValue { built: Some(made), renumbered, ..commit })
}

/// The options of an archive.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ArchivePart {
    version: Option<String>,
    part: String,
}

impl Default for ArchivePart {
    fn default() -> Self {
        Self { version: None, part: ".".to_owned() }
    }
}

/// Checks an archive and returns the commit with the archive in place of its tree.
pub(super) fn archive(here: &Here, file: &str, sha256: &str, mut how: Map) -> RhaiResultOf<CommitValue> {
    let targets = current_targets(here)?;
    let wrong = |message: String, help: &str| thrown(Failure::new(Cause::Fabfile, message).help(help));
    let sha256 = sha256.to_ascii_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong(format!("`{}` isn't a sha256", shown(&sha256)), "it has 64 hexadecimal digits"));
    }
    let of = match how.remove("commit") {
        None => None,
        Some(commit) => Some(commit.try_cast::<CommitValue>().ok_or_else(|| {
            wrong("the `commit` of an archive isn't a commit".to_owned(), "write `commit: release::resolve(reference)`")
        })?),
    };
    let ArchivePart { version, part } = options(how)?;
    if of.is_none() && !targets.fleet.accept.contains(&Accept::Archive) {
        let message = format!("fleet `{}` doesn't accept an archive without a commit", targets.fleet.name);
        let help = "name its commit with `commit`, or add \"archive\" to `accept` in the fleet file";
        return Err(thrown(Failure::refused(message).help(help)));
    }
    let named = || version.clone().unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file).to_owned());
    let of = of.unwrap_or_else(|| CommitValue::of(sha256[..40].into(), named(), version.clone()));
    let of = of.called(version.into_iter().chain([sha256.clone()]));
    let app = app(&targets.fleet).map_err(thrown)?;
    let (repository, linked) = (app.repository.clone(), app.rules.linked.clone());
    let file = here.script.below(file).map_err(thrown)?.display().to_string();
    let inner = Here { lane: here.lane.of_attempt("archive"), defers: Arc::default(), ..here.clone() };
    let taken = inner.perform(TakeArchive { repository, file, sha256, commit: of.commit.clone(), part, linked });
    let checked = taken.and_then(|manifest| {
        let renumbered = differs(&there(&inner, &targets, &of.commit)?, &manifest, here.session.run.allowed.force)?;
        Ok(CommitValue { built: Some(manifest), renumbered, content: None, ..of })
    });
    here.lane.advance(inner.lane.clock());
    inner.lane.end(checked.as_ref().err().map(|e| failure_of(e)).as_ref());
    checked
}

/// Returns the digest of the build's manifest, and whether the release needs a new number.
fn made(
    ctx: &NativeCallContext,
    here: &Here,
    targets: &Targets,
    of: BuildRequest,
    f: &FnPtr,
) -> RhaiResultOf<(String, bool)> {
    let force = here.session.run.allowed.force;
    let there = there(here, targets, &of.commit)?;
    let mut wanted = targets.hosts.iter().filter(|host| targets.fleet.releases_to(host));
    let everywhere = wanted.all(|host| there.iter().any(|(other, _)| other == host));
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
    let renumbered = differs(&there, &manifest, force)?;
    Ok((manifest, renumbered))
}

/// Returns whether a host made this release from something else, which is refused without `force`.
pub(super) fn differs(there: &[(Host, String)], manifest: &str, force: bool) -> RhaiResultOf<bool> {
    let others: Vec<&str> = there.iter().filter(|(_, other)| other != manifest).map(|(host, _)| &*host.name).collect();
    if others.is_empty() || force {
        return Ok(!others.is_empty());
    }
    let message = format!("this commit's release has different contents on {}", others.join(", "));
    Err(thrown(Failure::new(Cause::Failed, message).help(ANOTHER).unchanged()))
}

/// Returns the manifests that hosts of the fleet have for a commit under its number; none if it has no number yet.
pub(super) fn there(here: &Here, targets: &Targets, commit: &str) -> RhaiResultOf<Vec<(Host, String)>> {
    let fleet = targets.fleet.clone();
    let Some(number) = here.perform(Consult { fleet: fleet.clone(), question: NumberOf { commit: commit.into() } })?
    else {
        return Ok(Vec::new());
    };
    let release = Release { number, commit: commit.into() };
    let excluded = here.excluded(&fleet);
    let wanted = |host: &&Host| fleet.releases_to(host) && !excluded.contains(host);
    let hosts: Vec<Host> = fleet.hosts.iter().filter(wanted).cloned().collect();
    let read = fan_out::over(here, &hosts, move |lane, host| {
        let home = Home::of(&fleet, host)?;
        lane.perform(ReadManifest { host: host.clone(), release: release.clone(), home })
    });
    let mut there = Vec::new();
    for (host, manifest) in hosts.into_iter().zip(read) {
        there.extend(manifest.map_err(thrown)?.map(|manifest| (host, manifest)));
    }
    Ok(there)
}

/// Calls the closure with a clean checkout, which is removed afterwards even if the closure fails.
fn built(ctx: &NativeCallContext, here: &Here, of: BuildRequest, f: &FnPtr) -> RhaiResultOf<String> {
    let (repository, commit, rules) = (of.repository.clone(), of.commit.clone(), of.rules.clone());
    let folder = here.perform(CheckOut { repository: repository.clone(), commit, rules })?;
    let mut global = ctx.global_runtime_state().clone();
    global.tag = Dynamic::from(here.clone());
    let within =
        NativeCallContext::new_with_all_fields(ctx.engine(), "build", ctx.fn_source(), &global, ctx.call_position());
    let result = run_defers(here, f.call_within_context::<Dynamic>(&within, (folder.clone(),)));
    let packed = result.and_then(|_| here.perform(PackBuilt { of, folder: folder.clone() }));
    let swept = here.lane.deferred().perform(Sweep { repository, folder }).map_err(thrown);
    packed.and_then(|manifest| swept.map(|()| manifest))
}
