//! Sends a release to a host: what an earlier release there lacks, or all of it.
use super::{
    Home, ListedRelease, Manifest, Packed, PackedTrees, Parcel, ReleaseError, ReleaseName, Staged,
    held::HeldReleases,
    list::listing,
    on_host::{WITHIN, id, on, run},
    program::leading,
    stage::{stage, staged},
    tree::Difference,
    work::blocking,
};
use crate::{
    control::shown,
    effect::At,
    event::What,
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
}

/// A release of a host, and what it consists of.
type Base = (ListedRelease, Arc<Manifest>);

impl Sending<'_> {
    /// Sends the release. If the earlier release isn't what it should be, what is missing is sent again, and then all.
    pub(super) async fn send(&self) -> Result<Result<Staged, ReleaseError>, Failure> {
        let mut base = self.base().await?;
        let mut lost = BTreeSet::new();
        loop {
            let lacking = base.as_ref().and_then(|(_, earlier)| self.lacking(earlier, &lost));
            if lacking.is_none() {
                base = None;
            }
            let (packed, packs) = (self.packed.clone(), self.at.real.kept.get::<PackedTrees>());
            let cache = self.at.real.cache.clone();
            let parcel = blocking(move || packs.parcel(&packed, lacking.as_ref(), &cache)).await?;
            let sent = self.parcel(&parcel, base.as_ref().map(|(release, _)| release)).await?;
            match (sent, base.take()) {
                (Err(ReleaseError::Drifted(names)), Some(one)) if lost.is_empty() => {
                    self.warn(format!("{}; they are sent again", drifted(&one.0.name, &names)));
                    lost = names.into_iter().collect();
                    base = Some(one);
                }
                (Err(error @ (ReleaseError::Base(_) | ReleaseError::Drifted(_))), Some((release, _))) => {
                    let why = match error {
                        ReleaseError::Drifted(names) => drifted(&release.name, &names),
                        error => format!("release {} can't be built upon: {error}", release.name),
                    };
                    self.warn(format!("{why}; all of the new release is sent"));
                }
                (sent, _) => return Ok(sent),
            }
        }
    }

    fn lacking(&self, earlier: &Manifest, lost: &BTreeSet<String>) -> Option<Difference> {
        Difference::between(earlier, &self.packed.manifest, lost)
    }

    /// Finds the release of the host from which the new one differs least, if this machine knows what it consists of.
    async fn base(&self) -> Result<Option<Base>, Failure> {
        let held = match self.at.real.kept.get::<HeldReleases>().of(self.host, self.home) {
            Some(held) => held,
            None => match listing(&self.at, self.host, self.home).await? {
                Ok(listed) => listed.releases,
                Err(_) => return Ok(None),
            },
        };
        let (packs, cache) = (self.at.real.kept.get::<PackedTrees>(), self.at.real.cache.clone());
        let known = |release: &ListedRelease| Some((release.clone(), packs.manifest(&release.manifest, &cache)?));
        let lacks = |base: &Base| self.lacking(&base.1, &BTreeSet::new()).map(|lacking| lacking.bytes(&self.packed.manifest));
        let least = held.iter().take(LOOKED_AT).filter_map(known).filter_map(|base| Some((lacks(&base)?, base)));
        if let Some((_, base)) = least.min_by_key(|(bytes, _)| *bytes) {
            return Ok(Some(base));
        }
        // Another machine sent it: a commit's tree can be read again here.
        let Some(first) = held.first().cloned() else { return Ok(None) };
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
        parcel: &Parcel,
        base: Option<&ListedRelease>,
    ) -> Result<Result<Staged, ReleaseError>, Failure> {
        let (host, home) = (self.host, self.home);
        let command = stage(&home.path, &self.name, &id(&self.at), &self.packed, parcel, base).map_err(on(host))?;
        let (command, lead) = leading(&command);
        let name = host.name.clone();
        let progress = |done, total| {
            let (host, what) = (Some(name.clone()), "sent".to_owned());
            self.at.tell(What::Progressed { host, what, done, total, unit: "bytes" });
        };
        let stdin = Input::File(&parcel.file, &progress);
        let job = Job { lead: &lead, stdin, timeout: Some(WITHIN * 15), ..Job::new(&command) };
        Ok(staged(&run(&self.at, host, &home.user, job).await?, parcel))
    }

    fn warn(&self, text: String) {
        self.at.tell(What::Warned { host: Some(self.host.name.clone()), text });
    }
}

/// Describes names that an earlier release doesn't have any more as it was staged.
fn drifted(release: &ReleaseName, names: &[String]) -> String {
    let named: Vec<String> = names.iter().take(5).map(|name| format!("`{}`", shown(name))).collect();
    let more = names.len().saturating_sub(5);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("in release {release}, somebody changed {}{more}", named.join(", "))
}
