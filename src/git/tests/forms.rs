use crate::{
    fleet::{Accept, TreeRules},
    git::{
        GitError, ReferenceKind, ReferenceNames, ReferenceQuery, Repository, Tree, log_between, names, resolve,
        sample::{git, knows},
        silent,
    },
    release::{Packing, pack},
};
use std::{path::Path, time::Duration};

const ALL: [Accept; 4] = [Accept::Stable, Accept::Tag, Accept::Branch, Accept::Commit];

fn ask(reference: &str) -> ReferenceQuery<'_> {
    ReferenceQuery {
        reference,
        fetch: true,
        accept: &ALL,
        guarded: true,
        tags: None,
        tree: None,
        within: Duration::from_secs(60),
        progress: &silent,
    }
}

/// A remote with `v1.0.0` (annotated, through another tag) and one more commit on `main`. `init` has options for
/// `git init`, such as another hash.
struct TestRemote {
    folder: tempfile::TempDir,
    first: String,
    second: String,
}

impl TestRemote {
    fn new(init: &[&str]) -> TestRemote {
        let folder = tempfile::Builder::new().prefix("rfab-").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        git(folder.path(), &[&["init", "-q", "-b", "main"], init, &["source"]].concat());
        let source = at("source");
        for (key, value) in [("user.name", "Anna"), ("user.email", "anna@example.org"), ("commit.gpgsign", "false")] {
            git(&source, &["config", key, value]);
        }
        std::fs::create_dir_all(source.join("bin/deep")).unwrap();
        let commit = |text: &str| {
            for file in ["README", "bin/run", "bin/deep/odd name"] {
                std::fs::write(source.join(file), format!("{file} {text}\n")).unwrap();
            }
            git(&source, &["add", "-A"]);
            git(&source, &["commit", "-q", "-m", text]);
            git(&source, &["rev-parse", "HEAD"])
        };
        std::fs::write(source.join("large"), vec![b'x'; 9 << 20]).unwrap();
        std::os::unix::fs::symlink("run", source.join("bin/link")).unwrap();
        let first = commit("one");
        git(&source, &["tag", "-a", "-m", "inner", "inner"]);
        git(&source, &["tag", "-a", "-m", "outer", "v1.0.0", "inner"]);
        let second = commit("two");
        git(folder.path(), &["clone", "-q", "--bare", "source", "remote.git"]);
        for key in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            git(&at("remote.git"), &["config", key, "true"]);
        }
        TestRemote { folder, first, second }
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self) -> String {
        format!("file://{}", self.at("remote.git").display())
    }

    fn git(&self, args: &[&str]) {
        git(self.folder.path(), args);
    }
}

/// Makes a repository of a form, and returns its source; empty if this machine's git can't make it.
fn make(remote: &TestRemote, form: &str) -> String {
    let url = remote.url();
    match form {
        "bare" => return remote.at("remote.git").display().to_string(),
        "url" => return url,
        "shallow" => remote.git(&["clone", "-q", "--depth=1", &url, form]),
        "blob:none" => remote.git(&["clone", "-q", "--filter=blob:none", "--no-checkout", &url, form]),
        "tree:0" => remote.git(&["clone", "-q", "--filter=tree:0", "--no-checkout", &url, form]),
        "reftable" => remote.git(&["clone", "-q", "--ref-format=reftable", &url, form]),
        "alternates" => remote.git(&["clone", "-q", "--reference", "source", &url, form]),
        "worktree" => {
            remote.git(&["clone", "-q", &url, "main"]);
            git(&remote.at("main"), &["worktree", "add", "-q", "-b", "side", "../worktree"]);
        }
        "detached" => {
            remote.git(&["clone", "-q", &url, form]);
            git(&remote.at(form), &["checkout", "-q", "--detach", &remote.first]);
        }
        // Formats that libgit2 can't open, and settings that change git's output: libgit2/libgit2#6873,
        // sds/overcommit#388, mhutchie/vscode-git-graph#452.
        "settings" => {
            remote.git(&["clone", "-q", &url, form]);
            for (key, value) in [
                ("core.repositoryFormatVersion", "1"),
                ("extensions.preciousObjects", "true"),
                ("extensions.worktreeConfig", "true"),
                ("color.ui", "always"),
                ("log.showSignature", "true"),
                ("log.date", "relative"),
                ("log.decorate", "full"),
                ("core.abbrev", "4"),
                ("core.quotePath", "true"),
                ("core.pager", "false"),
                ("i18n.logOutputEncoding", "ISO-8859-1"),
            ] {
                git(&remote.at(form), &["config", key, value]);
            }
        }
        _ => remote.git(&["clone", "-q", &url, form]),
    }
    remote.at(form).display().to_string()
}

