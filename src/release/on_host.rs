//! What releases come to on a host: its programs, run there by the app's user.
use super::{
    Adopt, Adopted, Current, Home, Lacks, Listing, Preflight, Prune, ReleaseName, SetUp, Share, Stage, activated,
    activating::Activate, answer::shared, listed, preflighted, program, pruned, set_up as read_set_up, staged,
    verified, verifying::Verify,
};
use crate::{
    command::{Command, quoted},
    effect::{At, Effect},
    event::What,
    failure::{Failure, HOSTS},
    git::{self, Repository},
    host::{Host, Name},
    ledger::ReadLedger,
    model::Release,
    remote::trace,
    world::real::{Ended, Input, Job},
};
use std::{sync::Arc, time::Duration};

/// How long a program may take that sends nothing.
const WITHIN: Duration = Duration::from_secs(120);

async fn run(at: &At<'_>, host: &Host, user: &Option<Name>, job: Job<'_>) -> Result<Ended, Failure> {
    at.real.site(&host.fleet).transport.run(host, Job { user: user.clone(), ..job }).await
}

fn plain(command: &Command) -> Job<'_> {
    Job { timeout: Some(WITHIN), ..Job::new(command) }
}

/// An identity for temporary files on the host: of this call alone.
fn id(at: &At<'_>) -> String {
    let id = trace("", "", at.lane.run(), at.id).id;
    id[..id.len().min(100)].to_owned()
}

fn named(release: &Release) -> Result<ReleaseName, Failure> {
    ReleaseName::new(release.number, &release.commit)
        .ok_or_else(|| Failure::failed(format!("`{release}` isn't the name of a release")))
}

pub(super) fn on(host: &Host) -> impl Fn(super::Error) -> Failure + '_ {
    move |error| {
        let failure = Failure::from(error);
        failure.on(&host.name)
    }
}

pub async fn list(at: &At<'_>, host: &Host, home: &Home) -> Result<Listing, Failure> {
    let command = program::list(&home.path).map_err(on(host))?;
    let ended = run(at, host, &home.user, plain(&command)).await?;
    let listed = match listed(&ended) {
        Err(super::Error::NotSetUp(_)) => return Ok(Listing::default()),
        listed => listed.map_err(on(host))?,
    };
    let release = |r: &super::Release| Release { number: r.name.number, commit: r.commit.as_str().into() };
    let current = match &listed.current {
        Current::None => None,
        Current::Release(name) => listed
            .releases
            .iter()
            .find(|r| r.name == *name)
            .map(release)
            .or_else(|| Some(Release { number: name.number, commit: name.short().into() })),
        Current::Foreign(what) if what.is_empty() => {
            return Err(on(host)(super::Error::CurrentFolder(format!("{}/current", home.path))));
        }
        Current::Foreign(_) => None,
    };
    let foreign = match &listed.current {
        Current::Foreign(target) => Some(target.clone()),
        _ => None,
    };
    let highest = listed.highest();
    let others = listed.incomplete.iter().filter(|name| name.number > highest);
    Ok(Listing {
        releases: listed.releases.iter().map(release).collect(),
        current,
        foreign,
        revision: listed.revision.clone(),
        highest,
        incomplete: others.map(ToString::to_string).collect(),
        set_up: !listed.lacks_folders,
    })
}

pub async fn preflight(at: &At<'_>, look: &Preflight, files: &[String]) -> Result<Lacks, Failure> {
    let host = &look.host;
    let command = program::preflight(&look.home.path, files).map_err(on(host))?;
    let ended = run(at, host, &look.home.user, plain(&command)).await?;
    let mut lacks = preflighted(&ended).map_err(on(host))?;
    lacks.problems.extend(unwritable_state(at, host).await?);
    Ok(lacks)
}

/// Says why the login user cannot write where each later call leaves its trace.
async fn unwritable_state(at: &At<'_>, host: &Host) -> Result<Option<String>, Failure> {
    let folder = trace(&at.real.site(&host.fleet).fleet.state, &host.fleet, at.lane.run(), at.id).folder;
    let line = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
umask 077
mkdir -p "$folder" && date > "$folder/$id" && rm -f "$folder/$id""#;
    let values = vec![("folder".to_owned(), folder.clone()), ("id".to_owned(), format!("preflight-{}", id(at)))];
    let command = Command::line(line, values).expect("a good line");
    let ended = run(at, host, &None, plain(&command)).await?;
    Ok((ended.status != 0).then(|| {
        let said = String::from_utf8_lossy(&ended.err);
        let why = said.lines().last().and_then(|line| line.rsplit_once(": ")).map_or("", |(_, why)| why);
        format!(
            "its login user can't write to the state folder `{folder}` ({}): fix that, or name another one as `state` \
             in the fleet file",
            why.to_lowercase()
        )
    }))
}

pub async fn stage(at: &At<'_>, stage: &Stage) -> Result<(), Failure> {
    let (host, home) = (&stage.host, &stage.home);
    let packed = match &stage.made {
        None => pack(at, &stage.repository, &stage.release.commit, &stage.linked).await?,
        Some(manifest) => match at.real.packed.made(manifest) {
            Some(packed) => packed,
            // Nothing is made that every host has.
            None if self::manifest(at, host, home, &stage.release).await?.as_ref() == Some(manifest) => return Ok(()),
            None => return Err(on(host)(super::Error::NotMadeHere(manifest.clone()))),
        },
    };
    let command = program::stage(&home.path, &named(&stage.release)?, &id(at), &packed).map_err(on(host))?;
    let name = host.name.clone();
    let progress = |done, total| {
        at.tell(What::Progressed { host: Some(name.clone()), what: "sent".into(), done, total, unit: "bytes" });
    };
    let job = Job { stdin: Input::File(&packed.archive, &progress), timeout: Some(WITHIN * 15), ..Job::new(&command) };
    let ended = run(at, host, &home.user, job).await?;
    staged(&ended, &packed).map(drop).map_err(|error| stage.failed(error))
}

