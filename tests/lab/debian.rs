//! Debian releases: folders with programs that machines of the lab have in place of this machine's own.
//!
//! `debootstrap` makes one within minutes, from the mirror that apt uses here. It stays until someone removes its
//! folder, which is below the target folder or in the folder that `RFAB_ROOTS` names.
use super::{TOOLS, runnable};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A Debian release, by its code name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debian(pub &'static str);

/// The packages that a machine has besides Debian's smallest system.
const PACKAGES: &str = "openssh-server,openssh-client,haproxy,sudo,busybox,fish,tcsh,zsh,socat,netcat-openbsd,git";

/// Large folders that no machine of the lab needs.
const LEFT_OUT: [&str; 5] =
    ["var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"];

impl Debian {
    /// Returns the folder of its programs, which may not exist yet.
    pub fn folder(self) -> PathBuf {
        roots().join(self.0)
    }

    pub fn is_made(self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|packages| packages == PACKAGES)
    }

    /// Makes it if it isn't there. The error tells why that failed.
    pub fn make(self) -> Result<(), String> {
        fs::create_dir_all(roots()).map_err(|e| e.to_string())?;
        let lock = File::create(roots().join("lock")).map_err(|e| e.to_string())?;
        lock.lock().map_err(|e| e.to_string())?;
        if self.is_made() {
            return Ok(());
        }
        let making = roots().join(format!("{}.making", self.0));
        for old in [&making, &self.folder()] {
            let _ = fs::remove_dir_all(old);
        }
        self.bootstrap(&making)?;
        for folder in LEFT_OUT {
            let _ = fs::remove_dir_all(making.join(folder));
        }
        // An empty file, over which each machine mounts its own, as over other files of `/etc`.
        fs::write(making.join("etc/hosts"), "").map_err(|e| e.to_string())?;
        fs::rename(&making, self.folder()).map_err(|e| e.to_string())?;
        fs::write(self.stamp(), PACKAGES).map_err(|e| e.to_string())
    }

    /// Makes what a lab in this folder needs for machines with these programs.
    pub fn lay_out(self, lab: &Path) {
        let tools = self.tools(lab);
        if tools.exists() {
            return;
        }
        fs::create_dir_all(&tools).expect("a folder for tools");
        for tool in TOOLS {
            runnable::copy(&self.folder().join("usr/bin").join(tool), &tools.join(tool));
        }
        if !lab.join("libraries").exists() {
            carry_libraries(&lab.join("libraries"));
        }
    }

    /// Returns the folder of the lab's tools that run with these libraries.
    pub fn tools(self, lab: &Path) -> PathBuf {
        lab.join("tools").join(self.0)
    }

    /// Returns the shell lines that mount its folder over a machine's; read-only, because other labs use it too.
    pub fn cover(self, at: &str) -> String {
        format!("mount --bind '{}{at}' {at}\nmount -o remount,ro,bind {at}", self.folder().display())
    }

    /// Runs debootstrap; all its processes and mounts end with it.
    fn bootstrap(self, to: &Path) -> Result<(), String> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "unshare", "--mount", "--propagation", "private"]);
        command.args(["--pid", "--fork", "--kill-child=KILL", "--", "debootstrap", "--variant=minbase"]);
        command.arg(format!("--include={PACKAGES}")).arg(self.0).arg(to);
        command.args(mirror()).stdin(Stdio::null());
        let done = command.output().map_err(|e| format!("debootstrap: {e}"))?;
        if done.status.success() {
            return Ok(());
        }
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        let last: Vec<&str> = said.lines().rev().take(3).collect();
        Err(format!("debootstrap {}: {}", self.0, last.into_iter().rev().collect::<Vec<_>>().join("; ")))
    }

    fn stamp(self) -> PathBuf {
        roots().join(format!("{}.packages", self.0))
    }
}

fn roots() -> PathBuf {
    let named = env::var_os("RFAB_ROOTS").map(PathBuf::from);
    named.unwrap_or_else(|| crate::suite::here().kept.join("debian"))
}

/// Returns the Debian mirror that apt uses here; without one, debootstrap has a default.
fn mirror() -> Option<String> {
    let format = "$(ORIGIN) $(LABEL) $(REPO_URI)";
    let out =
        Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]).output().ok()?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    said.lines().find_map(|line| line.strip_prefix("Debian Debian ")).map(str::to_owned)
}

/// Copies the libraries that this test program is linked with, so that it and rfab run on any release by [`words`].
fn carry_libraries(to: &Path) {
    fs::create_dir_all(to).expect("a folder for libraries");
    let out = Command::new("ldd").arg(env::current_exe().expect("this binary")).output().expect("ldd");
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let Some(library) = line.split(' ').map(str::trim).find(|word| word.starts_with('/')).map(Path::new) else {
            continue;
        };
        let name = if line.contains("=>") { library.file_name().expect("a library's name") } else { "loader".as_ref() };
        runnable::copy(library, &to.join(name));
    }
}

/// Returns the words that go before a program to run it with the libraries in a folder.
pub fn words(libraries: &Path) -> [String; 3] {
    [libraries.join("loader").display().to_string(), "--library-path".to_owned(), libraries.display().to_string()]
}
