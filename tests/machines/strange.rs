//! Repositories of other users: rfab runs nothing that their configuration names, but uses the user's own.

use lab::{HostPlan, Lab, Plan, Repository, Sudo, needs_root, runnable};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

/// Starts a host, with tasks that fetch from a repository and pack its files.
fn lab() -> Lab {
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("testing1").role("web").sudo(Sudo::Free)));
    lab.edit("fabfile.rhai", |_| {
        "fn on() { fleet(\"fleets/testing1.toml\") }\n\
         fn show() { ui::note(`${git::resolve(\"stable\").id}`); }\n\
         fn lost() { ui::note(`${git::resolve(\"missing\").id}`); }\n\
         fn pack() {\n    \
             let wanted = release::number(release::resolve(\"stable\"));\n    \
             for host in targets() { release::set_up(host); release::stage(host, wanted); }\n\
         }\n"
        .into()
    });
    let linked = |text: String| text.lines().filter(|l| !l.starts_with("linked")).map(|l| format!("{l}\n")).collect();
    lab.edit("fleets/testing1.toml", linked);
    lab
}

/// Gives a repository to another user, with this script in each key, hook and attribute by which git runs a program.
fn make_hostile(lab: &Lab, strange: &Repository, script: &Path) {
    let (hook, remote) = (script.display().to_string(), format!("file://{}", strange.remote.display()));
    for (key, value) in [
        ("core.fsmonitor", hook.clone()),
        ("core.sshCommand", hook.clone()),
        ("core.pager", hook.clone()),
        ("core.editor", hook.clone()),
        ("credential.helper", format!("!{hook}")),
        ("core.gitProxy", hook.clone()),
        ("diff.external", hook.clone()),
        ("filter.evil.smudge", hook.clone()),
        ("filter.evil.clean", hook.clone()),
        ("filter.evil.process", hook.clone()),
        ("protocol.ext.allow", "always".into()),
        ("core.alternateRefsCommand", hook.clone()),
        ("core.askPass", hook.clone()),
        ("uploadpack.packObjectsHook", hook.clone()),
        ("remote.origin.uploadpack", hook.clone()),
        // git also finds a remote's configuration by its URL.
        ("remote.origin.url", remote.clone()),
        (&format!("remote.{remote}.uploadpack"), hook.clone()),
    ] {
        strange.git(&["config", key, &value]).expect_ok();
    }
    for name in ["post-checkout", "reference-transaction", "post-merge", "pre-push", "post-index-change", "pre-auto-gc"]
    {
        let to = strange.folder.join(".git/hooks").join(name);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        runnable::copy(script, &to);
    }
    fs::write(strange.folder.join(".git/info/attributes"), "* filter=evil diff=evil\n").expect("attributes");
    lab.program("chown", &["-R", "58003:58003", &strange.folder.display().to_string()]).output().expect_ok();
}

