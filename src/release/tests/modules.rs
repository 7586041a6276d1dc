//! Submodules in a release: fetched, pinned, and hostile ones refused.
use crate::{
    fleet::TreeRules,
    git::{
        Tree,
        sample::{Sample, git},
    },
    release::{Packed, ReleaseError, pack, tree},
};
use std::{fs, path::Path};

/// A repository with the submodule `vendor/lib`, which has the submodule `inner` in turn.
struct Nested {
    outer: Sample,
    lib: Sample,
    inner: Sample,
    cache: tempfile::TempDir,
}

impl Nested {
    fn new() -> Self {
        let [outer, lib, inner] = [Sample::new(), Sample::new(), Sample::new()];
        inner.commit("deep", "deep");
        inner.git(&["push", "-q", "origin", "main"]);
        lib.write("secret", b"not released");
        lib.write(".gitattributes", b"secret export-ignore\n");
        lib.write("app", b"lib's own");
        lib.commit_all();
        pinned(&lib, "inner", inner.origin.to_str().unwrap(), &inner.git(&["rev-parse", "HEAD"]));
        lib.git(&["push", "-q", "origin", "main"]);
        // These attributes don't count in the submodule.
        outer.write(".gitattributes", b"app export-ignore\n");
        outer.commit_all();
        pinned(&outer, "vendor/lib", lib.origin.to_str().unwrap(), &lib.git(&["rev-parse", "HEAD"]));
        Nested { outer, lib, inner, cache: tempfile::tempdir().unwrap() }
    }

    fn pack(&self) -> Result<Packed, ReleaseError> {
        let commit = self.outer.git(&["rev-parse", "HEAD"]);
        let (rules, cache) = (TreeRules::default(), self.cache.path());
        pack(&self.outer.repository(), &commit, &rules, cache, cache)
    }

    async fn fetch(&self) -> Result<(), ReleaseError> {
        let commit = self.outer.git(&["rev-parse", "HEAD"]);
        let silent = crate::git::silent;
        tree::fetch(&self.outer.repository(), &commit, &TreeRules::default(), self.cache.path(), &silent).await
    }

    /// Lets git fetch submodules from folders of this machine, as a user can.
    fn allow(&self) {
        for copy in fs::read_dir(self.cache.path().join("modules")).unwrap() {
            git(&copy.unwrap().path(), &["config", "protocol.file.allow", "always"]);
        }
    }

    /// Fetches with as many tries as there are repositories that git must be allowed to fetch.
    async fn fetched(&self) -> Packed {
        for _ in 0..2 {
            assert!(self.fetch().await.is_err());
            self.allow();
        }
        self.fetch().await.unwrap();
        self.pack().unwrap()
    }

    fn said(&self, error: &ReleaseError) -> String {
        let mut text = error.to_string();
        for (sample, name) in [(&self.outer, "OUTER"), (&self.lib, "LIB"), (&self.inner, "INNER")] {
            text = text.replace(sample.folder.path().to_str().unwrap(), name);
            text = text.replace(&sample.git(&["rev-parse", "HEAD"])[..12], &format!("{name}-ID"));
        }
        text
    }
}

/// Commits a submodule at a commit, without fetching it.
fn pinned(sample: &Sample, path: &str, url: &str, commit: &str) {
    for (key, value) in [("path", path), ("url", url)] {
        sample.git(&["config", "-f", ".gitmodules", &format!("submodule.{path}.{key}"), value]);
    }
    sample.git(&["add", ".gitmodules"]);
    sample.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    sample.git(&["commit", "-qm", "pin"]);
}

fn names(packed: &Packed) -> Vec<&str> {
    packed.manifest.entries.iter().map(|entry| &*entry.path).collect()
}

