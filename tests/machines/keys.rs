//! Host keys: an unknown or changed key lets nothing through, even if the user's ssh configuration would.

use lab::{HostPlan, Lab, Output, Plan, needs_lab};
use std::fs;

/// Starts `web1`, reached directly, and `web2`, reached through `bastion`, with a task that leaves a mark on each.
fn lab() -> Lab {
    let host = |name, fleet| HostPlan::new(name).fleet(fleet).role("web");
    let plan = Plan::new().host(host("web1", "testing1")).host(HostPlan::new("bastion"));
    let lab = Lab::start(plan.host(host("web2", "testing2").behind("bastion")));
    lab.edit("fabfile.rhai", |_| {
        "const default_targets = \"on\";\n\
         fn on() { on(\"web1\") }\n\
         fn on(which) { fleet(if which == \"web1\" { \"fleets/testing1.toml\" } else { \"fleets/testing2.toml\" }) }\n\
         fn touch() { targets().each(|host| host.run(\"touch mark\")); }\n"
            .into()
    });
    lab
}

/// Checks that nothing ran on a host: no mark, and no login.
fn assert_untouched(lab: &Lab, name: &str) {
    let host = lab.host(name);
    assert!(!host.folder.join("home/deploy/mark").exists(), "a command ran on {name}");
    assert!(!host.sshd_log().contains("Accepted"), "somebody logged in on {name}: {}", host.sshd_log());
}

fn known_hosts(lab: &Lab, change: impl Fn(String) -> String) {
    lab.edit("known_hosts", change);
}

/// Removes a host's lines from the known hosts.
fn forget(lab: &Lab, name: &str) {
    let name = lab.host(name).known_as();
    known_hosts(lab, |text| text.lines().filter(|l| !l.starts_with(&name)).map(|l| format!("{l}\n")).collect());
}

fn new_key(lab: &Lab, name: &str) {
    let host = lab.host(name);
    host.stop_sshd();
    host.new_host_key();
    host.start_sshd();
}

#[track_caller]
fn assert_refused(out: &Output, says: &[&str]) {
    assert_eq!(out.code, Some(4), "{out:?}");
    for text in says {
        assert!(out.stdout.contains(text), "`{text}` isn't said:\n{}", out.stdout);
    }
    assert_eq!(out.stdout.matches("error: ").count(), 1, "one report: {}", out.stdout);
}

#[test]
pub(super) fn a_balancer_whose_key_is_unknown_is_told_once_for_all_its_hosts() {
    if !needs_lab("a_balancer_whose_key_is_unknown_is_told_once_for_all_its_hosts") {
        return;
    }
    let web = |plan: Plan, name| plan.host(HostPlan::new(name).fleet("prod").role("web"));
    let plan = ["web1", "web2", "web3", "web4"].into_iter().fold(Plan::new(), web);
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    forget(&lab, "lb1");
    let out = lab.rfab(&["prod", "--", "touch", "mark"]).output();
    assert_refused(&out, &["host `lb1`: its key isn't known, so rfab doesn't trust it", "`rfab prod --trust lb1`"]);
    // Once when rfab sees it, and once in the report.
    assert_eq!(out.stdout.matches("isn't known").count(), 2, "{}", out.stdout);
    assert!(out.stdout.contains("\n4 hosts: 4 untouched\n"), "{}", out.stdout);
    for name in ["web1", "web2", "web3", "web4"] {
        assert!(!lab.host(name).folder.join("home/deploy/mark").exists(), "a command ran on {name}");
    }
}

const HOSTILE: &str = "Host *\n    StrictHostKeyChecking no\n    UserKnownHostsFile /dev/null\n    \
    KnownHostsCommand /bin/sh -c \"printf '%%H ' ; echo %t %K\"\n    VerifyHostKeyDNS yes\n    \
    NoHostAuthenticationForLocalhost yes\n    CheckHostIP no\n    UpdateHostKeys yes\n    BatchMode no\n    \
    ForwardAgent yes\n";

