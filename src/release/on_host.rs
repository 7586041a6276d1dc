//! What releases come to on a host: its programs, run there by the app's user.
use super::{
    Current, Home, Listing, Preflight, Prune, ReleaseName, SetUp, Stage, activated, activating::Activate, listed,
    preflighted, program, pruned, set_up as read_set_up, staged, verified, verifying::Verify,
};
use crate::{
    command::Command,
    effect::At,
    event::What,
    failure::{Failure, Reason},
    git::Repository,
    host::{Host, Name},
    model::Release,
    ssh::trace,
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
        .ok_or_else(|| Failure::failed(format!("`{release}` is no release's name")))
}

pub(super) fn on(host: &Host) -> impl Fn(super::Error) -> Failure + '_ {
    move |error| {
        let failure = Failure::from(error);
        Failure { message: format!("host `{host}`: {}", failure.message), ..failure }.on(&host.name)
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
        Current::Foreign(what) => {
            let message = format!("`current` on `{host}` is no release of rfab's but `{}`", what.escape_debug());
            return Err(Failure::new(Reason::Failed, message).on(&host.name));
        }
    };
    Ok(Listing {
        releases: listed.releases.iter().map(release).collect(),
        current,
        highest: listed.highest(),
        set_up: !listed.lacks_folders,
    })
}

pub async fn preflight(at: &At<'_>, look: &Preflight) -> Result<Vec<String>, Failure> {
    let host = &look.host;
    let command = program::preflight(&look.home.path).map_err(on(host))?;
    let ended = run(at, host, &look.home.user, plain(&command)).await?;
    preflighted(&ended).map_err(on(host))
}

pub async fn stage(at: &At<'_>, stage: &Stage) -> Result<(), Failure> {
    let (host, home) = (&stage.host, &stage.home);
    let (repository, commit, linked) = (stage.repository.clone(), stage.release.commit.clone(), stage.linked.clone());
    let cache = at.real.cache.clone();
    let packing = at.real.packed.clone();
    let packed = tokio::task::spawn_blocking(move || packing.pack(&repository, &commit, &linked, &cache)).await;
    let packed = packed.map_err(|e| Failure::failed(format!("packing came to no end: {e}")))??;
    let command = program::stage(&home.path, &named(&stage.release)?, &id(at), &packed).map_err(on(host))?;
    let name = host.name.clone();
    let progress = |done, total| {
        at.tell(What::Progressed { host: Some(name.clone()), what: "sent".into(), done, total, unit: "bytes" });
    };
    let job = Job { stdin: Input::File(&packed.archive, &progress), timeout: Some(WITHIN * 15), ..Job::new(&command) };
    let ended = run(at, host, &home.user, job).await?;
    staged(&ended, &packed).map(drop).map_err(on(host))
}

pub async fn activate(at: &At<'_>, activate: &Activate) -> Result<(), Failure> {
    let (host, home, name) = (&activate.host, &activate.home, named(&activate.release)?);
    let command = program::activate(&home.path, &name, &id(at)).map_err(on(host))?;
    let ended = run(at, host, &home.user, Job { note: at.note(), ..plain(&command) }).await?;
    activated(&ended, &name).map(drop).map_err(on(host))
}

pub async fn prune(at: &At<'_>, prune: &Prune) -> Result<u32, Failure> {
    let (host, home) = (&prune.host, &prune.home);
    let command = program::prune(&home.path, prune.keep, &[]).map_err(on(host))?;
    let ended = run(at, host, &home.user, plain(&command)).await?;
    Ok(pruned(&ended).map_err(on(host))?.removed.len() as u32)
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
    read_set_up(&ended).map(drop).map_err(on(host))
}

/// Trees that this run packed, each once.
#[derive(Default)]
pub struct PackedTrees(std::sync::Mutex<std::collections::BTreeMap<Tree, Arc<super::Packed>>>);

/// A commit, and the names that are linked in its tree.
type Tree = (String, Vec<String>);

impl PackedTrees {
    /// Packs a commit's tree, or gives what was packed before.
    pub fn pack(
        &self,
        repository: &str,
        commit: &str,
        linked: &[String],
        cache: &std::path::Path,
    ) -> Result<Arc<super::Packed>, Failure> {
        let mut known = self.0.lock().unwrap();
        let key = (format!("{repository} {commit}"), linked.to_vec());
        if let Some(packed) = known.get(&key) {
            return Ok(packed.clone());
        }
        let folder = cache.join("packed");
        std::fs::create_dir_all(&folder)
            .map_err(|e| Failure::failed(format!("`{}` cannot be made: {e}", folder.display())))?;
        let repository = Repository::locate(repository, &cache.join("mirrors"))?;
        let packed = Arc::new(super::pack(&repository, commit, linked, &folder).map_err(Failure::from)?);
        known.insert(key, packed.clone());
        Ok(packed)
    }
}
