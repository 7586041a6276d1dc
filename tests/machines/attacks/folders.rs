//! Folders, locks and files that another user may read, or may put where rfab writes.

use super::lab;
use lab::{Lab, needs_lab, needs_root};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// Checks that rfab neither makes nor opens the target of the link.
fn a_lock_here_that_is_a_link_is_not_followed(lab: &Lab, folder: &Path) {
    lab.rfab(&["on", "hi"]).output().expect_ok();
    let locks: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "lock"))
        .collect();
    assert!(!locks.is_empty());
    // A run that finds a living connection needs no lock.
    for lock in &locks {
        let socket = lock.with_extension("").display().to_string();
        lab.program("ssh", &["-O", "exit", "-S", &socket, "web1"]).output().expect_ok();
    }
    for lock in &locks {
        fs::remove_file(lock).expect("a lock file");
        symlink(lab.folder.join("made"), lock).expect("a link");
    }
    let out = lab.rfab(&["on", "hi"]).output();
    assert!(!out.ok() && !lab.folder.join("made").exists(), "{out:?}");
    locks.iter().for_each(|lock| fs::remove_file(lock).expect("a link"));
}

/// Checks the folder on the host that holds the fleet's lock.
fn a_lock_on_the_host_that_somebody_else_made_is_refused(lab: &Lab) {
    let home = lab.host("web1").home();
    let state = format!("{home}/.local/state/rfab/testing1");
    let host = lab.host("web1");
    for (line, says) in [
        (format!("rm -f {state}/lock; ln -s {home}/made {state}/lock"), "isn't a plain file"),
        (format!("rm {state}/lock; mkdir {state}/lock"), "isn't a plain file"),
        (
            format!("rmdir {state}/lock; mv {state} {state}.old; ln -s {state}.old {state}"),
            "is a link or belongs to another user",
        ),
        (
            format!("rm {state}; mkdir {state}; chown shop-web: {state}; chmod 777 {state}"),
            "is a link or belongs to another user",
        ),
    ] {
        host.sh(&line).expect_ok();
        let out = lab.rfab(&["on", "hi"]).output();
        assert!(!out.ok() && out.stdout.contains(says), "`{says}` isn't said: {}", out.stdout);
        assert_eq!(host.sh(&format!("test -e {home}/made || echo none")).expect_ok(), "none\n");
    }
}

#[test]
fn a_folder_or_a_lock_that_somebody_else_put_there_is_not_used() {
    if !needs_root("a_folder_or_a_lock_that_somebody_else_put_there_is_not_used") {
        return;
    }
    let lab = lab("");
    let folder = lab.folder.join("run/rfab");
    let target = lab.folder.join("target");
    let refused = |says: &str| {
        let out = lab.rfab(&["on", "hi"]).output();
        assert_eq!(out.code, Some(1), "{out:?}");
        assert!(out.stdout.contains(says), "`{says}` isn't said: {}", out.stdout);
        assert!(!lab.host("web1").sshd_log().contains("Accepted"), "nothing was connected to");
    };
    fs::create_dir(&target).expect("a folder");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).expect("a mode");
    symlink(&target, &folder).expect("a link");
    refused("it is a link or a file");
    assert_eq!(fs::read_dir(&target).expect("a folder").count(), 0);
    fs::remove_file(&folder).expect("the link");
    fs::write(&folder, "").expect("a file");
    refused("it is a link or a file");
    fs::remove_file(&folder).expect("the file");
    fs::create_dir(&folder).expect("a folder");
    chown(&folder, Some(58003), Some(58003)).expect("another owner");
    refused("it belongs to another user");
    chown(&folder, Some(0), Some(0)).expect("an owner");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    refused("others may enter it");
    fs::remove_dir(&folder).expect("the folder");

    a_lock_here_that_is_a_link_is_not_followed(&lab, &folder);
    a_lock_on_the_host_that_somebody_else_made_is_refused(&lab);
}