#[test]
pub(super) fn an_unknown_or_changed_key_of_a_host_or_its_jump_host_refuses_whatever_the_users_configuration_says() {
    if !needs_lab("an_unknown_or_changed_key_of_a_host_or_its_jump_host_refuses_whatever_the_users_configuration_says")
    {
        return;
    }
    let lab = lab();
    for config in ["", HOSTILE] {
        fs::write(lab.home().join(".ssh/config"), config).expect("the user's configuration");
        lab.write_known_hosts();
        forget(&lab, "web1");
        let unknown = lab.rfab(&["on:web1", "touch"]).output();
        assert_refused(
            &unknown,
            &["host `web1`: its key isn't known, so rfab doesn't trust it", "`rfab on:web1 --trust web1`"],
        );
        forget(&lab, "bastion");
        let jump = lab.rfab(&["on:web2", "touch"]).output();
        let says =
            "host `web2`: the key of `bastion`, a jump host on the route to it, isn't known, so rfab doesn't trust it";
        assert_refused(&jump, &[says, "`rfab on:web2 --trust web2`"]);
        known_hosts(&lab, |_| String::new());
        assert_refused(&lab.rfab(&["on:web1", "touch"]).output(), &["host `web1`: its key isn't known"]);
        lab.write_known_hosts();
        for name in ["web1", "bastion"] {
            new_key(&lab, name);
        }
        let changed = lab.rfab(&["on:web1", "touch"]).output();
        let says = [
            "host `web1`: its key differs from the known key",
            "/known_hosts:1): somebody may be intercepting the connection",
        ];
        assert_refused(&changed, &[says[0], says[1], "`rfab on:web1 --trust web1`"]);
        let jump = lab.rfab(&["on:web2", "touch"]).output();
        assert_refused(
            &jump,
            &["host `web2`: the key of `bastion`, a jump host on the route to it, differs from the known key"],
        );
        for name in ["web1", "bastion", "web2"] {
            assert_untouched(&lab, name);
        }
    }
}

#[test]
fn a_proxy_command_that_calls_ssh_is_refused_also_on_the_way_and_a_users_master_is_not_ridden_on() {
    if !needs_lab("a_proxy_command_that_calls_ssh_is_refused_also_on_the_way_and_a_users_master_is_not_ridden_on") {
        return;
    }
    let lab = lab();
    let user = |text: &str| fs::write(lab.home().join(".ssh/config"), text).expect("the user's configuration");
    user("Host 127.*\n    ProxyCommand /usr/bin/ssh -o StrictHostKeyChecking=no -W %h:%p bastion\n");
    let own = lab.rfab(&["on:web1", "touch"]).output();
    assert_refused(&own, &["host `web1`: its `ProxyCommand /usr/bin/ssh", "write `ProxyJump` instead"]);
    user("Host bastion\n    ProxyCommand exec ssh -W %h:%p web1\n");
    let way = lab.rfab(&["on:web2", "touch"]).output();
    assert_refused(
        &way,
        &["host `web2`: on the route to it, `bastion`'s `ProxyCommand exec ssh", "write `ProxyJump` instead"],
    );

    // The user already has a connection to the jump host, from a configuration that didn't check its key.
    let socket = lab.home().join("master");
    user(&format!("Host *\n    ControlMaster auto\n    ControlPath {}\n    ControlPersist 60\n", socket.display()));
    let config = format!("StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nInclude {}\n", "fleets/ssh_config");
    let config = config.replace("fleets/", &format!("{}/fleets/", lab.project.folder.display()));
    fs::write(lab.home().join("careless"), config).expect("a configuration");
    let master = ["-F", &lab.home().join("careless").display().to_string(), "-M", "-N", "-S"].map(String::from);
    let mut words: Vec<&str> = master.iter().map(String::as_str).collect();
    let path = socket.display().to_string();
    words.extend([&*path, "bastion"]);
    let master = lab.program("ssh", &words).start();
    while !socket.exists() {
        assert!(!master.is_over(), "the user's own connection: {:?}", master.so_far());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    forget(&lab, "bastion");
    let way = lab.rfab(&["on:web2", "touch"]).output();
    assert_refused(&way, &["host `web2`: the key of `bastion`, a jump host on the route to it, isn't known"]);
    master.kill();
    assert_untouched(&lab, "web1");
    assert_untouched(&lab, "web2");
}

fn file(lab: &Lab) -> String {
    fs::read_to_string(lab.project.folder.join("known_hosts")).expect("known hosts")
}

/// Returns a host's line in that file.
fn line(lab: &Lab, name: &str) -> String {
    format!("{} {}\n", lab.host(name).known_as(), lab.host(name).host_key())
}

/// Returns the fingerprint of a host's key.
fn print(lab: &Lab, name: &str) -> String {
    let key = lab.host(name).folder.join("host_key.pub").display().to_string();
    lab.program("ssh-keygen", &["-l", "-f", &key]).output().expect_ok().split(' ').nth(1).expect("a print").to_owned()
}

/// Checks that an answer from a pipe changes nothing.
fn without_a_terminal_only_a_fingerprint_is_a_yes(lab: &Lab) {
    let piped = lab.rfab(&["--trust", "web1"]).stdin("y\n").output();
    assert_eq!((piped.code, file(lab)), (Some(7), "# ours\n".into()), "{piped:?}");
    assert!(piped.stdout.contains(&format!("ED25519 {}", print(lab, "web1"))), "{piped:?}");
    assert!(piped.stderr.contains(" requires a terminal, and rfab isn't running in one"), "{piped:?}");
    // The right fingerprint counts as a yes, and another one as a no.
    let other = lab.rfab(&["--trust", &format!("web1={}", print(lab, "web2"))]).output();
    assert_eq!((other.code, file(lab)), (Some(7), "# ours\n".into()), "{other:?}");
    lab.rfab(&["--trust", &format!("web1={}", print(lab, "web1"))]).output().expect_ok();
    assert_eq!(file(lab), format!("# ours\n{}", line(lab, "web1")));
    let mode = fs::metadata(lab.project.folder.join("known_hosts")).expect("known hosts").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o644);
    lab.rfab(&["on:web1", "touch"]).output().expect_ok();
}