const FORMS: [&str; 11] = [
    "clone",
    "bare",
    "url",
    "shallow",
    "blob:none",
    "tree:0",
    "reftable",
    "alternates",
    "worktree",
    "detached",
    "settings",
];

/// Checks that everything that rfab reads is the same as in a plain clone.
async fn read(remote: &TestRemote, source: &str, form: &str) {
    let cache = remote.at("cache");
    let at = Repository::locate(source, &cache).unwrap_or_else(|e| panic!("{form}: {e}"));
    for (reference, kind, commit) in [
        ("stable", ReferenceKind::Stable, &remote.first),
        ("v1.0.0", ReferenceKind::Tag, &remote.first),
        ("main", ReferenceKind::Branch, &remote.second),
        (&remote.first[..9], ReferenceKind::Commit, &remote.first),
        (&remote.second, ReferenceKind::Commit, &remote.second),
    ] {
        let found = resolve(&at, ask(reference)).await.unwrap_or_else(|e| panic!("{form} {reference}: {e}"));
        assert_eq!((found.kind, &found.commit), (kind, commit), "{form} {reference}");
        let into = tempfile::tempdir().unwrap();
        let packed = pack(&at, commit, &TreeRules::default(), into.path(), into.path())
            .unwrap_or_else(|e| panic!("{form} {reference}: {e}"));
        let plain = pack(&own(remote, "source"), commit, &TreeRules::default(), into.path(), into.path()).unwrap();
        let [read, wanted] = [&packed, &plain].map(|packed| packed.whole(into.path(), Packing::Gzip).unwrap());
        assert_eq!((packed.manifest, read), (plain.manifest, wanted), "{form} {reference}");
        assert_eq!(Tree::has_folder(&at, commit, "bin/deep/"), Some(true), "{form}");
        assert_eq!(Tree::has_folder(&at, commit, "README"), Some(false), "{form}");
        assert_eq!(Tree::has_folder(&at, commit, "none"), None, "{form}");
    }
    if form == "shallow" {
        // A shallow clone lacks the history between two of its commits.
        return;
    }
    let told = log_between(&at, &remote.first, &remote.second, 9, None).unwrap_or_else(|e| panic!("{form}: {e}"));
    assert_eq!(told, log_between(&own(remote, "source"), &remote.first, &remote.second, 9, None).unwrap(), "{form}");
    assert_eq!((told.added.len(), told.dropped.len(), &*told.added[0].subject), (1, 0, "two"));
    let ReferenceNames { branches, tags } = names(&at).unwrap();
    let listed = |all: Vec<super::super::NamedCommit>| all.into_iter().map(|one| one.name).collect::<Vec<_>>();
    assert!(listed(branches).contains(&"main".to_owned()), "{form}");
    assert_eq!(listed(tags), ["inner", "v1.0.0"], "{form}");
    for unknown in ["v9.9.9", "0123456789", "main~1", "HEAD"] {
        let ended = resolve(&at, ask(unknown)).await;
        assert!(matches!(ended, Err(GitError::Unknown { .. })), "{form} {unknown}: {ended:?}");
    }
}

fn own(remote: &TestRemote, name: &str) -> Repository {
    Repository::locate(remote.at(name).to_str().unwrap(), Path::new("/nowhere")).unwrap()
}