#[tokio::test]
async fn submodules_in_submodules_are_released_at_their_pinned_commits() {
    let nested = Nested::new();
    let error = nested.pack().unwrap_err();
    assert_eq!(
        nested.said(&error),
        "`OUTER-ID` can't be released: `vendor/lib` is a submodule, and `LIB-ID` of `LIB/origin.git` isn't on this machine"
    );
    let error = nested.fetch().await.unwrap_err();
    let said = nested.said(&error);
    assert!(said.contains("`LIB-ID` can't be fetched from `LIB/origin.git`: "), "{said}");
    assert!(said.contains("transport 'file' not allowed"), "git's own protection: {said}");
    // Later commits of the submodules don't count.
    nested.lib.commit("app", "newer");
    nested.lib.git(&["push", "-q", "origin", "main"]);
    let before = nested.outer.git(&["status", "--porcelain"]);
    let packed = nested.fetched().await;
    let wanted = [".gitattributes", ".gitmodules", "README", "vendor", "vendor/lib", "vendor/lib/.gitattributes"];
    let more = ["vendor/lib/.gitmodules", "vendor/lib/README", "vendor/lib/app", "vendor/lib/inner"];
    let inner = ["vendor/lib/inner/README", "vendor/lib/inner/deep"];
    assert_eq!(names(&packed), [&wanted[..], &more, &inner].concat());
    assert!(!nested.outer.work.join("vendor/lib/app").exists(), "the work tree is left alone");
    assert_eq!(nested.outer.git(&["status", "--porcelain"]), before);
    // What was fetched is enough for the next time, and the build's folder is the same.
    fs::remove_dir_all(&nested.lib.origin).unwrap();
    nested.fetch().await.unwrap();
    let folder = nested.cache.path().join("built");
    let commit = nested.outer.git(&["rev-parse", "HEAD"]);
    let source = Tree::read(&nested.outer.repository(), &commit).unwrap();
    let at = source.at;
    tree::check_out(source, &TreeRules::default(), &folder, nested.cache.path()).unwrap();
    assert_eq!(fs::read_to_string(folder.join("vendor/lib/inner/deep")).unwrap(), "deep");
    assert!(folder.join("vendor/lib/secret").exists(), "a build may need what isn't released");
    fs::remove_file(folder.join("vendor/lib/secret")).unwrap();
    let again = tree::pack_folder(&folder, &commit, at, &[], nested.cache.path()).unwrap();
    let kept: Vec<&str> = names(&again).into_iter().filter(|name| !name.ends_with("lib/app")).collect();
    assert_eq!(kept.len() + 1, names(&packed).len());
}

#[tokio::test]
async fn a_commit_that_the_server_no_longer_has_is_named_with_its_url() {
    let nested = Nested::new();
    nested.lib.git(&["commit", "-q", "--allow-empty", "-m", "not pushed"]);
    pinned(&nested.outer, "vendor/lib", nested.lib.origin.to_str().unwrap(), &nested.lib.git(&["rev-parse", "HEAD"]));
    assert!(nested.fetch().await.is_err());
    nested.allow();
    let error = nested.fetch().await.unwrap_err();
    assert_eq!(
        nested.said(&error),
        "`OUTER-ID` can't be released: `vendor/lib` is a submodule, and `LIB-ID` can't be fetched from \
         `LIB/origin.git`: it doesn't have the commit"
    );
}

