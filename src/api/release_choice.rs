//! What comes before a release: which commit is meant, which ones were good, and whether a host can take it.
use super::{HostValue, git::CommitValue, release_value::ReleaseValue};
use crate::{
    balancer::ReadBalance,
    bookkeeping::{CalledCommit, Consult, Histories, ReleasedAs, Releasing},
    event::{EventKind, PoolState},
    failure::{Cause, Failure},
    fan_out,
    git::{ReadDate, ReferenceKind, Resolve, app},
    host::Host,
    ledger::{Book, LedgerLine, Phase, reserved},
    model::Commit,
    release::{
        CheckTree, Home, Listing, Preflight, PreflightProblems, ReadContent, ReadReleases, RecordNumber, Share, shared,
    },
    script::{
        Here, RhaiResultOf, Targets, current_targets, failure_of, has_secret, owned_well, refuse_stars, revealed,
        thrown,
    },
};
use rhai::{Dynamic, Map};

/// Returns the commit that a reference means, or that of the release in progress.
pub(super) fn resolved(here: &Here, reference: &str) -> RhaiResultOf<CommitValue> {
    let targets = current_targets(here)?;
    let observed = here.session.observed.clone();
    let fleet = targets.fleet.clone();
    let resolved = match observed.resolved(&fleet.name, reference) {
        Some(known) => known,
        None => here.perform(Resolve::of(&fleet, reference).map_err(thrown)?)?,
    };
    let in_full = matches!(resolved.kind, ReferenceKind::Tag)
        || (resolved.kind == ReferenceKind::Commit && reference.len() == resolved.commit.len());
    // If hosts take requests while rfab deploys to them, no release is in progress and none was rolled back.
    let book = if in_full || fleet.deploy_live {
        None
    } else {
        let question = Releasing { commit: resolved.commit.as_str().into() };
        Some(here.perform(Consult { fleet: fleet.clone(), question })?)
    };
    let kept = book.as_ref().map_or(Ok(None), |book| in_progress(here, &targets, book))?;
    // The release in progress may be that of another commit with the same files.
    let other = |kept: &CommitValue| *kept.commit != *resolved.commit && !kept.names.contains(&resolved.commit);
    if let Some(kept) = kept.filter(other) {
        let repository = app(&targets.fleet).map_err(thrown)?.repository.clone();
        if here.perform(ReadDate { repository, commit: kept.commit.clone() })?.is_none() {
            let message = format!("a release of `{}` is in progress, but the repository has no such commit", kept.name);
            let help = "continue that release the way it began, or release something else: type a tag or all \
                        digits of a commit";
            return Err(thrown(Failure::refused(message).help(help)));
        }
        let (was, is) = (&kept.commit[..12], &resolved.commit[..12]);
        let text = format!(
            "{reference} moved from {was} to {is} since the release began: rfab uses {was} (to get {is} \
             instead, type it in full, or type its tag)"
        );
        here.lane.tell(EventKind::Warned { host: here.lane.host.clone(), text });
        let commit = kept.commit.to_string();
        let kept = crate::git::Resolved { commit, name: kept.name, tag: kept.tag, tags: kept.names, ..resolved };
        observed.resolve(&fleet.name, reference, &kept);
        return Ok(CommitValue { loose: true, ..kept.into() });
    }
    if let Some(line) = book.as_ref().and_then(|book| book.withdrawn(&resolved.commit)) {
        let is = called(&resolved.commit, observed.names.of(&resolved.commit));
        return Err(thrown(rolled_back(&format!("`{reference}` is {is}, which"), line)));
    }
    observed.resolve(&fleet.name, reference, &resolved);
    Ok(CommitValue { loose: book.is_some(), ..resolved.into() })
}

/// Reads what a commit's release is made from, if the app is a folder of its repository.
fn content(here: &Here, targets: &Targets, commit: &Commit) -> RhaiResultOf<Option<String>> {
    let app = app(&targets.fleet).map_err(thrown)?;
    if app.rules.tree.is_none() {
        return Ok(None);
    }
    let (repository, rules) = (app.repository.clone(), app.rules.clone());
    here.perform(ReadContent { repository, commit: commit.clone(), rules })
}

