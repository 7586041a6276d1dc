//! Runs the programs for files while another user changes names in the folder that they write to.
use super::*;
use crate::{
    host::Host,
    model::{Fact, Machine, Miss, Model},
    remote::model_file::written,
};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{self, Stdio},
};

/// A user who owns folders in these tests, other than the one who writes.
const OTHER: u32 = 58002;

/// Every program that isn't built into the shell; the tests replace each by a script that lets another user act before
/// and after it.
const TOOLS: [&str; 15] = [
    "stat",
    "mkdir",
    "cat",
    "wc",
    "sha256sum",
    "chgrp",
    "chmod",
    "sync",
    "mv",
    "tar",
    "rm",
    "rmdir",
    "readlink",
    "id",
    "tr",
];

/// Returns the first step at which the other user acts, and the interval: others each day, and all with `RFAB_ALL=1`.
fn turns() -> (usize, usize) {
    if std::env::var_os("RFAB_ALL").is_some() {
        return (1, 1);
    }
    let day = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
    (1 + day as usize % 9, 9)
}

struct Place {
    folder: tempfile::TempDir,
    busybox: bool,
}

impl Place {
    /// Makes `theirs`, which belongs to another user if this user may give folders away, and root's `victim`.
    fn new(busybox: bool) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["theirs", "victim", "bin"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("victim/file"), "victim").unwrap();
        for (name, mode) in [("victim/file", 0o600), ("victim", 0o700)] {
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let place = Place { folder, busybox };
        place.give("theirs");
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn give(&self, name: &str) {
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::lchown(self.at(name), Some(OTHER), Some(OTHER)).unwrap();
        }
    }

    /// Wraps each tool so that `attack` runs at step number `step`; a step is before or after a tool.
    fn lies_in_wait(&self, step: usize, attack: &str) {
        fs::write(self.at("attack"), attack).unwrap();
        fs::write(self.at("count"), "").unwrap();
        for tool in TOOLS {
            let real = if self.busybox {
                format!("/bin/busybox {tool}")
            } else {
                let found = ["/usr/bin", "/bin"].iter().map(|folder| format!("{folder}/{tool}"));
                found.into_iter().find(|path| Path::new(path).exists()).unwrap()
            };
            let top = self.folder.path().display();
            let text = format!(
                "#!/bin/dash\nturn() {{ n=$(/bin/cat '{top}/count'); n=x$n; printf %s \"$n\" > '{top}/count'; [ \"${{#n}}\" -ne {step} ] || (cd '{top}/theirs' && PATH=/usr/bin:/bin . '{top}/attack' '{top}') > /dev/null 2>&1; }}\nturn\n{real} \"$@\"\nstatus=$?\nturn\nexit $status\n"
            );
            let file = self.at("bin").join(tool);
            let _ = fs::remove_file(&file);
            lab::runnable::write(&file, &text);
        }
    }

    fn run(&self, args: &[&str], stdin: &[u8]) -> String {
        let Command::Words(words) = program(args) else { panic!() };
        let mut process =
            if self.busybox { process::Command::new("/bin/busybox") } else { process::Command::new("/bin/dash") };
        if self.busybox {
            process.arg("sh");
        }
        let path = format!("{}:/usr/bin:/bin", self.at("bin").display());
        process.args(&words[1..]).env("PATH", path).current_dir(self.folder.path());
        let mut child = process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut into = child.stdin.take().unwrap();
        let bytes = stdin.to_vec();
        let writer = std::thread::spawn(move || drop(into.write_all(&bytes)));
        let out = child.wait_with_output().unwrap();
        writer.join().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str, mode: &str, secret: bool) -> String {
        let (digest, bytes) = (sha256(text.as_bytes()), text.len().to_string());
        let args = ["write", path, &digest, &bytes, "run-1", mode, "secret"];
        self.run(&args[..if secret { 7 } else { 6 }], text.as_bytes())
    }

    fn steps(&self) -> usize {
        fs::read_to_string(self.at("count")).unwrap().len()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::symlink_metadata(self.at(name)).unwrap().permissions().mode() & 0o7777
    }

