//! Commands mean the same under every login shell, their output is bounded, and sudo works over a real sshd.

use lab::{HostPlan, Kind, Lab, PASSWORD, Plan, Running, Sudo, needs_lab, needs_root, proc, timeless};
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Starts a fleet of these hosts, with a fabfile in which the task `on` selects some of them.
fn lab(hosts: impl IntoIterator<Item = HostPlan>, tasks: &str) -> Lab {
    let lab = Lab::start(hosts.into_iter().fold(Plan::new(), Plan::host));
    let naming = "fn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\n";
    lab.edit("fabfile.rhai", |_| format!("{naming}{tasks}\n"));
    lab
}

fn host(name: &'static str) -> HostPlan {
    HostPlan::new(name).fleet("testing1").role("web")
}

/// Returns what a run prints of one host, in order, without the host's name and the times.
fn lines<'a>(stdout: &'a str, host: &str) -> Vec<&'a str> {
    let of_host = stdout.lines().filter_map(|line| line.strip_prefix(host)?.strip_prefix(' '));
    of_host.map(|line| timeless(line.trim_start())).collect()
}

/// Commands with hostile words, and commands that fail.
const COMMANDS: &str = r#"
fn hostile() {
    targets().parallel(|host| {
        let words = ["printf", "%s|", "", "a b", "'", "$(touch x)", "`x`", "!!", "ünï%d", "~", "{a,b}", "\t", "\"", "\\0101", "-n", "*"];
        ui::note(host, host.capture(words));
        host.run(words);
        host.run(sh("printf '%s|' \"$value\"; cat", #{ value: "$(touch x) 'y' \\n" }));
        host.cd("/srv").env(#{ A: "b  c;$(touch x)" }).run(sh("pwd; echo \"$A\"; sleep 0.2; echo err >&2"));
        host.stdin("one\ntwo\n").run("wc -l");
        host.run("echo {a} {b}", #{ a: "x y", b: "$HOME" });
        ui::note(host, host.capture(sh("[ -e x ] && echo touched || echo untouched")));
        ui::note(host, `${host.test("test -d /srv")} ${host.test("test -d /nowhere")}`);
    });
}
fn fails() {
    targets().parallel(|host| {
        try { host.run(sh("echo before; echo last >&2; exit 7")); }
        catch (f) { ui::note(host, `${f.kind} ${f.status} ${f.message}`); }
        try { host.run("no-such-program"); } catch (f) { ui::note(host, `${f.kind} ${f.status}`); }
        try { host.cd("/no/where").run("touch ran"); } catch (f) { ui::note(host, f.message); }
        try { host.run(sh("echo $unset; touch ran")); } catch (f) { ui::note(host, `${f.kind}`); }
        try { host.timeout("1s").run(sh("sleep 60 & sleep 60")); } catch (f) { ui::note(host, f.message); }
        try { host.timeout("1s").run(sh("trap '' TERM; sleep 60")); } catch (f) { ui::note(host, f.message); }
    });
}
"#;

fn hostile_words_arrive_as_they_are(out: &str, name: &str) {
    let printed = r#"|a b|'|$(touch x)|`x`|!!|ünï%d|~|{a,b}|    |"|\0101|-n|*|"#;
    let run = |text: &str| format!("run `{text}`");
    let run_words =
        run(r#"printf '%s|' '' 'a b' ''\''' '$(touch x)' '`x`' '!!' 'ünï%d' '~' '{a,b}' '    ' '"' '\0101' -n '*'"#);
    let lines = lines(out, name);
    let expected = [
        printed,
        &format!("| {printed}"),
        &run_words,
        r"| $(touch x) 'y' \n|",
        &run(r#"printf '%s|' "$value"; cat"#),
        "| /srv",
        "| b  c;$(touch x)",
        "! err",
        &format!("{} in /srv", run(r#"pwd; echo "$A"; sleep 0.2; echo err >&2"#)),
        "| 2",
        &run("wc -l"),
        "| x y $HOME",
        &run("echo 'x y' '$HOME'"),
        "untouched",
        "true false",
    ];
    assert_eq!(lines[..expected.len()], expected, "{name}");
}

fn a_failure_says_how_the_command_ended(lab: &Lab, name: &str, stdout: &str) {
    let all = lines(stdout, name);
    let told: Vec<&str> =
        all.iter().filter(|l| !l.starts_with(['|', '!']) && !l.starts_with("run ")).copied().collect();
    let expected = [
        format!("failed 7 host `{name}`: `echo before; echo last >&2; exit 7` ended with status 7"),
        "failed 127".into(),
        format!("host `{name}`: there is no folder `/no/where` to run it in"),
        "failed".into(),
        format!("host `{name}`: the command took longer than 1 s and was stopped"),
        format!("host `{name}`: the command took longer than 1 s and was stopped"),
    ];
    assert_eq!(told[..expected.len()], expected, "{stdout}");
    assert!(all.contains(&"| before") && all.contains(&"! last"), "{stdout}");
    assert!(!lab.host(name).folder.join("home/deploy/ran").exists());
    let left = lab.host(name).processes().into_iter().filter(|p| p.name == "sleep").map(|p| p.pid);
    let left = left.filter(|pid| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == b"sleep\x0060\0"));
    assert_eq!(left.count(), 0, "a command that was stopped left something on {name}");
}

#[test]
pub(super) fn a_command_means_the_same_under_every_login_shell_and_on_busybox() {
    if !needs_lab("a_command_means_the_same_under_every_login_shell_and_on_busybox") {
        return;
    }
    let lab = lab(
        [
            host("plain"),
            host("tcsh").shell("/bin/tcsh"),
            host("wish").shell("/usr/bin/fish"),
            host("tiny").kind(Kind::Busybox),
        ],
        COMMANDS,
    );
    let out = lab.rfab(&["on:all", "hostile"]).output().expect_ok();
    for name in ["plain", "tcsh", "tiny", "wish"] {
        hostile_words_arrive_as_they_are(&out, name);
    }
    let out = lab.rfab(&["on:all", "fails"]).output();
    for name in ["plain", "tcsh", "tiny", "wish"] {
        a_failure_says_how_the_command_ended(&lab, name, &out.stdout);
    }
}

#[test]
pub(super) fn lines_come_while_the_command_runs_and_nothing_in_them_is_obeyed_by_a_terminal() {
    if !needs_lab("lines_come_while_the_command_runs_and_nothing_in_them_is_obeyed_by_a_terminal") {
        return;
    }
    let lab = lab(
        [host("web1")],
        r#"
fn slowly() { targets().each(|host| host.run(sh("echo first; while [ ! -e go ]; do sleep 0.05; done; echo second"))); }
fn hostile() {
    targets().each(|host| {
        host.run(sh("printf '\\033]0;title\\007\\033[2J\\033[3A\\033]8;;http://x\\033\\\\x\\033]52;c;aGk=\\007\\n'"));
        host.run(sh("printf '\\r[web1] ok\\n\\342\\200\\256evil\\n\\033[31mred\\n\\302\\2332J\\n\\377\\376\\n' >&2"));
        ui::note(host, host.capture(sh("printf 'note\\033[2J\\n'")));
        throw host.capture(sh("printf 'thrown\\033[2J\\n'"));
    });
}
"#,
    );
    let run = lab.rfab(&["on:all", "slowly"]).start();
    run.wait_for("web1  | first\n");
    assert!(!run.so_far().0.contains("| second"));
    fs::write(lab.host("web1").folder.join("home/deploy/go"), "").expect("a file on the host");
    assert!(run.output().expect_ok().contains("web1  | second\n"));

    for (on_terminal, json) in [(true, false), (false, false), (false, true)] {
        let words: &[&str] = if json { &["on:all", "hostile", "--json"] } else { &["on:all", "hostile"] };
        let run = lab.rfab(words).env("TERM", "xterm-256color");
        let out = if on_terminal { run.on_terminal() } else { run }.output();
        let all = format!("{}{}", out.stdout, out.stderr);
        // A terminal gets colors and the moves of the live view, and no other escapes.
        let mut text = if on_terminal { all.replace('\r', "") } else { all.clone() };
        while let Some(at) = text.find("\x1b[") {
            let end = text[at + 2..].find(|c: char| !c.is_ascii_digit() && c != ';').expect("an end") + at + 2;
            let own =
                on_terminal && (["A", "B"].contains(&&text[end..=end]) || ["2K", "J"].contains(&&text[at + 2..=end]));
            assert!(&text[end..=end] == "m" || own, "{all:?}");
            text.replace_range(at..=end, "");
        }
        let bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(bad), "{text:?}");
        if !json {
            for line in [
                "web1  | ␛]0;title␇␛[2J␛[3A␛]8;;http://x␛\\x␛]52;c;aGk=␇\n",
                "web1  ! ␍[web1] ok\n",
                "web1  ! <U+202E>evil\n",
                "web1  ! red\n",
                "web1  ! <U+009B>2J\n",
                "web1  note␛[2J\n",
                "thrown␛[2J",
            ] {
                assert!(text.contains(line), "{line:?} isn't in {text}");
            }
        }
    }
}

#[test]
pub(super) fn output_without_end_stays_in_bounded_memory_and_its_halves_are_marked() {
    if !needs_lab("output_without_end_stays_in_bounded_memory_and_its_halves_are_marked") {
        return;
    }
    let lab = lab(
        [host("web1")],
        r#"
fn endless() { targets().each(|host| { try { host.timeout("4s").capture(sh("yes 0123456789abcdef | head -c 10737418240")); } catch (f) { ui::note(host, f.message); } }); }
fn line()    { targets().each(|host| { let text = host.capture(sh("head -c 1073741824 /dev/zero | tr '\\0' x; printf end")); ui::note(host, `${text.len()} bytes`); ui::note(host, text.sub_string(524280, 60)); }); }
fn told()    { targets().each(|host| host.run(sh("head -c 3000000 /dev/zero | tr '\\0' y; echo; echo end"))); }
fn nested()  { targets().each(|host| { try { parse_json(host.capture(sh("head -c 900000 /dev/zero | tr '\\0' '['"))); } catch (f) { ui::note(host, f.message); } }); }
"#,
    );
    let run = lab.rfab(&["on:all", "endless", "line", "told", "nested"]).start();
    let mut most = 0;
    while !run.is_over() {
        let rfab = run.processes().into_iter().find(|p| p.name == "rfab");
        let status = rfab.and_then(|p| fs::read_to_string(format!("/proc/{}/status", p.pid)).ok()).unwrap_or_default();
        let rss = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(rss.unwrap_or(0_u64));
        thread::sleep(Duration::from_millis(20));
    }
    let out = run.output();
    let out = out.stdout.clone();
    assert!(out.contains("the command took longer than 4 s and was stopped"), "{out}");
    assert!(out.contains("web1  10486") && out.contains("bytes left out"), "{out}");
    assert!(out.contains("web1  | yyyy") && out.contains(" more characters") && out.contains("web1  | end\n"), "{out}");
    assert!(out.contains("this text isn't JSON"), "{out}");
    assert!(most > 10_000 && most < 150_000, "{most} KiB");
    assert!(out.len() < 100_000, "{}", out.len());
}

/// Looks for the password where another process or user could see it, until `stop`.
fn watch(stop: &AtomicBool) -> Vec<String> {
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for process in proc::all() {
            for file in ["cmdline", "environ"] {
                let text = fs::read(format!("/proc/{}/{file}", process.pid)).unwrap_or_default();
                // This test's binary contains the password in its file, but not in its arguments.
                if contains(&text, PASSWORD) {
                    seen.push(format!("{} {file}", process.name));
                }
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
    seen
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// Returns every file below a folder that contains the password.
fn files_with_password(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            found.extend(files_with_password(&entry.path()));
        } else if kind.is_file() && fs::read(entry.path()).is_ok_and(|bytes| contains(&bytes, PASSWORD)) {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

fn asked(run: &Running<'_>, times: usize) {
    let begun = Instant::now();
    while run.so_far().0.matches("sudo password on ").count() < times {
        assert!(begun.elapsed() < Duration::from_secs(20) && !run.is_over(), "{:?}", run.so_far());
        thread::sleep(Duration::from_millis(10));
    }
    // The prompt appears before rfab reads the answer.
    thread::sleep(Duration::from_millis(100));
}

const BY_SUDO: &str = r#"
fn whoami() {
    targets().parallel(|host| {
        host.sudo("id -un");
        host.user("shop").cd("/").env(#{ A: "b c" }).run(sh("id -un; pwd; echo \"$A\"; cat"));
        host.stdin("its own input\n").sudo("cat");
        try { host.sudo(sh("echo no >&2; exit 1")); } catch (f) { ui::note(host, `${f.kind} ${f.status}`); }
        host.user("shop").write("/var/tmp/owned", "text\n");
        ui::note(host, host.capture("stat -c %U /var/tmp/owned"));
        try { host.timeout("1s").sudo("sleep 60"); } catch (f) { ui::note(host, f.message); }
        service::restart(host);
    });
}
fn once() {
    targets().parallel(|host| {
        host.sudo(sh("echo x >> /srv/count"));
        service::restart(host);
        host.user("shop").run(sh("echo y >> /var/tmp/count; touch /var/tmp/begun; sleep 4"));
        host.sudo(sh("echo z >> /srv/count"));
    });
}
fn touch() { targets().parallel(|host| host.sudo("touch /ran")); }
"#;

fn each_command_ran_as_whom_it_should(lab: &Lab, name: &str, stdout: &str) {
    let printed: Vec<&str> = lines(stdout, name).into_iter().filter(|l| !l.starts_with("run ")).collect();
    let expected = [
        "| root",
        "| shop",
        "| /",
        "| b c",
        "| its own input",
        "! no",
        "failed 1",
        "write /var/tmp/owned",
        "shop",
        &format!("host `{name}`: the command took longer than 1 s and was stopped"),
    ];
    assert_eq!(printed[..expected.len()], expected, "{stdout}");
    assert!(stdout.contains("restart shop"), "{stdout}");
    let ledger = lab.host(name).sh("cat /srv/shop/.rfab/ledger").expect_ok();
    assert!(ledger.contains("\"restart\"") && ledger.contains("\"phase\":\"ok\""), "{ledger}");
    let sleeping = lab.host(name).processes().into_iter().filter(|p| p.name == "sleep").map(|p| p.pid);
    let sleeping = sleeping.filter(|p| fs::read(format!("/proc/{p}/cmdline")).is_ok_and(|l| l == b"sleep\x0060\0"));
    assert_eq!(sleeping.count(), 0, "a command that was stopped still runs on {name}");
}

/// Checks a run that is killed during a sudo command: the next attempt knows what was done, and doesn't do it again.
fn a_killed_run_is_resumed_by_a_password(lab: &Lab) {
    let run = lab.rfab(&["on:asks,each", "once"]).on_terminal().start();
    asked(&run, 1);
    run.types(&format!("{PASSWORD}\n"));
    let begun = Instant::now();
    for name in ["asks", "each"] {
        while !lab.host(name).path("/var/tmp/begun").exists() {
            assert!(begun.elapsed() < Duration::from_secs(30) && !run.is_over(), "{:?}", run.so_far());
            thread::sleep(Duration::from_millis(10));
        }
    }
    run.kill();
    thread::sleep(Duration::from_secs(5));
    let resumed = lab.rfab(&["--resume"]).on_terminal().start();
    asked(&resumed, 1);
    resumed.types(&format!("{PASSWORD}\n"));
    let resumed = resumed.output();
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(resumed.stdout.contains("and for every other host of testing1 that asks"), "{resumed:?}");
    for name in ["asks", "each"] {
        let host = lab.host(name);
        assert_eq!(host.sh("cat /srv/count /var/tmp/count").expect_ok(), "x\nz\ny\n", "{resumed:?}");
        let ledger = host.sh("cat /srv/shop/.rfab/ledger").expect_ok();
        assert_eq!(ledger.matches("\"restart\"").count(), 4, "one of each run, before and after: {ledger}");
    }
}

/// Checks that nothing hangs without a terminal.
fn nobody_is_asked_without_a_terminal_and_a_wrong_password_runs_nothing(lab: &Lab) {
    let begun = Instant::now();
    let alone = lab.rfab(&["on:asks,each", "touch"]).stdin(&format!("{PASSWORD}\n")).output();
    assert_eq!(alone.code, Some(1), "{alone:?}");
    assert!(
        alone
            .stdout
            .contains("sudo wants a password for `root`, which requires a terminal, and rfab isn't running in one"),
        "{alone:?}"
    );
    let wrong = lab.rfab(&["on:asks", "touch"]).on_terminal().start();
    asked(&wrong, 1);
    wrong.types("hunter2\n");
    let wrong = wrong.output();
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stdout.contains("sudo didn't accept the password for `root`"), "{wrong:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    for name in ["asks", "each"] {
        assert!(!lab.host(name).path("/ran").exists(), "it ran on {name}");
    }
}

#[test]
pub(super) fn sudo_runs_as_whom_it_should_asks_once_and_its_password_is_nowhere_to_be_seen() {
    if !needs_root("sudo_runs_as_whom_it_should_asks_once_and_its_password_is_nowhere_to_be_seen") {
        return;
    }
    let lab = lab(
        [host("asks").sudo(Sudo::Password), host("each").sudo(Sudo::EachTime), host("free").sudo(Sudo::Free)],
        BY_SUDO,
    );
    for name in ["asks", "each", "free"] {
        lab.unpack(name, 1, "v3.0.0");
        lab.activate(name, &format!("0001-{}", &lab.project.resolve("v3.0.0")[..12]));
        lab.host(name).sh("mkdir -p /srv/shop/.rfab; chown -R shop: /srv/shop").expect_ok();
    }
    // A command that needs no password, on a host where others do, doesn't get the password as its input.
    let sudoers = lab.host("asks").folder.join("etc/sudoers");
    let rules = fs::read_to_string(&sudoers).expect("sudoers");
    fs::write(&sudoers, format!("{rules}deploy ALL=(ALL:ALL) NOPASSWD: /usr/bin/cat, /bin/cat\n")).expect("sudoers");

    let stop = AtomicBool::new(false);
    let (out, seen) = thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&stop));
        let run = lab.rfab(&["on:all", "whoami"]).on_terminal().start();
        asked(&run, 1);
        run.types(&format!("{PASSWORD}\n"));
        let out = run.output();
        stop.store(true, Ordering::Relaxed);
        (out, watching.join().expect("the watcher"))
    });
    let stdout = out.stdout.replace("\r\n", "\n");
    assert_eq!(out.code, Some(0), "{stdout}");
    assert_eq!(stdout.matches("sudo password on ").count(), 1, "{stdout}");
    for name in ["asks", "each", "free"] {
        each_command_ran_as_whom_it_should(&lab, name, &stdout);
    }
    assert!(!stdout.contains(PASSWORD), "{stdout}");
    assert_eq!(seen, [""; 0]);
    assert_eq!(files_with_password(&lab.folder), [""; 0]);

    a_killed_run_is_resumed_by_a_password(&lab);
    nobody_is_asked_without_a_terminal_and_a_wrong_password_runs_nothing(&lab);
}

/// A background process keeps the channel open, and a run doesn't wait for it: fabric/fabric#1828.
#[test]
pub(super) fn a_process_that_is_left_in_the_background_holds_nobody_up_and_lives_on() {
    if !needs_lab("a_process_that_is_left_in_the_background_holds_nobody_up_and_lives_on") {
        return;
    }
    let tasks = r#"
fn holding()  { targets().each(|host| host.run(sh("sleep 4231 & echo started"))); }
fn nohup()    { targets().each(|host| host.run(sh("nohup sleep 4232 >/dev/null 2>&1 & echo started"))); }
fn captured() { targets().each(|host| ui::note(host, host.capture(sh("sleep 4233 & echo started")))); }
"#;
    let lab = lab([host("web1")], tasks);
    for task in ["holding", "nohup", "captured"] {
        let begun = std::time::Instant::now();
        let out = lab.rfab(&["on:web1", task]).output().expect_ok();
        assert!(out.contains("started") && begun.elapsed() < Duration::from_secs(20), "{task}: {out}");
    }
    let lives = |seconds: &str| lab.host("web1").sh(&format!("pgrep -f '^sleep {seconds}$'")).ok();
    assert!(lives("4231") && lives("4232") && lives("4233") && !lives("4234"));
}

#[test]
pub(super) fn what_a_failed_command_says_last_is_heard_though_it_comes_late_and_is_not_waited_for_without_end() {
    if !needs_lab("what_a_failed_command_says_last_is_heard_though_it_comes_late_and_is_not_waited_for_without_end") {
        return;
    }
    let tasks = r#"
fn late()   { targets().each(|host| host.run(sh("(sleep 0.5; echo $((6 * 7))-late >&2) & exit 7"))); }
fn chatty() { targets().each(|host| host.run(sh("timeout 40 sh -c 'while :; do echo on >&2; sleep 0.005; done' & exit 7"))); }
fn well()   { targets().each(|host| host.run(sh("timeout 40 sh -c 'while :; do echo on >&2; sleep 0.005; done' & exit 0"))); }
"#;
    let lab = lab([host("web1")], tasks);
    let late = lab.rfab(&["on:web1", "late"]).output();
    let said = format!("{}{}", late.stdout, late.stderr);
    assert!(late.code != Some(0) && said.contains("42-late"), "{said}");
    for (task, good) in [("chatty", false), ("well", true)] {
        let begun = std::time::Instant::now();
        let out = lab.rfab(&["on:web1", task]).output();
        assert_eq!(out.ok(), good, "{task}: {out:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{task}: {:?}", begun.elapsed());
    }
}
