//! Tests fetches from remotes that move, break, don't answer or run programs.
use super::*;
use crate::git::{NamedCommit, sample::Sample, silent};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn only_refs_of_rfabs_own_change_and_what_is_gone_is_forgotten() {
    let sample = Sample::new();
    let other = sample.other();
    other.git(&["checkout", "-qb", "gone"]);
    other.commit("a", "1");
    other.git(&["tag", "v9.0.0"]);
    other.git(&["push", "-q", "origin", "gone", "v9.0.0"]);
    let before = sample.git(&["for-each-ref"]);
    fetch(&sample.repository(), SOON, &silent).await.unwrap();
    let seen = names(&sample.repository()).unwrap();
    assert!(seen.branches.iter().any(|named| named.name == "gone"));
    assert!(seen.tags.iter().any(|named| named.name == "v9.0.0"));
    other.git(&["push", "-q", "origin", ":gone", ":v9.0.0"]);
    fetch(&sample.repository(), SOON, &silent).await.unwrap();
    let seen = names(&sample.repository()).unwrap();
    assert!(!seen.branches.iter().any(|named| named.name == "gone"));
    assert!(!seen.tags.iter().any(|named| named.name == "v9.0.0"));
    sample.git(&["for-each-ref", "--format=delete %(refname)", "refs/rfab"]).lines().for_each(|line| {
        sample.git(&["update-ref", "-d", line.trim_start_matches("delete ")]);
    });
    assert_eq!(sample.git(&["for-each-ref"]), before);
    assert!(!sample.work.join(".git/FETCH_HEAD").exists());
}

/// A plain fetch refuses both: scala-steward-org/scala-steward#1853, Shopify/shipit-engine#179.
#[tokio::test]
async fn a_tag_that_was_moved_and_a_branch_whose_name_became_a_folder_are_followed() {
    let sample = Sample::new();
    let cache = tempfile::tempdir().unwrap();
    let mirror = Repository::locate(&format!("file://{}", sample.origin.display()), cache.path()).unwrap();
    let other = sample.other();
    let mut commits = Vec::new();
    for (branch, gone) in [("test", None), ("test/scripts", Some("test")), ("test", Some("test/scripts"))] {
        other.git(&["checkout", "-q", "--detach", "HEAD"]);
        if let Some(gone) = gone {
            other.git(&["push", "-q", "origin", &format!(":{gone}")]);
            other.git(&["branch", "-qD", gone]);
        }
        other.git(&["checkout", "-q", "-b", branch]);
        commits.push(other.commit("a", &commits.len().to_string()));
        other.git(&["tag", "-f", "latest"]);
        other.git(&["push", "-q", "-f", "origin", branch, "latest"]);
        for at in [&mirror, &sample.repository()] {
            fetch(at, SOON, &silent).await.unwrap();
            let ReferenceNames { branches, tags } = names(at).unwrap();
            let of =
                |all: Vec<NamedCommit>, name: &str| all.into_iter().find(|one| one.name == name).map(|one| one.commit);
            assert_eq!(of(tags, "latest").as_ref(), commits.last());
            assert_eq!(of(branches.clone(), branch).as_ref(), commits.last(), "{branch}");
            assert!(gone.is_none_or(|gone| of(branches, gone).is_none()), "{branch}");
        }
    }
}

#[tokio::test]
async fn a_remote_that_is_gone_or_mute_fails_within_the_deadline() {
    let sample = Sample::new();
    sample.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
    assert!(matches!(fetch(&sample.repository(), SOON, &silent).await, Err(GitError::Fetch { .. })));
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    sample.git(&["remote", "set-url", "origin", &format!("git://{}/x", mute.local_addr().unwrap())]);
    let begun = Instant::now();
    let failed = fetch(&sample.repository(), Duration::from_secs(1), &silent).await;
    assert!(matches!(failed, Err(GitError::Fetch { .. })), "{failed:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn fetches_into_one_repository_wait_for_each_other() {
    let sample = Sample::new();
    let other = sample.other();
    for n in 0..8 {
        other.commit("a", &n.to_string());
        other.git(&["push", "-q", "origin", "main"]);
        let repository = sample.repository();
        let all = tokio::join!(
            fetch(&repository, SOON, &silent),
            fetch(&repository, SOON, &silent),
            fetch(&repository, SOON, &silent)
        );
        assert_eq!(all, (Ok(()), Ok(()), Ok(())));
    }
}

#[tokio::test]
async fn a_fetch_that_another_one_blocks_gives_up() {
    let sample = Sample::new();
    let repository = sample.repository();
    let held = alone(&repository, Instant::now()).await.unwrap();
    let failed = fetch(&repository, Duration::from_millis(200), &silent).await;
    assert!(matches!(failed, Err(GitError::Fetch { .. })), "{failed:?}");
    drop(held);
    assert_eq!(fetch(&repository, SOON, &silent).await, Ok(()));
}

#[test]
fn a_transfer_that_will_take_long_is_seen_by_how_far_it_has_come() {
    let line = "Receiving objects:   4% (40/1000), 1.20 MiB | 100.00 KiB/s";
    assert_eq!(counted(line, "Receiving objects:"), Some((40, 1000)));
    let at = Duration::from_secs;
    assert!(long(line, at(11)) && !long(line, at(9)), "not before it can be told");
    assert!(!long("Receiving objects:  50% (500/1000), 1.20 MiB", at(40)));
    assert!(long("Receiving objects:  50% (500/1000), 1.20 MiB", at(50)));
    for other in ["remote: Counting objects:  4% (40/1000)", "Receiving objects:", "Resolving deltas: 1% (1/99)", ""] {
        assert!(!long(other, at(500)), "{other}");
    }
}

/// A remote of 24 commits with 50 KB of incompressible data each, and its mirror, which fetches through a relay.
/// The relay cuts each connection after `limit` bytes, and after 3000 bytes from the connection after `good` on. The
/// file `count` holds all that passed.
fn relayed() -> (Sample, tempfile::TempDir, Repository) {
    let sample = Sample::new();
    let mut state = 1_u64;
    for n in 0..24 {
        let noise: String = (0..50_000)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                char::from(b'!' + (state >> 33) as u8 % 90)
            })
            .collect();
        sample.commit("noise", &noise);
        sample.git(&["tag", &format!("v{n}.0.0")]);
    }
    sample.git(&["push", "-q", "origin", "main", "--tags"]);
    let relay = sample.folder.path().join("relay");
    let at = sample.folder.path().display();
    let text = format!(
        "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\ncd {at}\necho >> calls\nlimit=$(cat limit)\n\
         [ \"$(wc -l < calls)\" -le \"$(cat good)\" ] || limit=3000\n\
         sh -c \"$1\" | stdbuf -o0 head -c \"$limit\" | tee -a count\n"
    );
    lab::runnable::write(&relay, &text);
    let cache = tempfile::tempdir().unwrap();
    let mirror = Repository::locate(&format!("host:{}", sample.origin.display()), cache.path()).unwrap();
    through(&mirror, &relay);
    (sample, cache, mirror)
}