    /// Returns the names in a folder, sorted.
    fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(name)).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Checks that the victim is unchanged, and that nothing was put beside it.
    fn unharmed(&self, when: &str) {
        assert_eq!(fs::read_to_string(self.at("victim/file")).unwrap(), "victim", "{when}");
        assert_eq!((self.mode("victim/file"), self.mode("victim")), (0o600, 0o700), "{when}");
        assert_eq!(self.names("victim"), ["file"], "{when}");
    }
}

/// Replaces the call's files by links to the victim, and the written file, too.
const SWAP: &str = r#"
for one in .rfab-*; do [ ! -e "$one" ] || { mv "$one" ".was$one" && ln -s "$1/victim" "$one"; }; done
rm -rf conf && ln -s "$1/victim/file" conf
"#;
/// The same, but the folder of the written file becomes a link, too.
const LEAD: &str = r#"
for one in .rfab-*; do [ ! -e "$one" ] || { mv "$one" ".was$one" && mkdir "$one" && ln -s "$1/victim/file" "$one/new"; }; done
mv sub .sub; ln -s "$1/victim" sub
"#;

#[test]
fn whatever_another_user_swaps_between_any_two_steps_nothing_of_anybody_elses_changes() {
    for busybox in [false, true] {
        for (attack, path) in [(SWAP, "theirs/conf"), (LEAD, "theirs/sub/conf")] {
            let (mut step, every) = turns();
            loop {
                let place = Place::new(busybox);
                fs::create_dir(place.at("theirs/sub")).unwrap();
                for name in ["theirs/conf", "theirs/sub/conf"] {
                    fs::write(place.at(name), "old").unwrap();
                    place.give(name);
                    fs::set_permissions(place.at(name), fs::Permissions::from_mode(0o4755)).unwrap();
                }
                place.give("theirs/sub");
                place.lies_in_wait(step, attack);
                let said = place.write(place.at(path).to_str().unwrap(), "new", "-", false);
                place.unharmed(&format!("step {step}, busybox {busybox}, {path}: {said}"));
                if place.steps() < step {
                    assert_eq!(said, "done", "nobody came in between");
                    assert_eq!(place.mode(path), 0o755, "no setuid bit is taken over");
                    assert_eq!(fs::read_to_string(place.at(path)).unwrap(), "new");
                    break;
                }
                step += every;
            }
            assert!(step > 20, "{step}");
        }
    }
}

#[test]
fn a_folder_is_replaced_and_removed_without_following_what_is_swapped_in_it() {
    let attack = r#"
        for one in .rfab-*; do [ ! -e "$one" ] || { mv "$one" ".was$one" && ln -s "$1/victim" "$one"; }; done
        for at in conf/sub .rfab-*/old/sub .was*/old/sub; do [ ! -d "$at" ] || { rm -rf "$at" && ln -s "$1/victim" "$at"; }; done
    "#;
    let tar = {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o4755);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, "./deep/file", &b"new"[..]).unwrap();
        tar.into_inner().unwrap()
    };
    for busybox in [false, true] {
        let (mut step, every) = turns();
        loop {
            let place = Place::new(busybox);
            fs::create_dir_all(place.at("theirs/conf/sub/sub")).unwrap();
            fs::write(place.at("theirs/conf/sub/file"), "old").unwrap();
            for name in ["theirs/conf", "theirs/conf/sub", "theirs/conf/sub/file"] {
                place.give(name);
            }
            place.lies_in_wait(step, attack);
            let (digest, bytes) = (sha256(&tar), tar.len().to_string());
            let path = place.at("theirs/conf").display().to_string();
            let said = place.run(&["unpack", &path, &digest, &bytes, "run-1", "-"], &tar);
            place.unharmed(&format!("step {step}, busybox {busybox}: {said}"));
            if place.steps() < step {
                assert_eq!(said, "done");
                assert_eq!(place.mode("theirs/conf/deep/file"), 0o755, "no setuid bit goes over");
                assert_eq!(
                    (place.names("theirs"), place.names("theirs/conf")),
                    (vec!["conf".to_owned()], vec!["deep".to_owned()])
                );
                break;
            }
            step += every;
        }
    }
}