#[tokio::test]
async fn every_form_of_a_repository_is_read_as_a_plain_one_is() {
    let remote = TestRemote::new(&[]);
    for form in FORMS {
        if form == "reftable" && !knows("--ref-format=reftable") {
            continue;
        }
        read(&remote, &make(&remote, form), form).await;
    }
}

#[tokio::test]
async fn every_form_of_a_repository_may_be_of_sha256() {
    let remote = TestRemote::new(&["--object-format=sha256"]);
    assert_eq!(remote.first.len(), 64);
    for form in FORMS {
        if form == "reftable" && !knows("--ref-format=reftable") {
            continue;
        }
        read(&remote, &make(&remote, form), form).await;
    }
}

#[tokio::test]
async fn a_repository_without_a_commit_has_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for init in [&[][..], &["--object-format=sha256"]] {
        git(folder.path(), &[&["init", "-q", "-b", "main"], init, &["empty"]].concat());
        git(folder.path(), &["clone", "-q", "empty", "clone"]);
        for (name, said) in [("empty", "no stable tag"), ("clone", "no stable tag")] {
            let at = folder.path().join(name);
            let at = Repository::locate(at.to_str().unwrap(), Path::new("/nowhere")).unwrap();
            let ended = resolve(&at, ask("stable")).await.unwrap_err().to_string();
            assert!(ended.contains(said), "{name}: {ended}");
            assert!(matches!(resolve(&at, ask("main")).await, Err(GitError::Unknown { .. })), "{name}");
        }
        for name in ["empty", "clone"] {
            std::fs::remove_dir_all(folder.path().join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn what_a_partial_clone_lacks_is_never_fetched_in_passing() {
    let remote = TestRemote::new(&[]);
    let source = make(&remote, "blob:none");
    let at = Repository::locate(&source, Path::new("/nowhere")).unwrap();
    resolve(&at, ask("v1.0.0")).await.unwrap();
    let unfetched = ReferenceQuery { fetch: false, ..ask("main") };
    assert_eq!(resolve(&at, unfetched).await.unwrap().commit, remote.second);
    let into = tempfile::tempdir().unwrap();
    let ended = pack(&at, &remote.second, &TreeRules::default(), into.path(), into.path()).unwrap_err().to_string();
    assert!(ended.contains("a partial clone lacks files"), "{ended}");
    pack(&at, &remote.first, &TreeRules::default(), into.path(), into.path()).unwrap();
}

#[tokio::test]
async fn a_partial_clone_gets_only_the_files_of_the_apps_folder() {
    let remote = TestRemote::new(&[]);
    for form in ["blob:none", "tree:0"] {
        let source = make(&remote, form);
        let at = Repository::locate(&source, Path::new("/nowhere")).unwrap();
        resolve(&at, ReferenceQuery { tree: Some("bin/deep"), ..ask("main") }).await.unwrap();
        let into = tempfile::tempdir().unwrap();
        let rules = |tree: &str| TreeRules { tree: Some(tree.into()), ..TreeRules::default() };
        pack(&at, &remote.second, &rules("bin/deep"), into.path(), into.path()).unwrap();
        if form == "blob:none" {
            let ended = pack(&at, &remote.second, &rules("bin"), into.path(), into.path()).unwrap_err().to_string();
            assert!(ended.contains("a partial clone lacks files"), "{ended}");
        }
    }
}

/// For example `relativeWorktrees` with a git before 2.48: libgit2/libgit2#7210.
#[tokio::test]
async fn an_extension_that_nobody_here_knows_is_named() {
    let remote = TestRemote::new(&[]);
    let source = make(&remote, "clone");
    for (key, value) in [("core.repositoryFormatVersion", "1"), ("extensions.ofTomorrow", "true")] {
        git(Path::new(&source), &["config", key, value]);
    }
    let at = Repository::locate(&source, Path::new("/nowhere"));
    let ended = match at {
        Ok(at) => resolve(&at, ask("main")).await.unwrap_err().to_string(),
        Err(e) => e.to_string(),
    };
    assert!(ended.to_lowercase().contains("oftomorrow"), "{ended}");
}