#[tokio::test]
async fn what_the_clone_has_of_a_submodule_is_used_if_it_was_pushed() {
    let nested = Nested::new();
    let clone = |own: &Sample, at: &Path, name: &str| {
        git(at, &["clone", "-q", "--bare", own.origin.to_str().unwrap(), &format!("modules/{name}")]);
        let module = at.join("modules").join(name);
        git(&module, &["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]);
        git(&module, &["fetch", "-q"]);
        module
    };
    let lib = clone(&nested.lib, &nested.outer.work.join(".git"), "vendor/lib");
    clone(&nested.inner, &lib, "inner");
    nested.fetch().await.unwrap();
    assert_eq!(names(&nested.pack().unwrap()).len(), 12);
    git(&lib, &["update-ref", "-d", "refs/remotes/origin/main"]);
    assert!(nested.pack().is_err(), "nobody pushed it, as far as this clone knows");
}

#[tokio::test]
async fn placeholders_of_a_submodule_are_the_same_on_a_machine_that_has_all_of_it() {
    let [outer, lib] = [Sample::new(), Sample::new()];
    lib.write("version", b"$Format:%h %P %p %D %(describe) %(describe:tags=true)$");
    lib.write(".gitattributes", b"version export-subst\n");
    lib.commit_all();
    lib.git(&["tag", "-a", "-m", "1.0.0", "v1.0.0"]);
    lib.git(&["push", "-q", "origin", "main", "v1.0.0"]);
    pinned(&outer, "lib", lib.origin.to_str().unwrap(), &lib.git(&["rev-parse", "HEAD"]));
    let commit = outer.git(&["rev-parse", "HEAD"]);
    let rules = TreeRules { export_subst: true, ..TreeRules::default() };
    let packed = |cache: &Path| {
        let packed = pack(&outer.repository(), &commit, &rules, cache, cache).unwrap();
        packed.manifest_sha256
    };
    // One machine has only the commit, the other one has a clone with all names.
    let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let silent = crate::git::silent;
    assert!(tree::fetch(&outer.repository(), &commit, &rules, first.path(), &silent).await.is_err());
    for copy in fs::read_dir(first.path().join("modules")).unwrap() {
        git(&copy.unwrap().path(), &["config", "protocol.file.allow", "always"]);
    }
    tree::fetch(&outer.repository(), &commit, &rules, first.path(), &silent).await.unwrap();
    let alone = packed(first.path());
    let clone = outer.work.join(".git/modules/lib");
    git(&outer.work, &["clone", "-q", "--bare", lib.origin.to_str().unwrap(), clone.to_str().unwrap()]);
    git(&clone, &["fetch", "-q", "origin", "+refs/tags/*:refs/rfab/tags/*", "+refs/heads/*:refs/remotes/origin/*"]);
    assert_eq!(packed(second.path()), alone);
}

#[tokio::test]
async fn a_hostile_gitmodules_fetches_nothing_and_is_named() {
    let commit = "1".repeat(40);
    let mark = tempfile::tempdir().unwrap();
    let program = format!("ext::touch {}/ran", mark.path().display());
    for (name, url, why) in [
        ("lib", "--upload-pack=touch /tmp/ran", "its URL `--upload-pack=touch /tmp/ran` would be an option to git"),
        ("lib", &*program, "names a program to run"),
        ("../../hooks", "https://127.0.0.1:1/x", "`.gitmodules` gives it a name that git refuses"),
        ("lib", "../../../../../../../../../../../../x", "goes above the repository's own URL"),
        ("lib", "https://bot:s3cret@127.0.0.1:1/x", "can't be fetched from `https://…@127.0.0.1:1/x`: "),
    ] {
        let sample = Sample::new();
        let text = format!("[submodule \"{name}\"]\n\tpath = vendor/lib\n\turl = \"{url}\"\n\tupdate = !touch ran\n");
        sample.write(".gitmodules", text.as_bytes());
        sample.git(&["add", ".gitmodules"]);
        sample.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/lib")]);
        sample.git(&["commit", "-qm", "bad"]);
        let head = sample.git(&["rev-parse", "HEAD"]);
        let cache = tempfile::tempdir().unwrap();
        let (rules, silent) = (TreeRules::default(), crate::git::silent);
        let fetched = tree::fetch(&sample.repository(), &head, &rules, cache.path(), &silent).await;
        let said = match fetched {
            Ok(()) => pack(&sample.repository(), &head, &rules, cache.path(), cache.path()).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(why) && !said.contains("s3cret"), "{said}");
        assert!(said.contains("`vendor/lib` is a submodule, and "), "{said}");
        let checked = tree::check(&sample.repository(), &head, &rules, cache.path());
        assert_eq!(checked.is_err(), url.starts_with("https:") == (name != "lib"), "a dry run finds it, too: {said}");
    }
    assert!(fs::read_dir(mark.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn a_submodule_that_is_not_released_is_not_fetched() {
    let sample = Sample::new();
    sample.write(".gitattributes", b"vendor export-ignore\n");
    sample.commit_all();
    pinned(&sample, "vendor/lib", "https://127.0.0.1:1/x", &"1".repeat(40));
    pinned(&sample, "uploads", "https://127.0.0.1:1/x", &"1".repeat(40));
    let head = sample.git(&["rev-parse", "HEAD"]);
    let cache = tempfile::tempdir().unwrap();
    let rules = TreeRules { linked: vec!["uploads".into()], ..TreeRules::default() };
    let silent = crate::git::silent;
    tree::fetch(&sample.repository(), &head, &rules, cache.path(), &silent).await.unwrap();
    let packed = pack(&sample.repository(), &head, &rules, cache.path(), cache.path()).unwrap();
    assert_eq!(names(&packed), [".gitattributes", ".gitmodules", "README", "uploads"]);
}