/// Tries a folder that everybody may write to, and another user's folder.
fn others_links_are_refused(place: &Place) {
    fs::create_dir(place.at("open")).unwrap();
    fs::set_permissions(place.at("open"), fs::Permissions::from_mode(0o1777)).unwrap();
    symlink("../own", place.at("open/out")).unwrap();
    symlink("../own/real.conf", place.at("theirs/conf")).unwrap();
    symlink("../own", place.at("theirs/out")).unwrap();
    fs::create_dir_all(place.at("theirs/releases/1")).unwrap();
    symlink("releases/1", place.at("theirs/current")).unwrap();
    for name in ["theirs/releases", "theirs/releases/1"] {
        chown(place.at(name), Some(OTHER), Some(OTHER)).unwrap();
    }
    for name in ["open/out/real.conf", "theirs/conf", "theirs/out/real.conf", "theirs/releases/../conf2"] {
        assert_eq!(place.write(name, "new", "-", false), "failed link", "{name}");
    }
    assert_eq!(place.write("theirs/current/conf", "new", "-", false), "done", "that user's own place");
    assert_eq!(fs::read_to_string(place.at("own/real.conf")).unwrap(), "real.conf");
}

#[test]
fn a_link_is_written_through_where_nobody_else_can_change_it_and_refused_where_another_can() {
    for busybox in [false, true] {
        let place = Place::new(busybox);
        place.lies_in_wait(0, "");
        let own = |name: &str| format!("own/{name}");
        fs::create_dir_all(place.at("own/real")).unwrap();
        fs::write(place.at("own/real.conf"), "old").unwrap();
        fs::set_permissions(place.at("own/real.conf"), fs::Permissions::from_mode(0o640)).unwrap();
        for (target, name) in [
            ("real.conf", "link.conf"),
            ("link.conf", "again.conf"),
            ("real", "folder"),
            ("real/none", "dangling"),
            ("loop", "loop"),
            ("none/none", "nowhere"),
        ] {
            symlink(target, place.at(&own(name))).unwrap();
        }
        let absolute = place.at("own/real.conf");
        symlink(&absolute, place.at("own/absolute")).unwrap();
        for name in ["link.conf", "again.conf", "absolute", "real.conf"] {
            assert_eq!(place.write(&own(name), name, "-", false), "done", "{name}");
            assert_eq!(fs::read_to_string(&absolute).unwrap(), name);
            assert_eq!(place.mode("own/real.conf"), 0o640, "{name}: the mode of the file, not of the link");
        }
        for (name, there) in [("dangling", "own/real/none"), ("folder/x", "own/real/x"), ("./real/../y/", "own/y")] {
            assert_eq!(place.write(&own(name), "new", "-", false), "done", "{name}");
            assert_eq!(fs::read_to_string(place.at(there)).unwrap(), "new");
        }
        assert!(fs::read_link(place.at("own/link.conf")).is_ok(), "the link is still there");
        for (name, why) in [
            ("loop", "link"),
            ("nowhere", "no-folder"),
            ("none/x", "no-folder"),
            ("real", "folder"),
            ("real/..", "folder"),
            ("real.conf/x", "no-folder"),
        ] {
            assert_eq!(place.write(&own(name), "new", "-", false), format!("failed {why}"), "{name}");
        }
        if !rustix::process::geteuid().is_root() {
            continue;
        }
        others_links_are_refused(&place);
    }
}

