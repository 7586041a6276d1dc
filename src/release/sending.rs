//! Sends a release to a host: what an earlier release there lacks, or all of it.
use super::{
    Home, ListedRelease, Manifest, Packed, PackedTrees, ReleaseError, ReleaseName, Sent, Staged,
    held::{Held, HeldReleases},
    list::listing,
    on_host::{WITHIN, id, on, run},
    staged::{stage, staged},
    tree::{Difference, Outgoing},
    work::blocking,
};
use crate::{
    control::shown,
    effect::At,
    event::EventKind,
    failure::Failure,
    fleet::TreeRules,
    host::Host,
    port::{Input, Job},
};
use std::{collections::BTreeSet, sync::Arc};

/// The number of a host's releases that are looked at to find the best one to build upon.
const LOOKED_AT: usize = 4;

/// A release on its way to a host.
pub(super) struct Sending<'a> {
    pub at: At<'a>,
    pub host: &'a Host,
    pub home: &'a Home,
    pub name: ReleaseName,
    pub packed: Arc<Packed>,
    /// The repository and the rules that earlier releases were made by.
    pub by: (&'a str, &'a TreeRules),
    /// Whether the host hashes every file that it takes from an earlier release.
    pub verify: bool,
}

/// A release of a host, and what it consists of.
type EarlierRelease = (ListedRelease, Arc<Manifest>);

impl Sending<'_> {
    /// Sends the release, and returns what that cost.
    ///
    /// If the earlier release isn't what it should be, what is missing is sent again once, and then all.
    pub(super) async fn send(&self) -> Result<Result<Sent, ReleaseError>, Failure> {
        let mut sent_bytes = 0;
        let held = self.held().await?;
        let mut base = self.base(&held).await?;
        let mut lost = BTreeSet::new();
        loop {
            let lacking = base.as_ref().and_then(|(_, earlier)| self.lacking(earlier, &lost, &held));
            if lacking.is_none() {
                base = None;
            }
            let (packed, packs) = (self.packed.clone(), self.at.real.kept.get::<PackedTrees>());
            let (cache, packing) = (self.at.real.cache.clone(), held.packing);
            let parcel = blocking(move || packs.outgoing(&packed, lacking.as_ref(), packing, &cache)).await?;
            let upon = base.as_ref().map(|(release, _)| release);
            let (bytes, sent) = self.parcel(&parcel, upon).await?;
            sent_bytes += bytes;
            let upon = upon.map(|release| release.name.clone());
            match (sent, base.take()) {
                (Err(ReleaseError::Drifted(names)), Some(one)) if lost.is_empty() && !names.is_empty() => {
                    self.warn(format!("{}; rfab sends the right content again", drifted(&one.0.name, &names)));
                    lost = names.into_iter().collect();
                    base = Some(one);
                }
                (Err(error @ (ReleaseError::Base(_) | ReleaseError::Drifted(_))), Some((release, _))) => {
                    let why = match error {
                        ReleaseError::Drifted(names) if !names.is_empty() => drifted(&release.name, &names),
                        error => format!("rfab can't reuse files of release {}: {error}", release.name),
                    };
                    self.warn(format!("{why}; rfab sends all of the new release"));
                }
                (sent, _) => return Ok(sent.map(|_| Sent { sent_bytes, upon })),
            }
        }
    }

    fn lacking(&self, earlier: &Manifest, lost: &BTreeSet<String>, held: &Held) -> Option<Difference> {
        Difference::between(earlier, &self.packed.manifest, lost, held.patches)
    }

    /// Returns what the host holds, and asks it only if nothing in this run did.
    async fn held(&self) -> Result<Held, Failure> {
        let known = self.at.real.kept.get::<HeldReleases>();
        if let Some(held) = known.of(self.host, self.home) {
            return Ok(held);
        }
        let _ = listing(&self.at, self.host, self.home).await?;
        Ok(known.of(self.host, self.home).unwrap_or_default())
    }

    /// Finds the release of the host from which the new one differs least, if this machine knows what it consists of.
    async fn base(&self, held: &Held) -> Result<Option<EarlierRelease>, Failure> {
        if !held.copies {
            return Ok(None);
        }
        let (packs, cache) = (self.at.real.kept.get::<PackedTrees>(), self.at.real.cache.clone());
        let known = |release: &ListedRelease| Some((release.clone(), packs.manifest(&release.manifest, &cache)?));
        let lacks = |base: &EarlierRelease| {
            self.lacking(&base.1, &BTreeSet::new(), held).map(|lacking| lacking.bytes(&self.packed.manifest))
        };
        let least =
            held.releases.iter().take(LOOKED_AT).filter_map(known).filter_map(|base| Some((lacks(&base)?, base)));
        if let Some((_, base)) = least.min_by_key(|(bytes, _)| *bytes) {
            return Ok(Some(base));
        }
        // Another machine sent it: a commit's tree can be read again here.
        let Some(first) = held.releases.first().cloned() else { return Ok(None) };
        let ((repository, rules), commit) = (self.by, first.commit.clone());
        let (repository, rules) = (repository.to_owned(), rules.clone());
        blocking(move || {
            let _ = packs.pack(&repository, &commit, &rules, &cache);
            Ok(packs.manifest(&first.manifest, &cache).map(|manifest| (first, manifest)))
        })
        .await
    }

    async fn parcel(
        &self,
        parcel: &Outgoing,
        base: Option<&ListedRelease>,
    ) -> Result<(u64, Result<Staged, ReleaseError>), Failure> {
        let (host, home) = (self.host, self.home);
        let (name, id) = (&self.name, id(&self.at));
        let command =
            stage(&home.path, name, &id, &self.packed, &parcel.parcel(), base, self.verify).map_err(on(host))?;
        let name = host.name.clone();
        let progress = |done, total| {
            let (host, what) = (Some(name.clone()), "sent".to_owned());
            self.at.tell(EventKind::Progressed { host, what, done, total, unit: "bytes" });
        };
        let stdin = Input::Growing(parcel, &progress);
        let job = Job { stdin, timeout: Some(WITHIN * 15), ..Job::new(&command) };
        let ended = run(&self.at, host, &home.user, job).await;
        // If packing failed, that is why the host received no more.
        let ended = ended.map_err(|failure| parcel.failure().unwrap_or(failure))?;
        let sent = parcel.parcel();
        Ok((sent.bytes, staged(&ended, &sent)))
    }

    fn warn(&self, text: String) {
        self.at.tell(EventKind::Warned { host: Some(self.host.name.clone()), text });
    }
}

/// Describes names that an earlier release doesn't have any more as it was staged.
fn drifted(release: &ReleaseName, names: &[String]) -> String {
    let named: Vec<String> = names.iter().take(5).map(|name| format!("`{}`", shown(name))).collect();
    let more = names.len().saturating_sub(5);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("in release {release}, somebody changed {}{more}", named.join(", "))
}