/// Notes every file below a folder until `stop`, with all mode bits that it ever had.
fn watch(folder: &Path, stop: &AtomicBool, seen: &mut Vec<(PathBuf, u32)>) {
    while !stop.load(Ordering::Relaxed) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(about) = fs::symlink_metadata(entry.path()) else { continue };
                if about.is_dir() {
                    folders.push(entry.path());
                }
                let mode = if about.is_symlink() { 0 } else { about.mode() & 0o777 };
                match seen.iter_mut().find(|(path, _)| *path == entry.path()) {
                    Some((_, widest)) => *widest |= mode,
                    None => seen.push((entry.path(), mode)),
                }
            }
        }
    }
}

#[test]
pub(crate) fn no_file_of_a_run_can_be_read_by_others_at_any_moment() {
    if !needs_lab("no_file_of_a_run_can_be_read_by_others_at_any_moment") {
        return;
    }
    let lab = lab(
        "fn send() { targets().each(|host| { host.run(\"true\"); host.put(\"files\", \"tree\"); host.put(\"files/large\", \"private\"); host.get(\"private\", \"back\"); }); }",
    );
    // A runtime directory that others can enter, as when a system has none and rfab uses /tmp.
    let open = lab.folder.join("open");
    fs::create_dir_all(lab.project.folder.join("files")).expect("a folder");
    fs::create_dir(&open).expect("a folder");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::write(lab.project.folder.join("files/large"), vec![7; 30_000_000]).expect("a file");
    let private = lab.host("web1").folder.join("home/deploy/private");
    fs::write(&private, "").expect("a file");
    let owner = fs::metadata(lab.host("web1").folder.join("home/deploy")).expect("a home");
    chown(&private, Some(owner.uid()), Some(owner.gid())).expect("an owner");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).expect("a mode");
    let stop = AtomicBool::new(false);
    let (mut here, mut temp, mut there) = (Vec::new(), Vec::new(), Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| watch(&open, &stop, &mut here));
        scope.spawn(|| watch(&lab.folder.join("tmp"), &stop, &mut temp));
        scope.spawn(|| watch(&lab.host("web1").folder.join("home"), &stop, &mut there));
        let text = open.display().to_string();
        let out = lab
            .rfab(&["on", "send"])
            .env("XDG_RUNTIME_DIR", &text)
            .env("TMPDIR", &lab.folder.join("tmp").display().to_string())
            .output();
        thread::sleep(Duration::from_millis(50));
        stop.store(true, Ordering::Relaxed);
        out.expect_ok();
    });
    let names = |seen: &[(PathBuf, u32)], what: &str| {
        seen.iter().filter(|(path, _)| path.display().to_string().contains(what)).count()
    };
    assert!(names(&here, ".conf") >= 1 && names(&here, "/rfab/") >= 2, "{here:?}");
    assert!(names(&temp, "tmp/.rfab-") >= 1, "{temp:?}");
    assert!(names(&there, ".rfab-") >= 2 && names(&there, "state/rfab") >= 3, "{there:?}");
    for (path, mode) in here.iter().chain(&temp) {
        assert_eq!(mode & 0o077, 0, "others could read {}", path.display());
    }
    for (path, mode) in &there {
        // Others can't reach a file in a folder that is the login user's own, with any mode.
        let name = path.strip_prefix(lab.host("web1").folder.join("home/deploy")).unwrap_or(path);
        let reached = name.components().count() == 1
            && !name.starts_with("tree")
            && path.file_name().is_some_and(|n| n != "deploy");
        let is_state = path.ends_with(".local/state/rfab/testing1");
        assert!(
            !(reached || is_state) || mode & 0o077 == 0 || name.starts_with(".local"),
            "others could read {}: {mode:o}",
            path.display()
        );
    }
}

/// Swaps files in a folder of the app's user as fast as possible, while root writes there.
const SWAPS: &str = r#"
cd /srv/theirs || exit
while [ ! -e /srv/stop ]; do
    for one in .rfab-*; do
        [ -e "$one" ] || continue
        mv "$one" ".was$one" && ln -s /srv/victim "$one"
        chmod -R u+rwx . 2>/dev/null; ln -sf /srv/victim/file new
    done
    rm -f conf; ln -s /srv/victim/file conf
    rm -f conf; echo old > conf; chmod 4755 conf
    [ ! -d sub ] || mv sub .sub; ln -s /srv/victim sub; rm -f sub; mv .sub sub
done
"#;