#[test]
fn a_mode_is_the_one_that_is_asked_for_or_the_files_own_and_a_secret_is_for_its_owner() {
    for busybox in [false, true] {
        let place = Place::new(busybox);
        place.lies_in_wait(0, "");
        // The existing mode, whether it is a secret, the requested mode; the expected mode.
        for (nth, (there, secret, asked, mode)) in [
            (None, false, "-", 0o644),
            (None, true, "-", 0o600),
            (None, true, "640", 0o640),
            (None, false, "755", 0o755),
            (Some(0o664), false, "-", 0o664),
            (Some(0o664), true, "-", 0o660),
            (Some(0o4755), false, "-", 0o755),
            (Some(0o4755), true, "-", 0o750),
            (Some(0o2775), false, "600", 0o600),
            (Some(0o644), true, "444", 0o444),
            (Some(0o40), false, "-", 0o40),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("file{nth}");
            if let Some(there) = there {
                fs::write(place.at(&name), "old").unwrap();
                fs::set_permissions(place.at(&name), fs::Permissions::from_mode(there)).unwrap();
            }
            assert_eq!(place.write(&name, "new", asked, secret), "done");
            assert_eq!(place.mode(&name), mode, "{name}: {there:?} {secret} {asked}");
        }
        if rustix::process::geteuid().is_root() {
            fs::write(place.at("theirs/old"), "").unwrap();
            fs::set_permissions(place.at("theirs/old"), fs::Permissions::from_mode(0o666)).unwrap();
            place.give("theirs/old");
            assert_eq!(place.write("theirs/old", "new", "-", true), "done");
            assert_eq!(place.mode("theirs/old"), 0o600, "another user doesn't say who reads a secret");
            fs::write(place.at("grouped"), "").unwrap();
            fs::set_permissions(place.at("grouped"), fs::Permissions::from_mode(0o640)).unwrap();
            chown(place.at("grouped"), None, Some(OTHER)).unwrap();
            assert_eq!(place.write("grouped", "new", "-", true), "done");
            let group = std::os::unix::fs::MetadataExt::gid(&fs::metadata(place.at("grouped")).unwrap());
            assert_eq!((place.mode("grouped"), group), (0o640, OTHER), "who read it still does");
        }
    }
}

/// Returns why the model refuses a file or a folder at a path; nothing if it doesn't.
fn predicted(model: &mut Model, path: &str, is_folder: bool) -> Option<String> {
    let host = Host {
        fleet: "prod".into(),
        name: "web1".into(),
        address: None,
        group: None,
        roles: vec![],
        vars: BTreeMap::new(),
    };
    let content = (!is_folder).then(|| b"new".to_vec());
    let Err(miss) = written(model, &On::from(host), path, content) else { return None };
    let Miss::Fails(failure) = miss else { panic!("{path}: {miss:?}") };
    Some(failure.message)
}

#[test]
fn the_simulator_refuses_the_paths_that_a_host_refuses_and_for_the_same_reason() {
    let place = Place::new(false);
    place.lies_in_wait(0, "");
    fs::create_dir(place.at("folder")).unwrap();
    fs::write(place.at("file"), "old").unwrap();
    symlink("../victim", place.at("theirs/link")).unwrap();
    let mut model = Model::new();
    let mut machine = Machine::bare();
    machine.folders.insert("folder".into());
    machine.files.insert("file".into(), Fact::Told(Some(b"old".to_vec())));
    machine.links.insert("theirs/link".into());
    model.machines.insert(("prod".into(), "web1".into()), machine);
    let cases = [
        ("new", false, None),
        ("file", false, None),
        ("folder", true, None),
        ("folder/", false, Some("it is a folder")),
        ("folder/..", false, Some("it is a folder")),
        ("/", true, Some("it is a folder")),
        ("file", true, Some("it is a file, but rfab sends a folder")),
        ("file/deep", false, Some("its folder isn't there")),
        ("theirs/link", false, Some(LINK)),
        ("theirs/link/deep", false, Some(LINK)),
        ("theirs/link/deep", true, Some(LINK)),
        ("theirs/linked", false, None),
    ];
    let is_root = rustix::process::geteuid().is_root();
    for (path, is_folder, why_not) in cases.into_iter().filter(|(.., why_not)| is_root || *why_not != Some(LINK)) {
        let words = why_not.map(|why| format!("`{path}`: {why}"));
        assert_eq!(predicted(&mut model, path, is_folder), words, "in the model: {path}, folder {is_folder}");
        let (verb, bytes) = if is_folder { ("unpack", tar()) } else { ("write", b"new".to_vec()) };
        let last = place.run(&[verb, path, &sha256(&bytes), &bytes.len().to_string(), "run-1", "-"], &bytes);
        assert_eq!((last != "done").then(|| why(&last)), why_not, "on a host: {path}, folder {is_folder}: {last}");
    }
}

/// Makes a tar of an empty folder.
fn tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    tar.append_dir(".", folder.path()).unwrap();
    tar.into_inner().unwrap()
}
