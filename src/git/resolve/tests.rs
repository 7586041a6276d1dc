//! Tests the names of a commit.
use super::*;
use crate::git::{sample::Sample, silent};

const ALL: [Accept; 4] = [Accept::Stable, Accept::Tag, Accept::Branch, Accept::Commit];

fn ask(reference: &str) -> ReferenceQuery<'_> {
    ReferenceQuery {
        reference,
        fetch: true,
        accept: &ALL,
        guarded: false,
        tags: None,
        tree: None,
        within: Duration::from_secs(20),
        progress: &silent,
    }
}

async fn resolved(sample: &Sample, reference: &str) -> Result<Resolved, GitError> {
    resolve(&sample.repository(), ask(reference)).await
}

#[tokio::test]
async fn a_tag_pushed_from_another_clone_a_moment_ago_is_the_one_found() {
    let sample = Sample::new();
    assert_eq!(resolved(&sample, "stable").await, Err(GitError::NoStable { tags: 0 }));
    let other = sample.other();
    let first = other.commit("a", "1");
    other.git(&["tag", "v3.0.0"]);
    let second = other.commit("a", "2");
    other.git(&["tag", "-a", "-m", "annotated", "v3.0.1"]);
    other.git(&["tag", "v4.0.0-rc.1"]);
    other.git(&["push", "-q", "origin", "main", "--tags"]);
    let want = |name: &str, commit: &str, kind| Resolved {
        commit: commit.to_owned(),
        name: name.to_owned(),
        tag: Some(if kind == ReferenceKind::Branch { "v3.0.1" } else { name }.to_owned()),
        tags: if commit == second {
            vec!["v3.0.1".to_owned(), "v4.0.0-rc.1".to_owned()]
        } else {
            vec![name.to_owned()]
        },
        kind,
        warnings: Vec::new(),
    };
    assert_eq!(resolved(&sample, "stable").await, Ok(want("v3.0.1", &second, ReferenceKind::Stable)));
    assert_eq!(resolved(&sample, "v3.0.0").await, Ok(want("v3.0.0", &first, ReferenceKind::Tag)));
    assert_eq!(resolved(&sample, "refs/tags/v3.0.0").await, Ok(want("v3.0.0", &first, ReferenceKind::Tag)));
    let main = resolved(&sample, "main").await.unwrap();
    assert_eq!(
        (main.commit.as_str(), main.kind, main.tag.as_deref()),
        (&*second, ReferenceKind::Branch, Some("v3.0.1"))
    );
    assert_eq!(
        main.warnings,
        [format!(
            "your branch `main` is {}, the remote's is {}: rfab uses the remote's",
            &sample.git(&["rev-parse", "main"])[..12],
            &second[..12]
        )]
    );
    let short = resolved(&sample, &first[..8]).await.unwrap();
    assert_eq!((short.commit, short.kind, short.tag.as_deref()), (first, ReferenceKind::Commit, Some("v3.0.0")));
}

#[tokio::test]
async fn a_local_tag_that_differs_or_was_never_pushed_does_not_count() {
    let sample = Sample::new();
    let other = sample.other();
    let theirs = other.commit("a", "theirs");
    other.git(&["tag", "v1.0.0"]);
    other.git(&["push", "-q", "origin", "main", "--tags"]);
    let mine = sample.commit("a", "mine");
    sample.git(&["tag", "v1.0.0"]);
    sample.git(&["tag", "v2.0.0"]);
    sample.git(&["branch", "only-here"]);
    let stable = resolved(&sample, "stable").await.unwrap();
    assert_eq!(stable.commit, theirs);
    assert!(stable.warnings[0].starts_with(&format!("your tag `v1.0.0` is {}", &mine[..12])), "{stable:?}");
    let unknown = resolved(&sample, "v2.0.0").await;
    assert_eq!(unknown, Err(GitError::Unknown { reference: "v2.0.0".into(), near: vec!["v1.0.0".into()] }));
    assert!(matches!(resolved(&sample, "only-here").await, Err(GitError::Unknown { .. })));
    let warned = resolved(&sample, &mine).await.unwrap();
    assert_eq!(warned.warnings, [format!("nobody has pushed the commit `{mine}`")]);
    let guarded = resolve(&sample.repository(), ReferenceQuery { guarded: true, ..ask(&mine) }).await;
    assert_eq!(guarded, Err(GitError::NotPushed(mine)));
    let pushed = resolve(&sample.repository(), ReferenceQuery { guarded: true, ..ask(&theirs) }).await.unwrap();
    assert_eq!((pushed.commit, pushed.warnings), (theirs, vec![]));
}

