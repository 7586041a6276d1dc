//! Services on a machine of the lab: without systemd, a script keeps pid files.
use super::{debian, host::Host, part, plan::HostPlan, runnable, space::Level, users};
use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    time::Duration,
};

/// Returns the units of a host, by its roles: `shop` for `web`, `shop-jobs` for background work.
pub fn units(plan: &HostPlan) -> Vec<&'static str> {
    let of = |role: &&str| match *role {
        "web" => Some("shop"),
        "worker" => Some("shop-jobs"),
        _ => None,
    };
    plan.roles.iter().filter_map(of).collect()
}

/// Implements `lab-service start|stop|restart|status|logs UNIT`.
const SCRIPT: &str = r#"#!/bin/sh
set -u
verb=$1
unit=$2
dir=@SERVICES@/$unit
[ -d "$dir" ] || { echo "unit $unit isn't known here" >&2; exit 5; }

running() {
    pid=$(cat "$dir/pid" 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
    # One that is gone by now has no state, and doesn't run either.
    state=$(grep '^State:' "/proc/$pid/status" 2>/dev/null) || return 1
    case $state in *Z*) return 1 ;; esac
}

start() {
    running && return 0
    env -i PATH="$PATH" @ENV@ RFAB_LAB_UNIT="$dir" setsid @AS@ @APP@ </dev/null >>"$dir/log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
    echo $! >"$dir/pid"
}

stop() {
    running || return 0
    kill -TERM "$pid"
    n=0
    while running; do
        n=$((n + 1))
        [ "$n" -lt 200 ] || kill -KILL "$pid" 2>/dev/null
        sleep 0.05
    done
}

case $verb in
    start) start ;;
    stop) stop ;;
    restart) stop; sleep "$(cat "$dir/slow_restart" 2>/dev/null || echo 0)"; start ;;
    status) if running; then echo "$unit is running, pid $pid"; else echo "$unit is stopped"; exit 3; fi ;;
    logs) tail -n 50 "$dir/log" ;;
    *) echo "lab-service start|stop|restart|status|logs UNIT" >&2; exit 2 ;;
esac
"#;

/// Writes the script into the machine's own programs, and makes a folder for each unit.
pub fn install(lab: &Path, host: &Host) {
    let services = host.folder.join("services");
    let runner = users::runner(&host.plan);
    let drop_rights = Level::here().is_root() && runner != users::DEPLOY;
    let setpriv = host.tool("setpriv");
    let run_as = if drop_rights {
        format!("{setpriv} --reuid={runner} --regid={runner} --clear-groups --")
    } else {
        String::new()
    };
    let other = if host.plan.ipv6 { format!(",[{}]:8080", host.ipv6()) } else { String::new() };
    let env = format!(
        "RFAB_LAB={} RFAB_LAB_PART=app RFAB_LAB_LISTEN={}:8080{other} RFAB_LAB_HOST={}",
        lab.display(),
        host.address,
        host.plan.name
    );
    let mut app = lab.join("bin/app").display().to_string();
    if host.plan.debian.is_some() {
        app = format!("{} {app}", debian::words(&lab.join("libraries")).join(" "));
    }
    let script = SCRIPT
        .replace("@SERVICES@", &services.display().to_string())
        .replace("@ENV@", &env)
        .replace("@AS@", &run_as)
        .replace("@APP@", &format!("{app} {}", part::ARGUMENTS.join(" ")));
    let file = host.folder.join("bin/lab-service");
    runnable::write(&file, &script);
    for unit in units(&host.plan) {
        let folder = services.join(unit);
        fs::create_dir_all(&folder).expect("a unit's folder");
        chown(&folder, Some(runner), Some(runner_group(runner))).expect("a unit's folder");
    }
}

fn runner_group(runner: u32) -> u32 {
    if Level::here().is_root() { runner } else { rustix::process::getgid().as_raw() }
}

/// A unit of a host, which a test can make misbehave.
pub struct Unit<'a> {
    pub host: &'a Host,
    pub name: &'a str,
}

impl Unit<'_> {
    /// Gives it a command as its manager does, without ssh, and panics if that fails.
    pub fn tell(&self, verb: &str) {
        let done = self.host.exec(&[&self.host.folder.join("bin/lab-service").display().to_string(), verb, self.name]);
        assert!(done.ok(), "{} of {} on {}: {done:?}", verb, self.name, self.host.plan.name);
    }

    /// Kills it, as the kernel does when memory runs out.
    pub fn kill(&self) {
        let pid = fs::read_to_string(self.folder().join("pid")).expect("the pid of a unit that was started");
        let done = self.host.exec(&["kill", "-KILL", pid.trim()]);
        assert!(done.ok(), "{done:?}");
    }

    /// Makes its health page answer with 503 from now on, or ends that.
    pub fn sick(&self, sick: bool) {
        if sick {
            self.put("sick", "");
        } else {
            let _ = fs::remove_file(self.folder().join("sick"));
        }
    }

    /// Sets what it reports of its release: a text with `{commit}`, `{short}`, `{tag}`, `{bare}` and `{folder}`, which
    /// the app fills in. If empty, it reports nothing.
    pub fn says(&self, text: &str) {
        self.put("says", text);
    }

    /// Makes it sick for this long after its next start.
    pub fn warm_up(&self, time: Duration) {
        self.put("warm_up", &time.as_millis().to_string());
    }

    /// Delays its listening for this long after its next start.
    pub fn slow_start(&self, time: Duration) {
        self.put("slow_start", &time.as_millis().to_string());
    }

    /// Makes a restart keep it stopped for this many seconds from now on.
    pub fn slow_restart(&self, seconds: u32) {
        self.put("slow_restart", &seconds.to_string());
    }

    /// Makes a restart as quick as possible from now on.
    pub fn quick_restart(&self) {
        let _ = fs::remove_file(self.folder().join("slow_restart"));
    }

    /// Makes it exit with status 1 this long after its next start.
    pub fn crash_after(&self, time: Duration) {
        self.put("crash_after", &time.as_millis().to_string());
    }

    /// Returns the id of every request that it began, in order.
    pub fn requests(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder().join("requests")).unwrap_or_default();
        text.lines().map(String::from).collect()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    pub fn folder(&self) -> PathBuf {
        self.host.folder.join("services").join(self.name)
    }

    fn put(&self, file: &str, text: &str) {
        fs::write(self.folder().join(file), text).expect("a switch of the app's");
    }
}
