//! Commits and tags that go to the remote at once.
use super::{
    GitError, RefMove, Repository,
    process::git_given,
    reading::{WITHIN, here},
    remote_refs::ReadRemoteRefs,
    visible::visible,
    write::{named, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
    port::{Spending, SpendingTime},
};
use serde::Serialize;

/// What git and remotes say if a ref isn't where it was.
const MEANWHILE: [&str; 5] = ["fetch first", "non-fast-forward", "stale info", "lock ref", "already exists"];

/// What forges say if a rule keeps people from pushing a ref.
const PROTECTED: [&str; 4] = ["protect", "pull request", "merge request", "rule violation"];

/// Moves refs of the remote: all of them, or none, and never by force.
///
/// A branch moves only forward. A ref is deleted only if it's where the run saw it.
#[derive(Clone, Debug, Serialize)]
pub struct PushRefs {
    pub repository: String,
    pub moves: Vec<RefMove>,
}

impl Effect for PushRefs {
    type Outcome = ();
    const NAME: &'static str = "push_refs";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        let names = |gone: bool| -> String {
            let some = self.moves.iter().filter(|one| one.new.is_none() == gone);
            some.map(RefMove::short).collect::<Vec<_>>().join(", ")
        };
        match (names(false), names(true)) {
            (pushed, gone) if gone.is_empty() => format!("push {pushed}"),
            (pushed, gone) if pushed.is_empty() => format!("delete {gone} at the remote"),
            (pushed, gone) => format!("push {pushed}; delete {gone} at the remote"),
        }
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let names = self.moves.iter().map(|one| one.name.clone()).collect();
        let there = ask.read(ReadRemoteRefs { repository: self.repository.clone(), names })?;
        let arrived = self.moves.iter().filter(|one| there.get(&one.name) == one.new.as_ref()).count();
        Ok(match arrived {
            all if all == self.moves.len() => Happened::Done(()),
            // A push arrives as a whole, or not at all.
            _ => Happened::Not,
        })
    }

    fn assumed(&self) -> Option<()> {
        Some(())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        {
            let _time = SpendingTime::on(Spending::Network);
            self.push(&repository).await.map_err(|error| self.advised(error))?;
        }
        // rfab's own refs follow, as remote-tracking refs do. The next fetch would move them, too.
        let _ = git_given(&repository, &["update-ref", "--stdin"], &self.seen(), WITHIN).await;
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        here(&self.repository)?;
        self.specs().map_err(Failure::from)?;
        for one in &self.moves {
            let commit = one.commit.as_deref().map(Into::into);
            model.refs.insert((self.repository.clone(), fetched(&one.name)), commit);
        }
        Ok(())
    }
}

impl PushRefs {
    async fn push(&self, repository: &Repository) -> Result<(), GitError> {
        let remote = repository.remote.as_deref().ok_or(GitError::NoRemote)?;
        let (leases, specs) = self.specs()?;
        let mut args = vec!["push", "--porcelain"];
        // Git refuses an atomic push to remotes that don't support it. A push of one thing is atomic anyway.
        args.extend((specs.len() > 1).then_some("--atomic"));
        args.extend(leases.iter().map(String::as_str));
        args.extend(["--", remote]);
        args.extend(specs.iter().map(String::as_str));
        let ended = git_given(repository, &args, "", WITHIN).await?;
        if ended.ok {
            return Ok(());
        }
        let rejected = rejected(&ended.out);
        if rejected.is_empty() {
            return Err(GitError::Git { what: "push".to_owned(), why: ended.why() });
        }
        let remote_said = ended.err.lines().filter_map(|line| line.trim_end().strip_prefix("remote: "));
        Err(GitError::Rejected { refs: rejected, said: remote_said.take(5).map(visible).collect() })
    }

    /// Returns what `git push` expects to be there, and what it sends, by the manual's `<refspec>`.
    fn specs(&self) -> Result<(Vec<String>, Vec<String>), GitError> {
        let (mut leases, mut specs) = (Vec::new(), Vec::new());
        for RefMove { name, old, new, .. } in &self.moves {
            let name = named("", name)?;
            match (old.as_deref().map(whole_commit).transpose()?, new.as_deref().map(whole_commit).transpose()?) {
                (_, Some(new)) => specs.push(format!("{new}:{name}")),
                (Some(old), None) => {
                    leases.push(format!("--force-with-lease={name}:{old}"));
                    specs.push(format!(":{name}"));
                }
                (None, None) => return Err(GitError::BadName(name)),
            }
        }
        Ok((leases, specs))
    }