fn on_a_terminal_the_jump_hosts_key_comes_first(lab: &Lab) {
    let no = lab.rfab(&["on:web2", "--trust", "web2"]).on_terminal().start();
    no.wait_for("[y/N]");
    no.types("n\n");
    assert_eq!((no.output().code, file(lab)), (Some(7), format!("# ours\n{}", line(lab, "web1"))));
    let yes = lab.rfab(&["on:web2", "--trust", "web2"]).on_terminal().start();
    yes.wait_for(&print(lab, "bastion"));
    yes.wait_for("[y/N]");
    assert!(!yes.so_far().0.contains(&print(lab, "web2")), "it isn't reached through a stranger");
    yes.types("y\n");
    yes.wait_for(&print(lab, "web2"));
    yes.types("y\n");
    yes.output().expect_ok();
    assert_eq!(file(lab), format!("# ours\n{}{}{}", line(lab, "web1"), line(lab, "bastion"), line(lab, "web2")));
    lab.rfab(&["on:web2", "touch"]).output().expect_ok();
    let again = lab.rfab(&["on:web2", "--trust", "web2"]).output().expect_ok();
    assert_eq!(again.matches("is known already").count(), 2, "{again}");
}

fn a_changed_key_is_shown_as_changed_and_replaced_only_after_the_yes(lab: &Lab) {
    let (before, was) = (line(lab, "web1"), print(lab, "web1"));
    new_key(lab, "web1");
    let changed = lab.rfab(&["--trust", "web1"]).on_terminal().start();
    changed.wait_for("[y/N]");
    let (shown, _) = changed.so_far();
    assert!(shown.contains("IT HAS CHANGED") && shown.contains(&was) && shown.contains(&print(lab, "web1")), "{shown}");
    assert!(file(lab).contains(&before));
    changed.types("y\n");
    changed.output().expect_ok();
    assert_eq!(file(lab), format!("# ours\n{}{}{}", line(lab, "bastion"), line(lab, "web2"), line(lab, "web1")));
    lab.rfab(&["on:web1", "touch"]).output().expect_ok();
}

/// Checks a plain name that the ssh configuration has, and names that aren't names of hosts.
fn other_names_are_taken_up_or_refused(lab: &Lab) {
    forget(lab, "bastion");
    lab.rfab(&["--trust", &format!("bastion={}", print(lab, "bastion"))]).output().expect_ok();
    assert!(file(lab).ends_with(&line(lab, "bastion")), "{}", file(lab));
    let evil = lab.rfab(&["--trust", "-oProxyCommand=touch /tmp/p"]).output();
    assert_eq!(evil.code, Some(2), "{evil:?}");
    let evil = lab.rfab(&["--trust=-oProxyCommand=touch"]).output();
    assert_eq!(evil.code, Some(3), "{evil:?}");
}

#[test]
pub(super) fn trust_shows_the_keys_on_the_way_asks_and_writes_them_beside_the_fabfile() {
    if !needs_lab("trust_shows_the_keys_on_the_way_asks_and_writes_them_beside_the_fabfile") {
        return;
    }
    let lab = lab();
    known_hosts(&lab, |_| "# ours\n".into());

    without_a_terminal_only_a_fingerprint_is_a_yes(&lab);
    on_a_terminal_the_jump_hosts_key_comes_first(&lab);
    a_changed_key_is_shown_as_changed_and_replaced_only_after_the_yes(&lab);
    other_names_are_taken_up_or_refused(&lab);
}