/// Returns the commit that the fleet has released with the same files, under the name of the one that is asked for.
pub(super) fn alike(here: &Here, commit: CommitValue) -> RhaiResultOf<CommitValue> {
    let targets = current_targets(here)?;
    if commit.built.is_some() {
        return Ok(commit);
    }
    let Some(content) = content(here, &targets, &commit.commit)? else { return Ok(commit) };
    let commit = CommitValue { content: Some(content.clone()), ..commit };
    if here.session.run.allowed.force {
        return Ok(commit);
    }
    let question = ReleasedAs { content };
    let found = here.perform(Consult { fleet: targets.fleet.clone(), question })?;
    let Some(found) = found.filter(|found| found.commit != commit.commit) else { return Ok(commit) };
    let (other, asked) = (found.commit, commit.commit.clone());
    if commit.loose {
        let question = Releasing { commit: other.clone() };
        let book = here.perform(Consult { fleet: targets.fleet.clone(), question })?;
        if let Some(line) = book.withdrawn(&other) {
            let (is, was) = (called(&asked, Some(commit.name)), called(&other, here.session.observed.names.of(&other)));
            return Err(thrown(rolled_back(&format!("{is} has the same files as {was}, which"), line)));
        }
    }
    let digits = asked.to_string();
    let renamed = found.name.as_ref() != Some(&commit.name) && !digits.starts_with(&commit.name);
    let unsaid = renamed || !found.names.contains(&digits);
    here.session.observed.names.learn(&other, commit.tag.as_ref().unwrap_or(&commit.name));
    Ok(CommitValue { commit: other, asked: Some(asked), unsaid, ..commit }.called(found.names).called([digits]))
}

/// Returns a commit's name with its first digits, or the digits alone.
fn called(commit: &str, name: Option<String>) -> String {
    let short = &commit[..commit.len().min(12)];
    name.map_or(short.to_owned(), |name| format!("{name} ({short})"))
}

/// Returns the refusal of what was rolled back: only its tag or all of its digits deploy it again.
fn rolled_back(what: &str, line: &LedgerLine) -> Failure {
    let message = format!("{what} was rolled back by {} from {} at {}", line.who, line.from, line.at);
    Failure::refused(message).unchanged().help("to deploy it anyway, type its tag or all of its digits")
}

/// Returns, by the ledger, the commits on which each host was well.
pub(super) fn good(here: &Here, targets: &Targets) -> RhaiResultOf<Map> {
    let question = Histories { hosts: targets.hosts.iter().map(|host| host.name.clone()).collect() };
    let good = here.perform(Consult { fleet: targets.fleet.clone(), question })?;
    let value = |CalledCommit { commit, name, names, content }: CalledCommit| {
        let shown = name.clone().unwrap_or_else(|| commit[..commit.len().min(12)].to_owned());
        Dynamic::from(CommitValue { names, content, ..CommitValue::of(commit, shown, name) })
    };
    let commits: Vec<Dynamic> = good.commits.into_iter().map(value).collect();
    let of = |places: Vec<usize>| -> rhai::Array { places.iter().filter_map(|at| commits.get(*at).cloned()).collect() };
    Ok(good.hosts.into_iter().map(|(host, places)| ((&*host).into(), of(places).into())).collect())
}

/// Returns the commit that a release over the fleet's groups has reached only in part: the newest in the ledger, which
/// a live host serves without failing on it and another host of a pool doesn't have yet.
fn in_progress(here: &Here, targets: &Targets, book: &Book) -> RhaiResultOf<Option<CommitValue>> {
    let fleet = &targets.fleet;
    if fleet.balancers.is_empty() {
        return Ok(None);
    }
    let Some(newest) = book.newest() else { return Ok(None) };
    let Some(commit) = newest.commit.clone() else { return Ok(None) };
    let balance = here.perform(ReadBalance::lately(fleet.clone()))?;
    let (mut counted, excluded) = (Vec::new(), here.excluded(fleet));
    let pooled = |h: &&crate::host::Host| {
        fleet.releases_to(h) && !crate::balancer::places(fleet, h).is_empty() && !excluded.contains(h)
    };
    for host in fleet.hosts.iter().filter(pooled) {
        let out = balance.standing(fleet, host).map_err(thrown)? == PoolState::Out;
        if !out || here.session.run.may_end(book, &host.name) {
            counted.push((host.clone(), out));
        }
    }
    let hosts: Vec<_> = counted.iter().map(|(host, _)| host.clone()).collect();
    let of = fleet.clone();
    let listings = fan_out::over(here, &hosts, move |lane, host| lane.perform(ReadReleases::of(&of, host)?));
    let (mut live_has_it, mut another_has_not) = (false, false);
    for (listing, (host, out)) in listings.into_iter().zip(counted) {
        let has = listing.map_err(thrown)?.current.is_some_and(|r| r.is_of(&commit));
        live_has_it |= has && !out && !book.is_bad(&host.name, &commit);
        another_has_not |= !has;
    }
    let name = newest.reason.clone().unwrap_or_else(|| commit.to_string());
    let names = book.names_of(&commit);
    let kept = || CommitValue { names, ..CommitValue::of(commit, name.clone(), Some(name)) };
    Ok((live_has_it && another_has_not).then(kept))
}