/// Git calls the relay once for each connection. With `ssh.variant` set, it doesn't probe it first.
fn through(mirror: &Repository, relay: &std::path::Path) {
    crate::git::sample::git(&mirror.folder, &["config", "core.sshCommand", relay.to_str().unwrap()]);
    crate::git::sample::git(&mirror.folder, &["config", "ssh.variant", "ssh"]);
}

fn limited(sample: &Sample, bytes: u64, good: u32) {
    for (name, text) in
        [("limit", bytes.to_string()), ("good", good.to_string()), ("count", String::new()), ("calls", String::new())]
    {
        std::fs::write(sample.folder.path().join(name), text).unwrap();
    }
}

fn passed(sample: &Sample) -> u64 {
    std::fs::metadata(sample.folder.path().join("count")).unwrap().len()
}

#[tokio::test]
async fn a_first_fetch_over_a_connection_that_breaks_again_and_again_comes_to_its_end() {
    let (sample, _cache, mirror) = relayed();
    // A quarter of the data.
    limited(&sample, 250_000, 1000);
    fetch(&mirror, SOON, &silent).await.unwrap();
    let seen = names(&mirror).unwrap();
    assert_eq!((seen.branches.len(), seen.tags.len()), (1, 24));
    let log = ["rev-list", "--count", "refs/rfab/heads/main"];
    assert_eq!(crate::git::sample::git(&mirror.folder, &log), "25");
    crate::git::sample::git(&mirror.folder, &["fsck", "--full", "--strict"]);
    assert_eq!(crate::git::sample::git(&mirror.folder, &["for-each-ref", "refs/rfab-part/"]), "");
    let left = std::fs::read_dir(mirror.folder.join("objects/pack")).unwrap().flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("tmp")));
    // The next fetch has little to transfer.
    limited(&sample, 250_000, 1000);
    fetch(&mirror, SOON, &silent).await.unwrap();
    assert!(passed(&sample) < 50_000);
}

#[tokio::test]
async fn what_had_arrived_when_a_first_fetch_gave_up_is_not_fetched_again() {
    let (sample, _cache, mirror) = relayed();
    // The whole fetch is cut, two connections list the remote, and two portions arrive.
    limited(&sample, 250_000, 5);
    let failed = fetch(&mirror, SOON, &silent).await.unwrap_err().to_string();
    assert!(failed.contains("what arrived before is kept"), "{failed}");
    assert_eq!(names(&mirror).unwrap(), crate::git::ReferenceNames::default(), "nobody takes half of it for the whole");
    limited(&sample, 1 << 30, 1000);
    fetch(&mirror, SOON, &silent).await.unwrap();
    let rest = passed(&sample);
    limited(&sample, 1 << 30, 1000);
    let (cache, url) = (tempfile::tempdir().unwrap(), mirror.remote.clone().unwrap());
    let whole = Repository::locate(&url, cache.path()).unwrap();
    let relay = sample.folder.path().join("relay");
    through(&whole, &relay);
    fetch(&whole, SOON, &silent).await.unwrap();
    assert!(rest + 30_000 < passed(&sample), "{rest}");
    assert_eq!(names(&whole).unwrap(), names(&mirror).unwrap());
}

#[tokio::test]
async fn a_mirror_runs_nothing_of_the_repositorys_configuration() {
    let sample = Sample::new();
    let cache = tempfile::tempdir().unwrap();
    let touched = sample.folder.path().join("touched");
    let url = format!("file://{}", sample.origin.display());
    let mirror = Repository::locate(&url, cache.path()).unwrap();
    let hook = mirror.folder.join("hooks/reference-transaction");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    lab::runnable::write(&hook, &format!("#!/bin/sh\ntouch {}\n", touched.display()));
    fetch(&mirror, SOON, &silent).await.unwrap();
    assert!(!touched.exists());
    assert_eq!(names(&mirror).unwrap().branches.len(), 1);
    let again = Repository::locate(&url, cache.path()).unwrap();
    assert_eq!(names(&again).unwrap(), names(&mirror).unwrap());
}