#[test]
fn a_strange_repositorys_configuration_runs_nothing() {
    if !needs_root("a_strange_repositorys_configuration_runs_nothing") {
        return;
    }
    let lab = lab();
    lab.host("web1")
        .sh("mkdir -p /srv/shop/releases /srv/shop/shared /srv/shop/.rfab && chown -R shop: /srv/shop")
        .expect_ok();
    // A file that appears if a command of the repository runs, as any user.
    let canaries = lab.folder.join("canaries");
    fs::create_dir(&canaries).expect("a folder");
    fs::set_permissions(&canaries, fs::Permissions::from_mode(0o777)).expect("a mode");
    let p = canaries.join("p");
    let strange = lab.colleague("mallory");
    let script = lab.folder.join("hook");
    runnable::write(&script, &format!("#!/bin/sh\ntouch {}\nexit 0\n", p.display()));
    let hook = script.display().to_string();
    make_hostile(&lab, &strange, &script);
    let source = strange.folder.display().to_string();
    let file = lab.project.folder.join("fleets/testing1.toml");
    let good = fs::read_to_string(&file).expect("the fleet");
    let links = lab.folder.join("links");
    fs::create_dir(&links).expect("a folder");
    symlink(strange.folder.join(".git"), links.join(".git")).expect("a link");
    for repository in [
        source.clone(),
        links.display().to_string(),
        format!("file://{source}"),
        format!("ext::{hook}"),
        format!("ext::sh -c touch% {}", p.display()),
        format!("ssh://-oProxyCommand={hook}/x"),
        format!("--upload-pack={hook}"),
        format!("fd::17/foo;touch {}", p.display()),
    ] {
        fs::write(&file, good.replace("repository = \".\"", &format!("repository = {repository:?}")))
            .expect("the fleet");
        let opened = [&source, &links.display().to_string(), &format!("file://{source}")].contains(&&repository);
        // Not even if the user's own configuration lets git open what others own.
        for safe in ["", "[safe]\n    directory = *\n"] {
            fs::write(lab.home().join(".gitconfig"), safe).expect("a configuration");
            for task in ["show", "pack"] {
                let out = lab.rfab(&["on", task]).output();
                assert!(!p.exists(), "`{repository}` ran a command: {out:?}");
                assert_eq!(out.ok(), opened && !safe.is_empty(), "`{repository}`: {out:?}");
            }
        }
    }
    fs::write(&file, good.replace("repository = \".\"", &format!("repository = {source:?}"))).expect("the fleet");
    ways_of_a_strange_one(&lab, &strange, &hook, &p);
}

/// Checks another user's repository: the user's settings for ssh count there, and the repository's don't.
fn ways_of_a_strange_one(lab: &Lab, strange: &Repository, hook: &str, p: &Path) {
    let ssh = lab.folder.join("as-ssh");
    runnable::write(&ssh, "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c \"$1\"\n");
    let config = strange.folder.join(".git/config").display().to_string();
    let configured = |key: &str, value: &str| strange.git(&["config", "-f", &config, key, value]).expect_ok();
    configured("remote.origin.url", &format!("host.invalid:{}", strange.remote.display()));
    // The help about another user's repository has the line that opens it.
    fs::write(lab.home().join(".gitconfig"), "").expect("a configuration");
    let theirs = lab.rfab(&["on", "show"]).output();
    let line = theirs.stdout.split("if you trust its owner, tell git to trust them too: `").nth(1);
    let line = line.and_then(|rest| rest.split('`').next()).unwrap_or_else(|| panic!("{theirs:?}"));
    assert!(line.contains("safe.directory") && !theirs.ok(), "{theirs:?}");
    lab.program("sh", &["-c", line]).output().expect_ok();
    for own in [None, Some(ssh.display().to_string())] {
        let run = lab.rfab(&["on", "show"]);
        let out = if let Some(own) = &own { run.env("GIT_SSH_COMMAND", own).output() } else { run.output() };
        assert!(!p.exists(), "{own:?} ran a command: {out:?}");
        assert_eq!(out.ok(), own.is_some(), "{own:?}: {out:?}");
    }
    // A remote that git asks for missing objects.
    let remote = format!("file://{}", strange.remote.display());
    for (key, value) in [
        ("remote.origin.url", &*remote),
        ("remote.evil.url", &remote),
        ("remote.evil.uploadpack", hook),
        ("remote.evil.promisor", "true"),
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "evil"),
    ] {
        configured(key, value);
    }
    let missing = "1234567890123456789012345678901234567890\n";
    fs::write(strange.folder.join(".git/refs/heads/missing"), missing).expect("a branch of what isn't there");
    // To find a tag, rfab doesn't look at that branch.
    for (task, succeeds) in [("show", true), ("pack", true), ("lost", false)] {
        let out = lab.rfab(&["on", task]).output();
        assert!(!p.exists(), "{task} ran a command: {out:?}");
        assert_eq!(out.ok(), succeeds, "{task}: {out:?}");
    }
}
