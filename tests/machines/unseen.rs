//! A secret on its way to a host: no other user of the host sees it, and no file keeps it if the host prints it.

use lab::{HostPlan, Kind, Lab, PASSWORD, Plan, Sudo, needs_lab};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const SECRET: &str = "Tok3nOfTheShop/1234?x=y z+ö";

const TASKS: &str = r#"
fn on(which) { fleet("fleets/testing1.toml").select(which) }
fn use_it() {
    let s = secret::env("SHOP_TOKEN");
    let look = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' >> /tmp/seen; chmod 666 /tmp/seen";
    targets().parallel(|host| {
        let all = [host, host.cd("/tmp")];
        if host.name != "tiny" { all += [host.user("root"), host.user("root").cd("/tmp")]; }
        for on in all {
            on.run(sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' >> /tmp/seen; chmod 666 /tmp/seen; printf '%s\\n' \"$x\"; sleep 0.1", #{ x: s }));
            on.env(#{ X: s }).run(["sh", "-c", look + "; printf '%s\\n' \"$X\""]);
            on.env(#{ X: s }).stdin("typed").run(sh("printf '%s ' \"$X\"; cat", #{ y: s }));
            on.stdin(s).run("cat");
        }
        host.env(#{ X: s }).run(sh("printf %s \"$X\" | base64; printf 'user:%s' \"$X\" | base64 | tr '+/' '-_'; echo 'Tok3nOfTheShop%2F1234%3Fx%3Dy+z%2B%C3%B6'; printf '%s' \"$X\" >&2"));
        let true_text = host.env(#{ X: s }).capture(sh("printf '%s' \"$X\""));
        host.write("copy", s);
        host.template("shop.j2", "filled", #{ token: s });
        ui::note(host, `${true_text.len()} ${host.read("copy") == true_text}`);
        try { host.env(#{ X: s }).run(sh("echo \"no $X\" >&2; exit 3")); } catch (f) { ui::note(host, f.help); }
    });
    throw "stopped";
}
fn asked() {
    let s = secret::ask("the token");
    targets().each(|host| host.stdin(s).run("cat"));
}
fn named() {
    let s = secret::env("SHOP_TOKEN");
    targets().each(|host| { host.run("true"); ui::note(host, `is ${host.name}`); host.run("ls no-such-file"); });
}
fn console() {
    let s = secret::env("SHOP_TOKEN");
    targets().each(|host| host.env(#{ TOKEN: s }).terminal(["sh", "-c", "cat /proc/[0-9]*/cmdline > seen 2>/dev/null; printf %s \"$TOKEN\" | wc -c | tr -d ' ' > length; until [ -e go ]; do sleep 0.2; done"]));
}
fn loud() { targets().each(|host| host.sudo(sh("printf 'the password is %s-7Qx9\\n' correct-horse"))); }
"#;

/// Returns every file below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let folder = |path: &PathBuf| path.is_dir() && !path.is_symlink();
    entries.flat_map(|path| if folder(&path) { below(&path) } else { vec![path] }).collect()
}

fn text(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}

/// A part of each form of the secret, without letters that another form shares.
const PARTS: [&str; 8] = ["Tok3nOf", "OfTheShop", "VG9rM25PZl", "9UaGVTaG9w", "Rva", "b2szbk9m", "1234?x", "1234%3Fx"];

/// Checks a secret on the terminal that is lent to a host's program.
fn on_a_lent_terminal_it_is_no_argument_here_or_there(lab: &Lab) {
    for name in ["plain", "tiny", "wish"] {
        let file = |file: &str| lab.host(name).folder.join("home/deploy").join(file);
        let run = lab.rfab(&[&format!("on:{name}"), "console"]).env("SHOP_TOKEN", SECRET).on_terminal().start();
        let begun = Instant::now();
        while !text(&file("length")).ends_with('\n') {
            assert!(begun.elapsed() < Duration::from_secs(60) && !run.is_over(), "{name}: {:?}", run.so_far());
            std::thread::sleep(Duration::from_millis(10));
        }
        let here =
            run.processes().into_iter().map(|process| text(Path::new(&format!("/proc/{}/cmdline", process.pid))));
        let all = here.chain([text(&file("seen"))]).collect::<String>();
        assert!(all.contains("until [ -e go ]") && all.contains("ControlPath"), "{all}");
        PARTS.iter().for_each(|part| assert!(!all.contains(part), "{name}: {part} is an argument"));
        fs::write(file("go"), "").expect("a file");
        assert_eq!((text(&file("length")), run.output().code), (format!("{}\n", SECRET.len()), Some(0)), "{name}");
        fs::remove_file(file("seen")).expect("what was seen");
        assert!(lab.host(name).sh("! ls -d /tmp/.rfab-*").code == Some(0), "nothing is left of it");
    }
}

/// Checks secrets that equal words of rfab's own, such as a host's name.
fn a_secret_that_is_a_word_of_rfabs_own_changes_nothing_but_texts(lab: &Lab) {
    for token in ["plain", "untouched", "testing1"] {
        let ran = lab.rfab(&["on:plain", "named"]).env("SHOP_TOKEN", token).output();
        assert!(ran.code == Some(1) && ran.stdout.contains("\nplain  -         failed  "), "{}", ran.stdout);
        assert_eq!(ran.stdout.contains("plain  is ***"), token == "plain", "{}", ran.stdout);
        let next = ran.stdout.lines().find_map(|line| line.strip_prefix("next: rfab --resume "));
        let run = next.and_then(|rest| rest.split_whitespace().next()).expect("how to go on");
        let again = lab.rfab(&["--resume", run]).env("SHOP_TOKEN", token).output();
        assert!(
            again.code == Some(1) && again.stdout.contains("next: rfab --resume "),
            "{}{}",
            again.stdout,
            again.stderr
        );
    }
}

fn it_is_no_argument_and_in_no_other_file_of_a_host(lab: &Lab, name: &str) {
    let host = lab.host(name);
    let seen = host.sh("cat /tmp/seen").expect_ok();
    assert!(seen.contains("cat /proc/"), "{name}: {seen}");
    PARTS.iter().for_each(|part| assert!(!seen.contains(part), "{name}: {part} is an argument"));
    let home = host.folder.join("home/deploy");
    assert_eq!(
        (text(&home.join("copy")).as_str(), text(&home.join("filled"))),
        (SECRET, format!("token = {SECRET}\n"))
    );
    let kept = below(&home).into_iter().chain(below(&host.folder.join("srv")));
    for file in kept.filter(|file| !file.ends_with("copy") && !file.ends_with("filled")) {
        PARTS.iter().for_each(|part| assert!(!text(&file).contains(part), "{part} is in {}", file.display()));
    }
}

#[test]
fn a_secret_is_in_no_argument_on_a_host_and_in_nothing_that_is_shown_or_kept() {
    if !needs_lab("a_secret_is_in_no_argument_on_a_host_and_in_nothing_that_is_shown_or_kept") {
        return;
    }
    let host = |name| HostPlan::new(name).fleet("testing1").role("web");
    let plan = Plan::new().host(host("plain").sudo(Sudo::Free)).host(host("asks").sudo(Sudo::EachTime));
    let tiny = host("tiny").kind(Kind::Busybox);
    let lab = Lab::start(plan.host(tiny).host(HostPlan { shell: "/usr/bin/fish", ..host("wish").sudo(Sudo::Free) }));
    lab.edit("fabfile.rhai", |_| TASKS.to_owned());
    lab.edit("shop.j2", |_| "token = {{ token }}\n".to_owned());
    let mut shown = Vec::new();
    for words in [&["on:plain,tiny,wish", "use_it"][..], &["--json", "on:plain,tiny,wish", "use_it"]] {
        let ran = lab.rfab(words).env("SHOP_TOKEN", SECRET).output();
        assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stdout.matches("27 true").count(), 3, "{}", ran.stdout);
        shown.extend([ran.stdout, ran.stderr]);
    }
    let run = lab.rfab(&["on:asks", "loud"]).on_terminal().start();
    run.wait_for("sudo password on asks");
    run.types(&format!("{PASSWORD}\n"));
    let ran = run.output();
    assert!(ran.stdout.contains("| the password is ***") && ran.code == Some(0), "{}", ran.stdout);
    let ran_with = lab.rfab(&["on:asks", "use_it"]).env("SHOP_TOKEN", SECRET).on_terminal().start();
    ran_with.wait_for("sudo password on asks");
    ran_with.types(&format!("{PASSWORD}\n"));
    let ran_with = ran_with.output();
    assert!(ran_with.stdout.contains("27 true"), "{}", ran_with.stdout);
    shown.extend([ran.stdout, ran_with.stdout]);

    let run = lab.rfab(&["on:plain", "asked"]).on_terminal().start();
    run.wait_for("the token:");
    run.types("Typed Unseen\n");
    let ran = run.output();
    assert!(ran.stdout.contains("plain  | ***") && !ran.stdout.contains("Unseen"), "{}", ran.stdout);
    shown.push(ran.stdout);

    on_a_lent_terminal_it_is_no_argument_here_or_there(&lab);
    a_secret_that_is_a_word_of_rfabs_own_changes_nothing_but_texts(&lab);
    let logs =
        below(&lab.home().join(".local")).into_iter().filter(|file| file.ends_with("testing1.plain.log")).count();
    assert!(logs >= 5, "{logs}");

    for name in ["plain", "tiny", "wish", "asks"] {
        it_is_no_argument_and_in_no_other_file_of_a_host(&lab, name);
    }
    let here = below(&lab.home().join(".local"));
    assert!(here.iter().any(|file| file.extension().is_some_and(|ending| ending == "log")), "{here:?}");
    shown.extend(here.iter().map(|file| text(file)));
    for text in &shown {
        for part in PARTS.iter().chain([&PASSWORD, &"Typed Unseen"]) {
            assert!(!text.contains(part), "{part} is in {text}");
        }
    }
    assert!(shown[0].contains("| ***") && shown[0].contains("its last line was: no ***"), "{}", shown[0]);
}
