//! A folder that acts as a host, and a shell that runs programs there.
use crate::{
    command::Command,
    fleet::TreeRules,
    git::sample::Sample,
    port::Ended,
    release::{
        self, Listed, ListedRelease, Packed, Packing, Parcel, ReleaseError, ReleaseName, Staged, tree::Difference,
    },
};
use std::{
    io::Write,
    os::unix::{fs::symlink, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{self, Stdio},
};

/// The shell and the tools of a machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TestShell {
    Dash,
    Busybox,
}

pub(super) const BOTH: [TestShell; 2] = [TestShell::Dash, TestShell::Busybox];

pub(super) struct TestMachine {
    pub folder: tempfile::TempDir,
    /// The app's path.
    pub path: PathBuf,
    pub sample: Sample,
    shell: TestShell,
    tools: PathBuf,
}

impl TestMachine {
    /// Makes a machine with an app that is set up.
    pub(super) fn new(shell: TestShell) -> Self {
        let bare = Self::bare(shell);
        release::set_up(&bare.run(&release::setup(bare.at()).unwrap(), b"")).unwrap();
        bare
    }

    pub(super) fn bare(shell: TestShell) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tools = folder.path().join("tools");
        std::fs::create_dir(&tools).unwrap();
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
        let busybox = busybox.expect("these tests need busybox: install it");
        let list = process::Command::new(busybox).arg("--list").output().unwrap();
        for tool in String::from_utf8(list.stdout).unwrap().lines() {
            symlink(busybox, tools.join(tool)).unwrap();
        }
        let path = folder.path().join("srv/the shop");
        Self { path, sample: Sample::new(), shell, tools, folder }
    }

    pub(super) fn at(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Returns the program with its environment, ready to start.
    pub(super) fn process(&self, command: &Command) -> process::Command {
        let Command::Words(words) = command else { panic!("{command:?}") };
        assert_eq!(words[0], "/bin/sh");
        let mut process = match self.shell {
            TestShell::Dash => process::Command::new("/bin/dash"),
            TestShell::Busybox => process::Command::new(self.tools.join("sh")),
        };
        let tools = match self.shell {
            TestShell::Dash => std::env::var("PATH").unwrap(),
            TestShell::Busybox => self.tools.display().to_string(),
        };
        process.env("PATH", format!("{}:{tools}", self.instead().display()));
        process.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        process
    }

    fn instead(&self) -> PathBuf {
        self.folder.path().join("instead")
    }

    /// Puts a script in the place of a tool until `heal`. In the script, the tool is the real one.
    pub(super) fn replace(&self, tool: &str, script: &str) {
        let at = self.instead().join(tool);
        std::fs::create_dir_all(self.instead()).unwrap();
        std::fs::write(&at, format!("#!/bin/dash\nPATH=${{PATH#*:}}\n{script}\n")).unwrap();
        std::fs::set_permissions(&at, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    pub(super) fn heal(&self) {
        std::fs::remove_dir_all(self.instead()).unwrap();
    }

    pub(super) fn run(&self, command: &Command, stdin: &[u8]) -> Ended {
        ended(self.process(command), stdin)
    }

    pub(super) fn pack(&self, linked: &[&str]) -> Packed {
        let commit = self.sample.commit_all();
        let linked: Vec<String> = linked.iter().map(|name| name.to_string()).collect();
        let (rules, cache) = (TreeRules { linked, ..TreeRules::default() }, self.folder.path());
        release::pack(&self.sample.repository(), &commit, &rules, cache, cache).unwrap()
    }

    /// Returns a parcel with all of the tree.
    pub(super) fn whole(&self, packed: &Packed) -> Parcel {
        packed.whole(self.folder.path(), Packing::Gzip).unwrap()
    }

    /// Returns the command that stages all of the tree, and what it reads.
    pub(super) fn staging(&self, number: u32, packed: &Packed, id: &str) -> (Command, Vec<u8>) {
        let parcel = self.whole(packed);
        let command = release::stage(self.at(), &name(number, packed), id, packed, &parcel, None, false).unwrap();
        (command, std::fs::read(&parcel.file).unwrap())
    }

    pub(super) fn stage(&self, number: u32, packed: &Packed) -> Result<Staged, ReleaseError> {
        let (command, bytes) = self.staging(number, packed, "run-1");
        release::staged(&self.run(&command, &bytes), &self.whole(packed))
    }

    pub(super) fn stage_bytes(
        &self,
        number: u32,
        packed: &Packed,
        parcel: &Parcel,
        stdin: &[u8],
    ) -> Result<Staged, ReleaseError> {
        let command = release::stage(self.at(), &name(number, packed), "run-1", packed, parcel, None, false).unwrap();
        release::staged(&self.run(&command, stdin), parcel)
    }

    /// Returns the command that stages what an earlier release lacks, and what it reads.
    pub(super) fn upon(
        &self,
        earlier: (u32, &Packed),
        number: u32,
        packed: &Packed,
        lost: &[&str],
        hash_all: bool,
    ) -> (Command, Vec<u8>) {
        let lost = lost.iter().map(|name| name.to_string()).collect();
        let lacking = Difference::between(&earlier.1.manifest, &packed.manifest, &lost, true).unwrap();
        let parcel = packed.part(&lacking, self.folder.path(), Packing::Gzip).unwrap();
        let base = ListedRelease {
            name: name(earlier.0, earlier.1),
            commit: earlier.1.manifest.commit.clone(),
            manifest: earlier.1.manifest_sha256.clone(),
        };
        let name = name(number, packed);
        let command = release::stage(self.at(), &name, "run-2", packed, &parcel, Some(&base), hash_all).unwrap();
        (command, std::fs::read(&parcel.file).unwrap())
    }

    /// Commits a file with this content, and stages and activates that commit as a release.
    pub(super) fn deploy(&self, number: u32, content: &str) -> ReleaseName {
        self.sample.write("file", content.as_bytes());
        let packed = self.pack(&[]);
        assert_eq!(self.stage(number, &packed), Ok(Staged::New));
        let name = name(number, &packed);
        let command = release::activate(self.at(), &name, "run-1", &[]).unwrap();
        release::activated(&self.run(&command, b""), &name).unwrap();
        name
    }

    pub(super) fn list(&self) -> Listed {
        release::listed(&self.run(&release::list(self.at()).unwrap(), b"")).unwrap()
    }

    /// Returns every name below the app's path except what is in releases, with the targets of links.
    ///
    /// The marks of releases that aren't on the disk yet come and go, and are left out.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        below(&self.path, &self.path, &mut names);
        names.retain(|name| !name.starts_with(".rfab/unflushed"));
        names.sort();
        names
    }
}

pub(super) fn name(number: u32, packed: &Packed) -> ReleaseName {
    ReleaseName::new(number, &packed.manifest.commit).unwrap()
}

pub(super) fn ended(mut process: process::Command, stdin: &[u8]) -> Ended {
    let mut child = process.spawn().unwrap();
    let mut into = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    // A program that failed early doesn't read on.
    let writer = std::thread::spawn(move || drop(into.write_all(&bytes)));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let status = out.status.code().unwrap_or_else(|| 128 + out.status.signal().unwrap());
    Ended { status, out: out.stdout, err: out.stderr, cut: false }
}

fn below(top: &Path, folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_symlink() {
            names.push(format!("{name} -> {}", std::fs::read_link(&path).unwrap().display()));
        } else {
            names.push(name.clone());
        }
        let release = name.starts_with("releases/") && name.matches('/').count() == 1;
        if kind.is_dir() && !release {
            below(top, &path, names);
        }
    }
}
