//! The machines of a part, and what the operator has for them.
use super::{Asked, machine};
use lab::{Debian, Host, HostPlan, Lab, Plan};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, sync::Arc};

/// A lab with web hosts, and ssh of the release that was asked for.
pub struct Site {
    pub lab: Lab,
    /// What the operator types for rfab.
    pub rfab: String,
    /// Whether that rfab has a second transport.
    pub native: bool,
}

impl Site {
    /// Starts this many web hosts.
    pub fn start(asked: &Asked, hosts: usize) -> Site {
        let host = |plan: Plan, number| plan.host(Self::host(asked, number));
        Self::of(asked, (1..=hosts).fold(Plan::new(), host))
    }

    /// Plans `web1` and its like.
    pub fn host(asked: &Asked, number: usize) -> HostPlan {
        let plan = HostPlan::new(format!("web{number}").leak()).fleet("prod").role("web");
        HostPlan { debian: asked.debian, ..plan }
    }

    /// Starts a plan.
    pub fn of(asked: &Asked, plan: Plan) -> Site {
        asked.debian.inspect(|debian| assert!(debian.is_made(), "{} isn't made", debian.0));
        let lab = Lab::start(plan);
        if let Some(debian) = asked.debian {
            carry_ssh(&lab, debian);
            carry_rsync(&lab);
        }
        lab.edit("fleets/prod.toml", |text| {
            text.replace("linked = [\"public/uploads\", \"config/database.yml\"]\n", "")
        });
        let rfab = machine::binary();
        let native = machine::said(&rfab, &["--help"]).contains("--transport");
        Site { lab, rfab, native }
    }

    /// Returns the web hosts.
    pub fn web(&self) -> Vec<&Arc<Host>> {
        self.lab.hosts.iter().filter(|host| host.plan.roles.contains(&"web")).collect()
    }

    /// Returns the path of the ssh configuration.
    pub fn config(&self) -> String {
        self.lab.folder.join("operator/ssh_config").display().to_string()
    }

    /// Returns the path of the operator's key.
    pub fn key(&self) -> String {
        self.lab.folder.join("operator/key").display().to_string()
    }

    /// Returns the path of the file with the hosts' keys.
    pub fn known_hosts(&self) -> String {
        self.lab.project.folder.join("known_hosts").display().to_string()
    }

    /// Writes a file of the operator, and returns its path.
    pub fn put(&self, name: &str, text: &str) -> String {
        let file = self.lab.folder.join("tools-of-others").join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
        file.display().to_string()
    }

    /// Writes a fleet file with these names, and returns the task that loads it.
    pub fn fleet(&self, names: &[String]) -> String {
        let task = format!("t{}", names.len());
        let hosts: String = names.iter().map(|name| format!("{name} = {{ roles = [\"web\"] }}\n")).collect();
        let text = format!("ssh = \"ssh_config\"\nuser = \"deploy\"\ndeploy_live = true\n\n[hosts]\n{hosts}");
        self.lab.edit(&format!("fleets/{task}.toml"), |_| text);
        self.lab.edit("fabfile.rhai", |text| format!("{text}\nfn {task}() {{ fleet(\"fleets/{task}.toml\") }}\n"));
        task
    }
}

/// Puts a Debian release's ssh before this machine's, for all tools that call `ssh`.
fn carry_ssh(lab: &Lab, debian: Debian) {
    let root = debian.folder().display().to_string();
    let script = format!(
        "#!/bin/sh\nset -- \"{root}/usr/bin/ssh\" \"$@\"\n\
         exec {root}/usr/lib*/ld-linux*.so.* --library-path \"$(echo {root}/usr/lib/*-linux-gnu)\" \"$@\"\n"
    );
    let file = lab.folder.join("ssh/ssh");
    fs::create_dir_all(lab.folder.join("ssh")).expect("a folder");
    put_program(&file, &script);
}

/// Gives hosts of another Debian release this machine's rsync, with its libraries: the releases have none.
fn carry_rsync(lab: &Lab) {
    let folder = lab.folder.join("rsync");
    let line = "set -e; mkdir -p \"$1\"; rsync=$(command -v rsync); cp \"$rsync\" \"$1\"
        ldd \"$rsync\" | grep -o '/[^ ]*' | while read -r library; do cp -L \"$library\" \"$1\"; done
        mv \"$1\"/ld-linux* \"$1/loader\"";
    let folder = folder.display().to_string();
    let made = Command::new("sh").args(["-c", line, "sh", &folder]).status().expect("sh");
    assert!(made.success(), "rsync can't be carried to the hosts");
    let script = format!("#!/bin/sh\nexec {folder}/loader --library-path {folder} {folder}/rsync \"$@\"\n");
    for host in &lab.hosts {
        put_program(&host.folder.join("bin/rsync"), &script);
    }
}

fn put_program(file: &Path, script: &str) {
    fs::write(file, script).expect("a script");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("a script");
}