/// Runs ssh-keygen in the lab.
fn keygen(lab: &Lab, words: &[&str]) {
    lab.program("ssh-keygen", words).output().expect_ok();
}

/// Checks that the key of `web1` is known, and that rfab tells how.
fn known(lab: &Lab, what: &str) {
    lab.rfab(&["on:web1", "touch"]).output().expect_ok();
    let out = lab.rfab(&["on:web1", "--trust", "web1"]).output().expect_ok();
    assert!(out.contains(what), "{out}");
}

/// Checks a host with a certificate, when no file has the host's own key.
fn a_key_that_an_authority_vouches_for_is_known(lab: &Lab, file: &str) {
    let (folder, authority) = (lab.host("web1").folder.clone(), lab.folder.join("authority").display().to_string());
    keygen(lab, &["-q", "-t", "ed25519", "-N", "", "-f", &authority]);
    let own = folder.join("host_key.pub").display().to_string();
    let name = lab.host("web1").address.to_string();
    keygen(lab, &["-q", "-s", &authority, "-h", "-I", "web1", "-n", &name, &own]);
    let sshd = folder.join("sshd_config");
    let text = fs::read_to_string(&sshd).expect("its configuration");
    fs::write(&sshd, format!("HostCertificate {}\n{text}", folder.join("host_key-cert.pub").display())).expect("it");
    let again = || {
        lab.host("web1").stop_sshd();
        lab.host("web1").start_sshd();
    };
    again();
    let key = fs::read_to_string(format!("{authority}.pub")).expect("a key");
    known_hosts(lab, |_| format!("@cert-authority * {key}"));
    known(lab, "is signed by the authority in");
    assert_eq!(fs::read_to_string(file).expect("known hosts"), format!("@cert-authority * {key}"));
    // A certificate for another name.
    keygen(lab, &["-q", "-s", &authority, "-h", "-I", "web1", "-n", "web9", &own]);
    again();
    let out = lab.rfab(&["on:web1", "touch"]).output();
    assert_refused(&out, &["isn't valid: name is not a listed principal"]);
    // A key that lost its certificate is shown as such.
    fs::write(&sshd, text).expect("its configuration");
    again();
    let out = lab.rfab(&["on:web1", "--trust", "web1"]).output();
    assert!(out.code == Some(7) && out.stdout.contains("NOBODY VOUCHES FOR IT"), "{out:?}");
}

#[test]
pub(super) fn known_hosts_of_any_file_that_ssh_is_told_of_count_hashed_or_vouched_for() {
    if !needs_lab("known_hosts_of_any_file_that_ssh_is_told_of_count_hashed_or_vouched_for") {
        return;
    }
    let lab = lab();
    let (config, ops) = (lab.home().join(".ssh/config"), lab.home().join("ops known"));
    let line = format!("{} {}\n", lab.host("web1").known_as(), lab.host("web1").host_key());
    known_hosts(&lab, |_| String::new());
    assert!(!lab.rfab(&["on:web1", "touch"]).output().ok());
    fs::write(&ops, &line).expect("known hosts");
    for option in ["UserKnownHostsFile", "GlobalKnownHostsFile"] {
        fs::write(&config, format!("Host 127.*\n {option} \"{}\"\n", ops.display())).expect("a configuration");
        if option == "UserKnownHostsFile" {
            known(&lab, "is known already");
        }
        fs::rename(&ops, lab.home().join("ops")).expect("known hosts");
        fs::write(&config, format!("Host 127.*\n {option} ~/ops\n")).expect("a configuration");
        known(&lab, "is known already");
        fs::rename(lab.home().join("ops"), &ops).expect("known hosts");
    }
    fs::write(&config, "").expect("a configuration");
    let team = lab.folder.join("team_known");
    fs::write(&team, &line).expect("known hosts");
    lab.edit("fleets/ssh_config", |text| format!("UserKnownHostsFile {}\n{text}", team.display()));
    known(&lab, "is known already");
    fs::remove_file(&team).expect("known hosts");
    assert!(!lab.rfab(&["on:web1", "touch"]).output().ok(), "it is known no more");

    known_hosts(&lab, |_| line.clone());
    let file = lab.project.folder.join("known_hosts").display().to_string();
    keygen(&lab, &["-q", "-H", "-f", &file]);
    fs::remove_file(format!("{file}.old")).expect("the old file");
    known(&lab, "is known already");

    a_key_that_an_authority_vouches_for_is_known(&lab, &file);
}