/// Says how to make the app's folders: a line that works in this fabfile, or what the fabfile lacks for one.
fn folders(here: &Here) -> String {
    let mut functions = here.script.ast.iter_functions();
    let task = functions.any(|function| function.name == "setup" && function.params.is_empty());
    let line = format!("{} setup", here.session.run.naming);
    let line = format!("`rfab {}`", line.trim_start());
    if task {
        format!("{line} makes the app's folders")
    } else {
        format!(
            "this fabfile has no task that makes the app's folders: add\n\
             fn setup() {{ targets().parallel(|host| release::set_up(host)); }}\nand type {line}"
        )
    }
}

/// Fails with everything that keeps rfab from staging a release on a host.
pub(super) fn looked_at(here: &Here, host: HostValue, commit: Option<Commit>) -> RhaiResultOf<()> {
    let host = host.0.host;
    let fleet = here.fleet_of(&host);
    let look = Preflight::of(&fleet, &host).map_err(thrown)?;
    let path = look.home.path.clone();
    let PreflightProblems { mut problems, files } = here.perform(Preflight { commit, ..look })?;
    let help = files.first().map_or_else(
        || folders(here),
        |file| {
            format!(
                "let a task make it with `release::share(host, \"{file}\", …)`, or make it by hand: \
                 `scp FILE {host}:{path}/shared/{file}`"
            )
        },
    );
    problems.extend(files.iter().map(|file| format!("`shared/{file}` is missing, but `linked` lists it")));
    if problems.is_empty() {
        return here.perform(ReadReleases::of(&fleet, &host).map_err(thrown)?).map(drop);
    }
    Err(thrown(Failure::failed(problems.join("; ")).on(&host.name).help(help).unchanged()))
}

/// Writes a text into a host's shared files, unless the file exists; `secret` says that one of its values was one.
pub(super) fn shares(here: &Here, host: HostValue, path: &str, text: &str, secret: bool) -> RhaiResultOf<bool> {
    let (host, mode) = (host.0.host, host.0.mode);
    let home = Home::of(&here.fleet_of(&host), &host).map_err(thrown)?;
    shared(&home, path).map_err(thrown)?;
    refuse_stars(here.lane.masks(), text).map_err(thrown)?;
    let secret = secret || here.lane.masks().stands_in(text);
    here.perform(Share { host, home, path: path.to_owned(), text: text.into(), secret, mode })
}

/// Writes a filled template into a host's shared files, unless the file exists.
pub(super) fn shares_filled(here: &Here, host: HostValue, path: &str, from: &str, values: Map) -> RhaiResultOf<bool> {
    let from = here.script.below(from).map_err(thrown)?;
    owned_well(&from).map_err(thrown)?;
    let secret = has_secret(&values);
    let text = crate::template::fill(&from, &host.0.host, &revealed(values.into())).map_err(thrown)?;
    shares(here, host, path, &text, secret)
}

/// Refuses a name that rfab uses for its own marks.
pub(super) fn own_name(name: &str) -> RhaiResultOf<()> {
    if reserved(name) {
        Err(thrown(Failure::refused(format!("rfab reserves the name `{name}`")).help("choose another name")))
    } else {
        Ok(())
    }
}

/// Warns about folders that are named like releases but aren't: their numbers don't count.
fn tell_strange(here: &Here, host: &crate::host::Host, names: &[String]) {
    if !names.is_empty() {
        let text =
            format!("`releases/{}` isn't an rfab release, so rfab ignores its number", names.join("`, `releases/"));
        here.lane.tell(EventKind::Warned { host: Some(host.name.clone()), text });
    }
}

