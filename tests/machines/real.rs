//! rfab against real parts: sshd, HAProxy and git. The first tests check that the parts work as the other tests assume.

use lab::{HostPlan, Kind, Lab, PASSWORD, Plan, Sudo, needs_lab, needs_root, proc};
use rustix::process::Signal;
use std::{
    env,
    io::{BufRead, BufReader},
    panic,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

/// Plans a small shop: two hosts, each in its own group, behind `lb1`.
fn two() -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    Plan::new()
        .serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group2"))
        .balancer("lb1", &[("bk_web", "web")])
}

#[test]
fn a_login_to_each_kind_of_host_works_and_no_host_sees_another() {
    if !needs_lab("a_login_to_each_kind_of_host_works_and_no_host_sees_another") {
        return;
    }
    let lab = Lab::start(
        Plan::new()
            .serving("v3.0.0")
            .host(HostPlan::new("plain"))
            .host(HostPlan::new("box").kind(Kind::Busybox).fleet("testing1").role("web"))
            .host(HostPlan::new("fish").shell("/usr/bin/fish"))
            .host(HostPlan::new("tcsh").shell("/bin/tcsh"))
            .host(HostPlan::new("bastion"))
            .host(HostPlan::new("inner").behind("bastion"))
            .host(HostPlan::new("small").disk(1024)),
    );
    for name in ["plain", "box", "bastion", "inner", "small"] {
        let seen = lab.ssh(name, "id -un; hostname; pwd; echo $HOME; echo mine > /var/tmp/x; cat /var/tmp/x");
        let home = lab.host(name).home();
        assert_eq!(seen.expect_ok(), format!("deploy\n{name}\n{home}\n{home}\nmine\n"));
    }
    assert_eq!(lab.ssh("fish", "test -n \"$FISH_VERSION\"; and echo (hostname)").expect_ok(), "fish\n");
    assert_eq!(lab.ssh("tcsh", "if ($?tcsh) echo `hostname`").expect_ok(), "tcsh\n");
    let applets =
        "for p in ls tar mv sha256sum setsid sync; do [ \"$(readlink /usr/bin/$p)\" = busybox ] || echo $p; done";
    assert_eq!(lab.ssh("box", applets).expect_ok(), "");
    assert_eq!(lab.ssh("box", "bash").code, Some(127));
    let boxed = lab.host("box");
    let commit = lab.project.resolve("v3.0.0")[..12].to_owned();
    assert!(lab.ssh("box", "lab-service status shop; lab-service restart shop").expect_ok().contains("is running"));
    lab.load(100).wait_for(20);
    assert_eq!(boxed.serves(), Some(commit));
    assert_eq!(lab.ssh("box", "lab-service stop shop; lab-service status shop").code, Some(3));
    assert_eq!(boxed.serves(), None);

    assert!(lab.host("plain").sh("mount --bind /dev/null /usr/bin/flock").ok());
    assert_eq!(lab.ssh("plain", "flock x true").code, Some(127));
    assert!(lab.ssh("fish", "flock --version").ok());

    assert!(lab.host("bastion").sshd_log().contains("Accepted publickey"));
    lab.host("bastion").stop_sshd();
    assert_eq!(lab.ssh("inner", "true").code, Some(255), "there is no other way to it");

    let full = lab.host("small").sh("head -c 2000000 /dev/zero > /srv/file");
    assert!(full.stderr.contains("No space left on device"), "{full:?}");
    assert!(lab.host("plain").sh("head -c 2000000 /dev/zero > /srv/file").ok());
    assert!(!lab.host("tcsh").path("/srv/file").exists());

    lab.host("plain").stop_sshd();
    lab.host("plain").new_host_key();
    lab.host("plain").start_sshd();
    let changed = lab.ssh("plain", "true");
    assert!(changed.stderr.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"), "{changed:?}");
    lab.write_known_hosts();
    assert!(lab.ssh("plain", "true").ok());
}

#[test]
fn an_address_may_be_mute_or_dead_or_a_black_hole() {
    if !needs_lab("an_address_may_be_mute_or_dead_or_a_black_hole") {
        return;
    }
    let lab = &Lab::start(
        Plan::new()
            .host(HostPlan::new("mute").kind(Kind::Mute))
            .host(HostPlan::new("dead").kind(Kind::Dead))
            .host(HostPlan::new("hole").kind(Kind::BlackHole))
            .host(HostPlan::new("frozen")),
    );
    lab.host("frozen").freeze();
    let [mute, dead, hole, frozen] = thread::scope(|scope| {
        let login = |name| {
            let begun = Instant::now();
            (lab.ssh(name, "true"), begun.elapsed())
        };
        let logins = ["mute", "dead", "hole", "frozen"].map(|name| scope.spawn(move || login(name)));
        logins.map(|login| login.join().expect("a login"))
    });
    assert!(mute.0.stderr.contains("timed out during banner exchange"), "{mute:?}");
    assert!(dead.0.stderr.contains("Connection refused") && dead.1 < Duration::from_secs(1), "{dead:?}");
    assert!(hole.0.stderr.contains("Connection timed out"), "{hole:?}");
    assert!(frozen.0.stderr.contains("timed out during banner exchange"), "{frozen:?}");
    lab.host("frozen").thaw();
    assert!(lab.ssh("frozen", "true").ok());
}

#[test]
fn sudo_asks_as_each_host_is_set_up() {
    if !needs_root("sudo_asks_as_each_host_is_set_up") {
        return;
    }
    let host = |name, sudo| HostPlan::new(name).sudo(sudo);
    let lab = Lab::start(
        Plan::new()
            .host(host("none", Sudo::None))
            .serving("v3.0.0")
            .host(host("free", Sudo::Free).fleet("prod").role("web"))
            .host(host("asks", Sudo::Password))
            .host(host("each", Sudo::EachTime)),
    );
    assert_eq!(lab.ssh("free", "sudo -n id -un; sudo -n -u shop id -un").expect_ok(), "root\nshop\n");
    assert_eq!(lab.ssh("free", "sudo -n sh -c 'command -v lab-service'").expect_ok(), {
        format!("{}/bin/lab-service\n", lab.host("free").folder.display())
    });
    for name in ["none", "asks", "each"] {
        let refused = lab.ssh(name, "sudo -n id -un");
        assert!(refused.code == Some(1) && refused.stderr.contains("password is required"), "{refused:?}");
    }
    for name in ["asks", "each"] {
        assert_eq!(lab.ssh(name, &format!("echo {PASSWORD} | sudo -S -p '' id -un")).expect_ok(), "root\n");
    }
    let writers = "for u in deploy shop shop-web; do sudo -n -u $u test -w /srv/shop/current/index.txt && echo $u; done; \
                   sudo -n lab-service restart shop; sudo -n lab-service status shop; \
                   stat -c %U /proc/$(cat ~/../../services/shop/pid)";
    let seen = lab.ssh("free", writers).expect_ok();
    let lines: Vec<&str> = seen.lines().collect();
    assert!(matches!(lines[..], ["shop", status, "shop-web"] if status.starts_with("shop is running")), "{seen}");
    // `asks` remembers the password within a session; `each` never does.
    let twice = format!("echo {PASSWORD} | sudo -S -p '' true; sudo -n id -un");
    assert_eq!(lab.ssh("asks", &twice).expect_ok(), "root\n");
    assert_eq!(lab.ssh("each", &twice).code, Some(1));
    assert_eq!(lab.ssh("none", &format!("echo {PASSWORD} | sudo -S -p '' true")).code, Some(1));
}

#[test]
fn a_roll_by_hand_fails_no_request() {
    if !needs_lab("a_roll_by_hand_fails_no_request") {
        return;
    }
    let lab = Lab::start(Plan::shop().balancer("lb2", &[("bk_web", "web")]));
    let load = lab.load(150);
    load.wait_for(50);
    for group in [["web1", "web2", "web3"], ["web4", "web5", "web6"]] {
        for (balancer, name) in lab.balancers.iter().flat_map(|balancer| group.map(|name| (balancer, name))) {
            balancer.set("bk_web", name, "drain");
        }
        for name in group {
            let new = lab.unpack(name, 2, "v3.0.1");
            lab.balancers.iter().for_each(|balancer| balancer.wait_for("bk_web", name, "scur", "0"));
            lab.activate(name, &new);
            lab.host(name).unit("shop").tell("restart");
            assert_eq!(lab.host(name).current(), Some(new));
        }
        thread::sleep(Duration::from_millis(700));
        for (balancer, name) in lab.balancers.iter().flat_map(|balancer| group.map(|name| (balancer, name))) {
            balancer.set("bk_web", name, "ready");
            balancer.wait_for("bk_web", name, "status", "UP");
        }
    }
    load.wait_for(100);
    let account = load.stop();
    account.expect_none_failed();
    let commits: Vec<&String> = account.releases.keys().collect();
    let mut expected = ["v3.0.0", "v3.0.1"].map(|tag| lab.project.resolve(tag)[..12].to_owned());
    expected.sort();
    assert_eq!(commits, expected.iter().collect::<Vec<_>>());
    assert!(account.slow > 5 && account.kept > 100 && account.kept < account.sent, "{account:?}");
}

#[test]
fn requests_that_are_cut_are_counted_as_failed() {
    if !needs_lab("requests_that_are_cut_are_counted_as_failed") {
        return;
    }
    let lab = Lab::start(two());
    let load = lab.load(100);
    load.wait_for(200);
    lab.host("web1").unit("shop").kill();
    load.wait_for(100);
    let account = load.stop();
    assert!(!account.failed.is_empty(), "a host was killed under load");
    assert!(account.failed.iter().all(|request| request.failure.is_some()));
    assert_eq!(account.ok + account.failed.len() as u64, account.sent);

    lab.host("web1").unit("shop").tell("start");
    lab.balancer("lb1").wait_for("bk_web", "web1", "status", "UP");
    let load = lab.load(100);
    load.wait_for(50);
    lab.balancer("lb1").restart();
    lab.balancer("lb1").wait_until_up();
    load.wait_for(50);
    assert!(!load.stop().failed.is_empty(), "the balancer was killed under load");
}

#[test]
fn a_reload_forgets_a_drain_and_fails_no_request() {
    if !needs_lab("a_reload_forgets_a_drain_and_fails_no_request") {
        return;
    }
    let lab = Lab::start(two());
    let balancer = lab.balancer("lb1");
    balancer.set("bk_web", "web1", "drain");
    balancer.wait_for("bk_web", "web1", "status", "DRAIN");
    let load = lab.load(100);
    load.wait_for(50);
    balancer.reload();
    balancer.wait_for("bk_web", "web1", "status", "UP");
    load.wait_for(50);
    load.stop().expect_none_failed();

    let web1 = lab.host("web1").unit("shop");
    web1.sick(true);
    balancer.wait_for("bk_web", "web1", "status", "DOWN");
    web1.sick(false);
    balancer.wait_until_up();
    web1.warm_up(Duration::from_millis(800));
    web1.crash_after(Duration::from_millis(2000));
    web1.tell("restart");
    balancer.wait_for("bk_web", "web1", "status", "DOWN");
    balancer.wait_for("bk_web", "web1", "status", "UP");
    balancer.wait_for("bk_web", "web1", "status", "DOWN");
    assert!(web1.log().contains("crashed, as told"), "{}", web1.log());
    assert_eq!(lab.host("web1").sh("lab-service status shop").code, Some(3));
}

#[test]
fn the_admin_socket_answers_the_login_user_on_the_machine_and_through_ssh() {
    if !needs_lab("the_admin_socket_answers_the_login_user_on_the_machine_and_through_ssh") {
        return;
    }
    let lab = Lab::start(
        Plan::new()
            .host(HostPlan::new("lb2").sshd("AllowStreamLocalForwarding no"))
            .balancer("lb1", &[("bk_web", "web")])
            .balancer("lb2", &[("bk_web", "web")]),
    );
    let socket = "/run/haproxy/admin.sock";
    for name in ["lb1", "lb2"] {
        let by_socat = lab.ssh(name, &format!("echo show info | socat - UNIX-CONNECT:{socket}")).expect_ok();
        let by_nc = lab.ssh(name, &format!("echo show info | nc -N -U {socket}")).expect_ok();
        assert!(by_socat.contains("\nPid: ") && by_nc.contains("\nPid: "), "{by_socat}{by_nc}");
    }
    let forwarded = |name: &str| {
        let config = lab.folder.join("operator/ssh_config");
        let line = format!(
            "ssh -F {} -L \"$TMPDIR/{name}:{socket}\" {name} 'sleep 30' & n=0
            while [ ! -S \"$TMPDIR/{name}\" ] && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.05; done
            echo show info | socat - \"UNIX-CONNECT:$TMPDIR/{name}\"",
            config.display()
        );
        lab.program("sh", &["-c", &line]).output()
    };
    assert!(forwarded("lb1").stdout.contains("\nPid: "));
    assert_eq!(forwarded("lb2").stdout, "");
}

#[test]
fn a_machine_that_lost_its_power_comes_back_with_its_disk() {
    if !needs_lab("a_machine_that_lost_its_power_comes_back_with_its_disk") {
        return;
    }
    let lab = Lab::start(two());
    let web1 = lab.host("web1");
    let current = web1.current();
    assert!(current.as_ref().is_some_and(|release| release.starts_with("0001-")), "{current:?}");
    let processes = web1.processes();
    assert!(processes.iter().any(|process| process.name.starts_with("sshd")), "{processes:?}");
    web1.kill();
    assert_eq!(living(&processes), []);
    assert!(lab.ssh("web1", "true").stderr.contains("Connection refused"));
    web1.boot();
    assert_eq!(web1.current(), current);
    assert!(lab.ssh("web1", "true").ok());
}

fn a_program_is_told_frozen_and_killed_with_what_it_started(lab: &Lab) {
    assert_eq!(lab.program("sh", &["-c", "test -t 0 && echo yes"]).on_terminal().output().expect_ok(), "yes\r\n");
    let trap = "trap 'echo told; exit 5' TERM; echo up; while :; do sleep 0.05; done";
    let slow = lab.program("sh", &["-c", trap]).start();
    slow.wait_for("up\n");
    assert!(!slow.is_over() && slow.signal(Signal::TERM));
    let told = slow.output();
    assert_eq!((told.stdout.as_str(), told.code), ("up\ntold\n", Some(5)), "a signal reaches the program itself");
    let daemon = "setsid sleep 300 >/dev/null 2>&1 & echo left; sleep 300";
    let asleep = lab.program("sh", &["-c", daemon]).start();
    asleep.wait_for("left\n");
    let states = || asleep.processes().iter().map(|process| process.stopped).collect::<Vec<_>>();
    assert_eq!(states(), [false; 3]);
    asleep.freeze();
    assert_eq!(states(), [true; 3]);
    asleep.thaw();
    assert_eq!(states(), [false; 3]);
    asleep.kill();
    assert_eq!(asleep.processes(), [], "what it left behind too");
    assert_eq!(asleep.output().code, None);
    let late = lab.program("sleep", &["60"]).timeout(Duration::from_millis(100)).start();
    let pid = late.pid;
    assert!(panic::catch_unwind(panic::AssertUnwindSafe(|| drop(late.output()))).is_err(), "the time was over");
    thread::sleep(Duration::from_millis(100));
    assert!(proc::read(pid).is_none_or(|process| process.dead));
}

fn the_project_is_a_repository_with_fleets(lab: &Lab) {
    assert!(lab.rfab(&["--version"]).output().code.is_some());
    let tag = lab.colleague("berta").release("v3.0.2");
    lab.project.git(&["fetch", "-q", "--tags"]).expect_ok();
    assert_eq!(lab.project.resolve("v3.0.2"), tag);
    lab.edit("fleets/prod.toml", |text| text.replace("keep = 3", "keep = 4"));
    let fleet = std::fs::read_to_string(lab.project.folder.join("fleets/prod.toml")).expect("the fleet");
    let fleet: toml::Table = fleet.parse().expect("a fleet is TOML");
    assert_eq!(fleet["app"]["keep"].as_integer(), Some(4));
    assert!(fleet["hosts"]["web1"]["address"].as_str().is_some_and(|address| address.starts_with("127.")));
}

#[test]
fn the_operators_programs_see_the_labs_home_and_nothing_of_the_real_one() {
    if !needs_lab("the_operators_programs_see_the_labs_home_and_nothing_of_the_real_one") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("prod").role("web")));
    let (home, project) = (lab.home(), lab.project.folder.clone());
    let line = "pwd; echo $HOME; echo ~; getent passwd $(id -u) | cut -d: -f6; cat; stat -c %a $XDG_RUNTIME_DIR; \
                echo $WHO >&2; exit 7";
    let seen = lab.program("sh", &["-c", line]).env("WHO", "anna").stdin("words\n").output();
    let (home, project) = (home.display(), project.display());
    assert_eq!(seen.stdout, format!("{project}\n{home}\n{home}\n{home}\nwords\n700\n"));
    assert_eq!((seen.stderr.as_str(), seen.code), ("anna\n", Some(7)));
    let variables = lab.program("env", &[]).output().expect_ok();
    let mut names: Vec<&str> = variables.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    let expected = [
        "GIT_CONFIG_NOSYSTEM",
        "HOME",
        "LANG",
        "LOGNAME",
        "PATH",
        "RFAB_LAB",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
        "XDG_RUNTIME_DIR",
    ];
    assert_eq!(names, expected);
    // A client that reads the account's own configuration, and ignores `$HOME`, reads the lab's too.
    std::fs::write(lab.home().join(".ssh/config"), "Host web1\n    Port 1\n").expect("a user's configuration");
    let known = lab.program("ssh", &["-G", "web1"]).output().expect_ok();
    assert!(known.contains("\nport 1\n"), "{known}");
    let files = "cat /etc/gitconfig /etc/ssh/ssh_config /etc/ssh/ssh_known_hosts* 2>/dev/null; umask";
    let machine = lab.program("sh", &["-c", files]).output().expect_ok();
    assert_eq!(machine, "0022\n", "nothing of this machine's configuration");

    a_program_is_told_frozen_and_killed_with_what_it_started(&lab);
    the_project_is_a_repository_with_fleets(&lab);
}