    /// Names the way on, by what the remote says: somebody pushed meanwhile, a rule protects a ref, or a hook refuses.
    fn advised(&self, error: GitError) -> Failure {
        let GitError::Rejected { refs, said } = &error else {
            let is_git = matches!(error, GitError::Git { .. });
            let failure = Failure::from(error);
            return if is_git { failure.help("fix that, and type the line again: it does the rest") } else { failure };
        };
        let whys = refs.iter().map(|(_, why)| why);
        let said = whys.chain(said).map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n");
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let refused = |one: &&RefMove| refs.iter().any(|(name, _)| *name == one.short());
        let is_branch = |one: &&RefMove| one.name.starts_with("refs/heads/");
        let help = match self.moves.iter().filter(refused).find(is_branch) {
            _ if says(&MEANWHILE) => {
                "somebody pushed meanwhile: type the line again, which fetches that first".to_owned()
            }
            Some(branch) if says(&PROTECTED) => format!(
                "let a pull request move `{}`: write `pulls = true` into `[gate]` of the fleet file, and begin the line \
                 with that fleet",
                visible(branch.short())
            ),
            None if says(&PROTECTED) => "ask somebody who may push this tag, or have its rule changed".to_owned(),
            _ => {
                "do what the remote says, or ask the people who maintain its hooks; then type the line again".to_owned()
            }
        };
        Failure::from(error).help(help)
    }

    fn seen(&self) -> String {
        let line = |one: &RefMove| match &one.new {
            Some(new) => format!("update {} {new}\n", fetched(&one.name)),
            None => format!("delete {}\n", fetched(&one.name)),
        };
        self.moves.iter().map(line).collect()
    }
}

/// Returns the name under which rfab keeps a ref of the remote.
fn fetched(name: &str) -> String {
    format!("refs/rfab/{}", name.trim_start_matches("refs/"))
}

/// Reads the refs that a remote rejected, by the manual of `git push`, "Output": name and reason.
fn rejected(porcelain: &str) -> Vec<(String, String)> {
    let lines = porcelain.lines().filter_map(|line| line.strip_prefix("!\t"));
    let one = |line: &str| {
        let (spec, why) = line.split_once('\t')?;
        let name = spec.rsplit_once(':').map_or(spec, |(_, name)| name);
        Some((visible(RefMove::short_name(name)), visible(why)))
    };
    // With --atomic, git lists all refs; those that fell with the others aren't the reason.
    let all: Vec<(String, String)> = lines.filter_map(one).collect();
    let own: Vec<_> = all.iter().filter(|(_, why)| !why.contains("atomic")).cloned().collect();
    if own.is_empty() { all } else { own }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::{self, Sample};

    fn to(name: &str, old: Option<&str>, new: Option<&str>) -> RefMove {
        let [old, new] = [old, new].map(|one| one.map(str::to_owned));
        RefMove { name: name.to_owned(), old, commit: new.clone(), new }
    }

    #[tokio::test]
    async fn refs_arrive_together_or_not_at_all_and_the_rejected_ones_are_named() {
        let sample = Sample::new();
        let other = sample.other();
        let theirs = other.commit("a", "theirs");
        other.git(&["push", "-q", "origin", "main"]);
        let mine = sample.commit("a", "mine");
        let push =
            async |moves: Vec<RefMove>| PushRefs { repository: String::new(), moves }.push(&sample.repository()).await;
        let tag = to("refs/tags/v1", None, Some(&mine));
        let both = push(vec![to("refs/heads/main", None, Some(&mine)), tag.clone()]).await;
        let Err(GitError::Rejected { refs, .. }) = both else { panic!("{both:?}") };
        assert_eq!(refs, [("main".to_owned(), "[rejected] (fetch first)".to_owned())]);
        assert_eq!(sample::git(&sample.origin, &["tag"]), "");
        push(vec![to("refs/heads/side", None, Some(&mine)), tag]).await.unwrap();
        assert_eq!(sample::git(&sample.origin, &["rev-parse", "side", "v1"]), format!("{mine}\n{mine}"));
        // A branch that somebody moved meanwhile isn't deleted.
        let moved = push(vec![to("refs/heads/main", Some(&mine), None)]).await;
        assert!(matches!(moved, Err(GitError::Rejected { .. })), "{moved:?}");
        push(vec![to("refs/heads/side", Some(&mine), None)]).await.unwrap();
        assert_eq!(
            sample::git(&sample.origin, &["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"]),
            format!("{theirs} refs/heads/main")
        );
    }
}