/// Checks the tree of a commit that some of the targets lack, once in a run, and warns of files that are encrypted.
pub(super) fn checked(here: &Here, targets: &Targets, commit: &CommitValue) -> RhaiResultOf<()> {
    let (observed, fleet) = (&here.session.observed, &targets.fleet);
    let has =
        |host: &crate::host::Host| observed.listing(host).is_some_and(|listing| listing.of(&commit.commit).is_some());
    let mut wanted = targets.hosts.iter().filter(|host| fleet.releases_to(host));
    if commit.built.is_some() || wanted.all(has) || !observed.first_check(&fleet.name, &commit.commit) {
        return Ok(());
    }
    let app = app(fleet).map_err(thrown)?;
    let (repository, rules) = (app.repository.clone(), app.rules.clone());
    let inner = Here { lane: here.lane.uncounted("check"), ..here.clone() };
    let found =
        inner.perform(CheckTree { repository, commit: commit.commit.clone(), rules, fleet: fleet.name.clone() });
    here.lane.advance(inner.lane.clock());
    inner.lane.end(found.as_ref().err().map(|e| failure_of(e)).as_ref());
    if let Some(text) = found? {
        here.lane.tell(EventKind::Warned { host: None, text });
    }
    Ok(())
}

/// Returns the releases of each host. Those that the run hasn't read are read in parallel.
fn listings(here: &Here, targets: &Targets, hosts: &[Host]) -> Vec<Result<Listing, Failure>> {
    let known: Vec<_> = hosts.iter().map(|host| here.session.observed.listing(host)).collect();
    let unread: Vec<Host> =
        hosts.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(host, _)| host.clone()).collect();
    let fleet = targets.fleet.clone();
    let mut read = match unread.len() {
        0 => Vec::new(),
        hosts => {
            let read = fan_out::over(here, &unread, move |lane, host| lane.perform(ReadReleases::of(&fleet, host)?));
            // They were once read one after the other. Together, they take a single number.
            here.lane.leave_out(hosts - 1);
            read
        }
    }
    .into_iter();
    let listing = |known: Option<Listing>| known.map_or_else(|| read.next().expect("one for each unread host"), Ok);
    known.into_iter().map(listing).collect()
}

/// Gives a commit its number in the fleet, after reading the releases of the targets that get the app.
pub(super) fn numbered(here: &Here, commit: CommitValue) -> RhaiResultOf<ReleaseValue> {
    let targets = current_targets(here)?;
    let hosts: Vec<Host> = targets.hosts.iter().filter(|host| targets.fleet.releases_to(host)).cloned().collect();
    let (mut known, mut highest) = (None, 0);
    for (host, listing) in hosts.iter().zip(listings(here, &targets, &hosts)) {
        let listing = listing.map_err(thrown)?;
        known = known.or(listing.of(&commit.commit).map(|r| r.number));
        highest = listing.highest.max(highest);
        tell_strange(here, host, &listing.incomplete);
    }
    checked(here, &targets, &commit)?;
    let line = here.session.run.line(Phase::Ok);
    let (fleet, name) = (targets.fleet.clone(), commit.name.clone());
    let number = here.perform(RecordNumber {
        fleet,
        commit: commit.commit.clone(),
        name,
        names: commit.names.clone(),
        known,
        renumbered: commit.renumbered,
        content: commit.content.clone(),
        highest,
        line,
    })?;
    Ok(ReleaseValue::of(number, commit))
}

/// Returns the targets that get the app; fails if none does.
pub(super) fn getting_it(targets: &Targets) -> RhaiResultOf<Targets> {
    let app = app(&targets.fleet).map_err(thrown)?;
    let hosts: Vec<_> = targets.hosts.iter().filter(|host| app.is_on(host)).cloned().collect();
    if hosts.is_empty() && !targets.hosts.is_empty() {
        let roles: Vec<&str> = app.roles.iter().map(|role| &**role).collect();
        let message = format!("none of these hosts gets the app: {}", targets.selection);
        let help = format!("the app's roles are {}", roles.join(", "));
        return Err(thrown(Failure::new(Cause::NoHosts, message).help(help)));
    }
    Ok(targets.with(hosts, &targets.selection))
}