#[test]
fn a_lab_is_gone_after_a_panic() {
    if !needs_lab("a_lab_is_gone_after_a_panic") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1")));
    let (folder, processes) = (lab.folder.clone(), lab.processes());
    assert!(processes.len() >= 3, "{processes:?}");
    let ended = panic::catch_unwind(panic::AssertUnwindSafe(move || {
        let _lab = lab;
        panic!("as a test that fails");
    }));
    assert!(ended.is_err());
    assert!(!folder.exists());
    assert_eq!(living(&processes), []);
}

#[test]
fn a_lab_is_gone_seconds_after_its_owner_was_killed() {
    if !needs_lab("a_lab_is_gone_seconds_after_its_owner_was_killed") {
        return;
    }
    let mut owner = std::process::Command::new(env::current_exe().expect("this binary"))
        .args(["real::owner", "--exact", "--ignored", "--nocapture"])
        .env("RFAB_LAB_OWNER", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("an owner");
    let mut lines = BufReader::new(owner.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let ready = lines.find_map(|line| line.split_once("owner: ").map(|(_, rest)| rest.to_owned()));
    let ready = ready.expect("a lab that is up");
    let (guard, folder) = ready.split_once(' ').expect("pid and folder");
    let guard: i32 = guard.parse().expect("a pid");
    let mut processes = proc::below(guard);
    processes.extend(proc::read(guard));
    let names: Vec<&str> = processes.iter().map(|process| process.name.as_str()).collect();
    // An ssh session left the `sleep` behind, like a service or a command that outlives its operator.
    assert!(names.contains(&"sshd") && names.contains(&"haproxy") && names.contains(&"sleep"), "{names:?}");
    owner.kill().expect("the owner lives");
    owner.wait().expect("the owner's end");
    let deadline = Instant::now() + Duration::from_secs(5);
    while (!living(&processes).is_empty() || std::path::Path::new(folder).exists()) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(living(&processes), []);
    assert!(!std::path::Path::new(folder).exists());
}

#[test]
fn what_a_killed_guard_left_is_removed_by_the_next_lab() {
    if !needs_lab("what_a_killed_guard_left_is_removed_by_the_next_lab") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1")));
    lab.ssh("web1", "setsid sleep 300 </dev/null >/dev/null 2>&1 &").expect_ok();
    let run = lab.program("sh", &["-c", "setsid sleep 300 & echo left; sleep 300"]).start();
    run.wait_for("left\n");
    let processes = lab.processes();
    let operators: Vec<proc::Process> = run.processes();
    assert!(processes.iter().any(|process| process.name == "sshd"), "{processes:?}");
    assert!(proc::signal(lab.guard_pid(), Signal::KILL));
    let deadline = Instant::now() + Duration::from_secs(5);
    let is_operators = |process: &proc::Process| operators.iter().any(|other| other.pid == process.pid);
    let left = || -> Vec<_> { living(&processes).into_iter().filter(|process| !is_operators(process)).collect() };
    while !left().is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(left(), []);
    // The lab of another test may already have removed it.
    let _next = Lab::start(Plan::new());
    assert!(!lab.folder.exists());
    assert_eq!(living(&processes), []);
}

/// Isn't a test: owns a lab until the test above kills it.
#[test]
#[ignore = "started by a_lab_is_gone_seconds_after_its_owner_was_killed"]
fn owner() {
    if env::var_os("RFAB_LAB_OWNER").is_none() {
        return;
    }
    let lab = Lab::start(two());
    lab.ssh("web1", "setsid sleep 300 </dev/null >/dev/null 2>&1 &").expect_ok();
    let _run = lab.program("sleep", &["300"]).start();
    println!("\nowner: {} {}", lab.guard_pid(), lab.folder.display());
    thread::sleep(Duration::from_secs(60));
}

/// Returns those processes that still live, without new processes that got an old pid.
fn living(processes: &[proc::Process]) -> Vec<proc::Process> {
    let same = |old: &&proc::Process| proc::read(old.pid).is_some_and(|now| now.started == old.started && !now.dead);
    processes.iter().filter(same).cloned().collect()
}