/// Git would take the tag and warn: Twenga/twgit#37.
#[tokio::test]
async fn what_may_mean_two_things_is_refused() {
    let sample = Sample::new();
    let commit = sample.commit("a", "1");
    sample.git(&["tag", "both"]);
    sample.git(&["branch", "both"]);
    sample.git(&["branch", &commit[..8]]);
    sample.git(&["push", "-q", "origin", "refs/heads/both", "refs/tags/both", &format!("refs/heads/{}", &commit[..8])]);
    let meanings = vec![format!("tag `refs/tags/both` is {commit}"), format!("branch `refs/heads/both` is {commit}")];
    assert_eq!(resolved(&sample, "both").await, Err(GitError::Ambiguous { reference: "both".into(), meanings }));
    assert_eq!(resolved(&sample, "refs/heads/both").await.unwrap().kind, ReferenceKind::Branch);
    assert!(matches!(resolved(&sample, &commit[..8]).await, Err(GitError::Ambiguous { .. })));
    assert_eq!(resolved(&sample, &commit[..9]).await.unwrap().kind, ReferenceKind::Commit);
}

#[tokio::test]
async fn a_fleet_takes_only_what_it_says() {
    let sample = Sample::new();
    sample.git(&["tag", "v1.0.0"]);
    sample.git(&["push", "-q", "origin", "v1.0.0"]);
    let head = sample.git(&["rev-parse", "HEAD"]);
    let accept = [Accept::Stable, Accept::Tag];
    for (reference, good) in [("stable", true), ("v1.0.0", true), ("main", false), (head.as_str(), false)] {
        let ended = resolve(&sample.repository(), ReferenceQuery { accept: &accept, ..ask(reference) }).await;
        assert_eq!(ended.is_ok(), good, "{reference}: {ended:?}");
        assert!(good || matches!(ended, Err(GitError::NotAccepted { .. })));
    }
}

#[tokio::test]
async fn without_a_fetch_the_last_one_counts_and_a_failed_one_refuses() {
    let sample = Sample::new();
    let unfetched = |reference| ReferenceQuery { fetch: false, ..ask(reference) };
    let repository = sample.repository();
    assert_eq!(resolve(&repository, unfetched("main")).await, Err(GitError::NeverFetched("origin".into())));
    resolved(&sample, "main").await.unwrap();
    sample.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
    assert!(matches!(resolved(&sample, "main").await, Err(GitError::Fetch { .. })));
    let last = resolve(&repository, unfetched("main")).await.unwrap();
    assert_eq!(last.warnings, ["rfab didn't fetch, so `origin` may have moved"]);
}

#[tokio::test]
async fn a_repository_without_a_remote_is_its_own_truth() {
    let sample = Sample::new();
    sample.git(&["remote", "remove", "origin"]);
    let commit = sample.commit("a", "1");
    sample.git(&["tag", "v1.0.0"]);
    let stable = resolve(&sample.repository(), ReferenceQuery { guarded: true, ..ask("stable") }).await.unwrap();
    assert_eq!((stable.commit.as_str(), stable.warnings), (commit.as_str(), vec![]));
    sample.git(&["checkout", "-q", "--detach"]);
    let loose = sample.commit("a", "2");
    let refused = resolve(&sample.repository(), ReferenceQuery { guarded: true, ..ask(&loose) }).await;
    assert_eq!(refused, Err(GitError::NotPushed(loose)));
}

#[tokio::test]
async fn it_may_be_waited_for_on_any_thread() {
    let sample = Sample::new();
    let repository = sample.repository();
    let waited = tokio::spawn(async move { resolve(&repository, ask("main")).await });
    assert_eq!(waited.await.unwrap().unwrap().kind, ReferenceKind::Branch);
}

#[tokio::test]
async fn hostile_names_are_names_and_nothing_else() {
    let sample = Sample::new();
    let mark = sample.folder.path().join("p");
    let head = sample.git(&["rev-parse", "HEAD"]);
    let at = mark.display();
    let real = [
        format!("a;touch${{IFS}}{at}"),
        format!("x$(touch${{IFS}}{at})"),
        format!("`touch${{IFS}}{at}`"),
        format!("--upload-pack=touch${{IFS}}{at}"),
        "-oProxyCommand=touch".to_owned(),
        "a|b&c'd\"e".to_owned(),
    ];
    for (n, name) in real.iter().enumerate() {
        let full = if n % 2 == 0 { format!("refs/heads/{name}") } else { format!("refs/tags/{name}") };
        sample.git(&["update-ref", &full, &head]);
        sample.git(&["push", "-q", "origin", &format!("{full}:{full}")]);
        assert_eq!(resolved(&sample, name).await.unwrap().commit, head, "{name}");
    }
    let long = "x".repeat(4096);
    let spaced = format!("--upload-pack=touch {at}");
    for name in
        ["", "a\nb", "a\0b", "\u{1b}[2J", "..", "@{0}", "HEAD", "main^", "main~1", ":/first", "-", &long, &spaced]
    {
        let ended = resolved(&sample, name).await;
        assert!(matches!(ended, Err(GitError::Unknown { .. })), "{name:?}: {ended:?}");
        let text = ended.unwrap_err().to_string();
        assert!(!text.contains(char::is_control) && text.chars().count() < 900, "{text:?}");
    }
    assert!(!mark.exists());
}