/// Packs a commit's tree on this machine, unless that was done.
pub async fn pack(
    at: &At<'_>,
    repository: &str,
    commit: &str,
    linked: &[String],
) -> Result<Arc<super::Packed>, Failure> {
    if at.real.fetch {
        let found = Repository::locate(repository, &at.real.cache.join("mirrors"))?;
        git::complete(&found, commit, git::WITHIN, &git::fetched(at)).await?;
    }
    let (repository, commit, linked) = (repository.to_owned(), commit.to_owned(), linked.to_vec());
    let (cache, packs) = (at.real.cache.clone(), at.real.packed.clone());
    let packed = tokio::task::spawn_blocking(move || packs.pack(&repository, &commit, &linked, &cache)).await;
    packed.map_err(|e| Failure::failed(format!("packing didn't finish: {e}")))?
}

/// The digest of a release's manifest; nothing if it is not there.
pub async fn manifest(at: &At<'_>, host: &Host, home: &Home, release: &Release) -> Result<Option<String>, Failure> {
    let name = named(release)?;
    let command = program::list(&home.path).map_err(on(host))?;
    let ended = run(at, host, &home.user, plain(&command)).await?;
    match listed(&ended) {
        Err(super::Error::NotSetUp(_)) => Ok(None),
        listed => Ok(listed.map_err(on(host))?.releases.into_iter().find(|r| r.name == name).map(|r| r.manifest)),
    }
}

pub async fn adopt(at: &At<'_>, adopt: &Adopt) -> Result<Adopted, Failure> {
    let (host, home) = (&adopt.host, &adopt.home);
    let command = program::adopt(&home.path).map_err(on(host))?;
    let ended = run(at, host, &home.user, plain(&command)).await?;
    Ok(read_set_up(&ended).map_err(on(host))?.1)
}

pub async fn share(at: &At<'_>, share: &Share) -> Result<bool, Failure> {
    let (host, home, bytes) = (&share.host, &share.home, share.text.reveal().as_bytes());
    let length = bytes.len() as u64;
    let (mode, secret) = (share.mode.as_deref(), share.secret);
    let command = program::share(&home.path, &share.path, &id(at), length, mode, secret).map_err(on(host))?;
    let ended = run(at, host, &home.user, Job { stdin: Input::Bytes(bytes), ..plain(&command) }).await?;
    shared(&ended, length).map_err(on(host))
}

pub async fn activate(at: &At<'_>, activate: &Activate) -> Result<(), Failure> {
    let (host, home, name) = (&activate.host, &activate.home, named(&activate.release)?);
    let command = program::activate(&home.path, &name, &id(at), &activate.assets).map_err(on(host))?;
    let ended = run(at, host, &home.user, Job { note: at.note(), ..plain(&command) }).await?;
    activated(&ended, &name).map(drop).map_err(on(host))
}

pub async fn prune(at: &At<'_>, prune: &Prune) -> Result<u32, Failure> {
    let (host, home) = (&prune.host, &prune.home);
    let fleet = at.real.site(&host.fleet).fleet.clone();
    let spared = Effect::carry_out(&ReadLedger { fleet }, *at).await?.spared(&host.name);
    let command = program::prune(&home.path, prune.keep, &spared).map_err(on(host))?;
    let ended = run(at, host, &home.user, plain(&command)).await?;
    let pruned = pruned(&ended).map_err(on(host))?;
    for left in &pruned.gone {
        let path = format!("{}/{}", home.path, left.escape_debug());
        let remove = format!("sudo rm -rf {}", quoted(&path));
        let text =
            format!("`{path}` is left of a release, with files of another user in it; `{remove}` there removes it");
        at.tell(What::Warned { host: Some(host.name.clone()), text });
    }
    for name in &pruned.left {
        let text = format!("release {name} can't be moved away: `releases` belongs to another user");
        at.tell(What::Warned { host: Some(host.name.clone()), text });
    }
    Ok(pruned.removed.len() as u32)
}

pub async fn verify(at: &At<'_>, verify: &Verify) -> Result<Vec<String>, Failure> {
    let (host, home, name) = (&verify.host, &verify.home, named(&verify.release)?);
    let command = program::verify(&home.path, &name, &id(at)).map_err(on(host))?;
    let ended = run(at, host, &home.user, plain(&command)).await?;
    let verified = verified(&ended).map_err(on(host))?;
    Ok([verified.missing, verified.changed].concat())
}

pub async fn set_up(at: &At<'_>, set_up: &SetUp) -> Result<(), Failure> {
    let (host, home) = (&set_up.host, &set_up.home);
    let command = program::setup(&home.path).map_err(on(host))?;
    let ended = run(at, host, &home.user, plain(&command)).await?;
    read_set_up(&ended).map(drop).map_err(|error| {
        let cannot = matches!(error, super::Error::CannotMake(_));
        let failure = on(host)(error);
        let fleet = at.real.site(&host.fleet).fleet.clone();
        match home.user.as_ref().or(fleet.user.as_ref()).filter(|_| cannot) {
            Some(user) => {
                let made = format!("install -d -o {user} {}", quoted(&home.path));
                failure.help(format!(
                    "make it as root and give it to the app's user: `rfab {HOSTS} -- sudo {made}`; if sudo wants a \
                     password, use a task with `host.sudo(\"{made}\")`"
                ))
            }
            None => failure,
        }
    })
}