#[test]
fn who_owns_a_folder_that_root_writes_to_cannot_lead_it_elsewhere() {
    if !needs_root("who_owns_a_folder_that_root_writes_to_cannot_lead_it_elsewhere") {
        return;
    }
    let lab = lab(r#"
fn writes() {
    targets().each(|host| {
        for n in range(0, 12) {
            let root = host.user("root");
            for f in [|| root.write("/srv/theirs/conf", "new"), || root.write("/srv/theirs/sub/conf", "new"), || root.put("tree", "/srv/theirs/sub/tree")] {
                try { f.call(); } catch (f) { ui::note(host, f.message); }
            }
        }
    });
}
"#);
    fs::create_dir_all(lab.project.folder.join("tree/deep")).expect("a folder");
    fs::write(lab.project.folder.join("tree/deep/file"), "new").expect("a file");
    let host = lab.host("web1");
    let setpriv = host.tool("setpriv");
    let attack = format!("exec {setpriv} --reuid=shop --regid=shop --clear-groups -- /bin/sh -c \"$1\"");
    host.sh("cd /srv && mkdir theirs theirs/sub victim && echo victim > victim/file && chmod 700 victim && chmod 600 victim/file && chown -R shop:shop theirs").expect_ok();
    host.exec(&["/bin/sh", "-c", &format!("({attack}) </dev/null >/dev/null 2>&1 &"), "sh", SWAPS]).expect_ok();
    let out = lab.rfab(&["on", "writes"]).output().expect_ok();
    host.sh("touch /srv/stop").expect_ok();
    let victim = host.sh("cd /srv/victim && find . | sort | xargs stat -c '%a %U %n' && cat file").expect_ok();
    assert_eq!(victim, "700 root .\n600 root ./file\nvictim\n", "{out}");
    let strange = host
        .sh("find / -xdev -user root -perm /6000 -newer /srv/victim/file; find /srv -user root -perm /6000")
        .expect_ok();
    assert_eq!(strange, "", "nothing that runs as root");
}

#[test]
fn what_somebody_made_among_the_releases_gives_no_number_and_what_they_left_there_is_named() {
    if !needs_root("what_somebody_made_among_the_releases_gives_no_number_and_what_they_left_there_is_named") {
        return;
    }
    let lab = lab(r#"
fn deploys() {
    targets().each(|host| release::set_up(host));
    for tag in ["v3.0.0", "v3.0.1", "v3.0.2"] {
        let made = release::number(git::resolve(tag));
        targets().each(|host| { release::stage(host, made); release::activate(host, made); });
    }
}
fn cut() { targets().each(|host| release::prune(host)); }
"#);
    lab.colleague("c").release("v3.0.2");
    let host = lab.host("web1");
    host.sh("mkdir -p /srv/shop/releases/999999999-aaaaaaaaaaaa && chown -R shop:shop /srv/shop").expect_ok();
    let out = lab.rfab(&["on", "deploys"]).output().expect_ok();
    let named = "`releases/999999999-aaaaaaaaaaaa` isn't an rfab release, so rfab ignores its number";
    assert!(out.contains(named), "{out}");
    let numbers = host.sh("cd /srv/shop/releases && ls -d 000*-????????????").expect_ok();
    let numbers: Vec<&str> = numbers.lines().map(|name| &name[..4]).collect();
    assert_eq!(numbers, ["0001", "0002", "0003"], "{out}");
    let old = host.sh("cd /srv/shop/releases && cd 0001-* && mkdir theirs && touch theirs/file && chmod 755 theirs && basename \"$PWD\"");
    let old = old.expect_ok().trim().to_owned();
    for _ in 0..2 {
        let out = lab.rfab(&["--set", "app.keep=1", "on", "cut"]).output().expect_ok();
        let path = format!("/srv/shop/releases/.gone-{old}");
        let named = format!(
            "`{path}` is left over from a removed release, and has another user's files; to remove it, type `sudo rm \
             -rf \
             {path}` there"
        );
        assert!(out.contains(&named), "{out}");
    }
    host.sh(&format!("rm -rf /srv/shop/releases/.gone-{old}")).expect_ok();
    assert!(
        !lab.rfab(&["--set", "app.keep=1", "on", "cut"])
            .output()
            .expect_ok()
            .contains("is left over from a removed release")
    );
}
