//! What a commit only names is on the hosts: its submodules, what git-lfs keeps, and placeholders.
use lab::{HostPlan, Lab, Output, Plan, Sudo, needs_lab};
use std::fs;

/// Makes a shop with two hosts and a submodule in a repository beside its own.
fn shop() -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let plan = Plan::new().serving("v3.0.0").host(web("web1", "group1")).host(web("web2", "group2"));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.edit("fleets/prod.toml", |text| text.replace("[app]\n", "[app]\nexport_subst = true\n"));
    lab
}

/// Runs a line of somebody who lets git fetch submodules from folders of this machine, as the origin is one.
fn allowed(lab: &Lab, words: &[&str]) -> Output {
    let run = lab.rfab(words).env("GIT_CONFIG_COUNT", "1");
    run.env("GIT_CONFIG_KEY_0", "protocol.file.allow").env("GIT_CONFIG_VALUE_0", "always").output()
}

#[test]
fn submodules_git_lfs_and_placeholders_are_on_every_host_or_nothing_was_changed() {
    if !needs_lab("submodules_git_lfs_and_placeholders_are_on_every_host_or_nothing_was_changed") {
        return;
    }
    let lab = shop();
    let git = |words: &[&str]| lab.project.git(words).expect_ok();
    // The submodule is a branch of a repository beside the origin, which the clone has never seen.
    let lib = lab.folder.join("lib.git");
    git(&["clone", "-q", "--bare", &lab.project.remote.display().to_string(), &lib.display().to_string()]);
    let pinned = lab.project.resolve("v3.0.0");
    git(&["config", "-f", ".gitmodules", "submodule.vendor/lib.path", "vendor/lib"]);
    git(&["config", "-f", ".gitmodules", "submodule.vendor/lib.url", "../lib.git"]);
    git(&["update-index", "--add", "--cacheinfo", &format!("160000,{pinned},vendor/lib")]);
    // A file of git-lfs, whose content is at the origin alone.
    let sha256 = "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447";
    let kept = lab.project.remote.join("lfs/objects/a9/48");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join(sha256), "hello world\n").unwrap();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize 12\n");
    lab.project.write(".gitattributes", "*.bin filter=lfs\nversion.txt export-subst\n");
    lab.project.write("big.bin", &pointer);
    lab.project.write("version.txt", "$Format:%H %(describe:tags)$\n");
    lab.project.write("index.txt", "shop v3.0.2\n");
    git(&["add", ".gitattributes", ".gitmodules", "big.bin", "version.txt", "index.txt"]);
    git(&["commit", "-qm", "what a commit only names"]);
    git(&["tag", "v3.0.2"]);
    git(&["push", "-q", "--no-verify", "origin", "HEAD", "v3.0.2"]);
    let status = git(&["status", "--porcelain"]);
    // git's own protection holds, before anything is changed.
    let refused = lab.rfab(&["prod", "release:v3.0.2"]).output();
    let why = format!("`vendor/lib` is a submodule, and `{}` can't be fetched from `{}`", &pinned[..12], lib.display());
    assert!(refused.code == Some(1) && refused.stdout.contains(&why), "{refused:?}");
    assert!(refused.stdout.contains("transport 'file' not allowed"), "{refused:?}");
    for name in ["web1", "web2"] {
        assert_eq!(lab.host(name).serves().as_deref(), Some(&lab.project.resolve("v3.0.0")[..12]));
    }
    let done = allowed(&lab, &["prod", "release:v3.0.2"]);
    assert_eq!((done.code, &*done.stderr), (Some(0), ""), "{}", done.stdout);
    let commit = lab.project.resolve("v3.0.2");
    for name in ["web1", "web2"] {
        let read = |file: &str| lab.host(name).sh(&format!("cat /srv/shop/current/{file}")).expect_ok();
        assert_eq!(read("big.bin"), "hello world\n", "{name}");
        assert_eq!(read("vendor/lib/index.txt"), "shop v3.0.0\n", "{name}");
        assert_eq!(read("version.txt"), format!("{commit} v3.0.2\n"), "{name}");
    }
    assert_eq!(git(&["status", "--porcelain"]), status, "the work tree is left alone");
    let verified = allowed(&lab, &["prod", "release:v3.0.2"]);
    assert!(verified.code == Some(0) && verified.stdout.contains("unchanged"), "{verified:?}");
}