#[test]
pub(super) fn trust_says_loudly_that_a_key_is_of_another_kind_and_takes_up_none_that_is_revoked() {
    if !needs_lab("trust_says_loudly_that_a_key_is_of_another_kind_and_takes_up_none_that_is_revoked") {
        return;
    }
    let lab = lab();
    let (web, bastion) = (lab.host("web1"), lab.host("bastion"));
    let other = lab.folder.join("other").display().to_string();
    keygen(&lab, &["-q", "-t", "ecdsa", "-N", "", "-f", &other]);
    let key = fs::read_to_string(format!("{other}.pub")).expect("a key");
    let before = format!("{} {key}", web.known_as());
    known_hosts(&lab, |_| before.clone());
    let file = || fs::read_to_string(lab.project.folder.join("known_hosts")).expect("known hosts");
    let run = lab.rfab(&["--trust", "web1"]).on_terminal().start();
    run.wait_for("[y/N]");
    let (shown, _) = run.so_far();
    assert!(shown.contains("IT IS ANOTHER KIND OF KEY") && shown.contains("ECDSA SHA256:"), "{shown}");
    assert!(shown.contains("Somebody may be intercepting the connection."), "{shown}");
    run.types("n\n");
    assert_eq!((run.output().code, file()), (Some(7), before.clone()));
    let run = lab.rfab(&["--trust", "web1"]).on_terminal().start();
    run.wait_for("[y/N]");
    run.types("y\n");
    run.output().expect_ok();
    assert_eq!(file(), format!("{} {}\n", web.known_as(), web.host_key()), "the other one is gone");

    // An expected fingerprint is also compared with a key that is already known.
    let out = lab.rfab(&["--trust", "web1=SHA256:another"]).output();
    assert!(out.code == Some(7) && out.stderr.contains("not the expected one"), "{out:?}");

    let web_key = web.folder.join("host_key.pub").display().to_string();
    let print = lab.program("ssh-keygen", &["-l", "-f", &web_key]).output().expect_ok();
    let print = print.split(' ').nth(1).expect("a fingerprint");
    for name in ["*".to_owned(), web.known_as()] {
        let revoked = format!("@revoked {name} {}\n", web.host_key());
        known_hosts(&lab, |_| revoked.clone());
        for words in [vec!["--trust", "web1"], vec!["--trust", &*format!("web1={print}")]] {
            let out = lab.rfab(&words).output();
            assert_eq!((out.code, file()), (Some(4), revoked.clone()), "{out:?}");
            assert!(out.stderr.contains("is marked as revoked"), "{out:?}");
        }
        assert_refused(&lab.rfab(&["on:web1", "touch"]).output(), &["host `web1`: its key is marked as revoked"]);
    }
    let revoked = format!("@revoked * {}\n", bastion.host_key());
    known_hosts(&lab, |_| revoked.clone());
    let out = lab.rfab(&["on:web2", "--trust", "web2"]).output();
    assert_eq!((out.code, file()), (Some(4), revoked), "{out:?}");
}

#[test]
pub(super) fn a_line_that_helps_has_the_words_of_the_fleet_and_the_host_whatever_was_typed() {
    if !needs_lab("a_line_that_helps_has_the_words_of_the_fleet_and_the_host_whatever_was_typed") {
        return;
    }
    let lab = lab();
    lab.edit("fabfile.rhai", |text| {
        format!(
            "{text}import \"std/proxy\" as proxy;\nfn look() {{ targets().parallel(|host| release::list(host)); }}\n\
             fn caught() {{ targets().each(|host| {{ try {{ host.run(\"true\"); }} catch (f) {{ ui::note(host, f.help); }} }}); }}\n"
        )
    });
    forget(&lab, "web1");
    forget(&lab, "bastion");
    for which in ["web1", "web2"] {
        let on = format!("on:{which}");
        let trust = format!("rfab {on} --trust {which}");
        for words in
            [vec![&*on], vec![&on, "look"], vec![&on, "caught"], vec![&on, "touch"], vec![&on, "touch", "--json"]]
        {
            let out = lab.rfab(&words).output();
            let all = format!("{}{}", out.stdout, out.stderr);
            assert!(!all.contains("{hosts}"), "{words:?}: {all}");
            assert!(all.contains(&trust), "{words:?}: {all}");
        }
    }
    let out = lab.rfab(&["on:web2", "--trust", "web2"]).output();
    assert!(!format!("{out:?}").contains("{hosts}"), "{out:?}");
}
