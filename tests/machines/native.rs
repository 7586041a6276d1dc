//! rfab's own client: what it logs in with, what it leaves to OpenSSH's client and says so, and what it doesn't start.

use lab::{HostPlan, Lab, Output, Plan, natively, natively_but_for, needs_lab, proc};
use std::{fs, path::Path};

/// How rfab says that a host is reached by OpenSSH's client.
const FALLBACK: &str = "reached by OpenSSH's client, not by rfab's own: ";

fn lab(plan: Plan) -> Lab {
    let lab = Lab::start(plan);
    lab.edit("fabfile.rhai", |_| {
        "fn on() { fleet(\"fleets/testing1.toml\") }\n\
         fn hi() { targets().parallel(|host| { host.run(\"echo hi\"); host.run(\"echo again\"); }); }\n\
         fn held() { targets().parallel(|host| host.run(sh(\"echo begun; while [ ! -e go ]; do sleep 0.05; done\"))); }\n"
            .into()
    });
    lab
}

fn web(name: &'static str) -> HostPlan {
    HostPlan::new(name).fleet("testing1").role("web")
}

fn keygen(lab: &Lab, words: &[&str]) {
    lab.program("ssh-keygen", words).output().expect_ok();
}

/// Puts lines before everything else in the fleet's ssh configuration.
fn configure(lab: &Lab, lines: &str) {
    lab.edit("fleets/ssh_config", |text| format!("Host *\n{lines}\n{text}"));
}

/// Runs a line, and returns the reasons for which hosts were reached by OpenSSH's client.
#[track_caller]
fn fallbacks(lab: &Lab) -> Vec<String> {
    let out = lab.rfab(&["on", "hi"]).output();
    assert_eq!((out.code, out.stdout.matches("| again\n").count()), (Some(0), lab.hosts.len()), "{out:?}");
    out.stdout.lines().filter_map(|line| Some(line.split_once(FALLBACK)?.1.to_owned())).collect()
}

#[test]
fn what_the_own_client_cannot_honor_is_left_to_openssh_and_said_once_for_each_host() {
    if !needs_lab("what_the_own_client_cannot_honor_is_left_to_openssh_and_said_once_for_each_host") {
        return;
    }
    natively_but_for(&[""], || {
        let lab = lab(Plan::new().host(web("web1")).host(web("web2")));
        let before = fs::read_to_string(lab.project.folder.join("fleets/ssh_config")).expect("a configuration");
        assert_eq!(fallbacks(&lab), [""; 0]);
        // A list that ssh-keygen made is left to ssh.
        let revoked = lab.folder.join("revoked");
        keygen(
            &lab,
            &[
                "-q",
                "-k",
                "-f",
                &revoked.display().to_string(),
                &lab.folder.join("operator/key.pub").display().to_string(),
            ],
        );
        for (lines, why) in [
            ("Compression yes".to_owned(), "its ssh configuration has `compression yes`".to_owned()),
            ("ProxyCommand nc %h %p".into(), "its ssh configuration has `proxycommand nc %h %p`".into()),
            ("BindAddress 127.0.0.1".into(), "its ssh configuration has `bindaddress 127.0.0.1`".into()),
            (
                format!("RevokedHostKeys {}", revoked.display()),
                format!("this client can't read the list `{}` of revoked keys", revoked.display()),
            ),
            ("MACs umac-64-etm@openssh.com".into(), "it has none of the `MACs` in ssh's configuration".into()),
            (
                "Match exec true\nUser deploy\nMatch all".into(),
                "its ssh configuration has `Match exec`, `Match localnetwork`, or an `Include` of files that only ssh can resolve".into(),
            ),
        ] {
            lab.edit("fleets/ssh_config", |_| before.clone());
            configure(&lab, &lines);
            assert_eq!(fallbacks(&lab), [why.clone(), why], "{lines}");
        }
    });
}

#[test]
fn a_host_whose_only_known_key_is_rsa_is_checked_but_never_by_sha_1() {
    if !needs_lab("a_host_whose_only_known_key_is_rsa_is_checked_but_never_by_sha_1") {
        return;
    }
    natively_but_for(&["ssh-rsa"], || {
        let lab = lab(Plan::new().host(web("web1")));
        let (host, key) = (lab.host("web1"), lab.host("web1").folder.join("rsa").display().to_string());
        keygen(&lab, &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", &key]);
        let sshd = host.folder.join("sshd_config");
        let text = fs::read_to_string(&sshd).expect("its configuration");
        fs::write(&sshd, format!("HostKey {key}\n{text}")).expect("its configuration");
        host.stop_sshd();
        host.start_sshd();
        let rsa = fs::read_to_string(format!("{key}.pub")).expect("a key");
        let known = format!("{} {rsa}", host.known_as());
        lab.edit("known_hosts", |text| format!("{known}{text}"));
        assert_eq!(fallbacks(&lab), [""; 0]);
        lab.edit("known_hosts", |_| known);
        assert_eq!(fallbacks(&lab), [""; 0]);
        configure(&lab, "HostKeyAlgorithms ssh-rsa");
        let out = lab.rfab(&["on", "hi"]).output();
        assert!(out.stdout.contains("this client can't check its known key, which is `ssh-rsa`"), "{out:?}");
        // Another RSA key isn't the known one.
        lab.edit("fleets/ssh_config", |text| text.replace("HostKeyAlgorithms ssh-rsa\n", ""));
        keygen(
            &lab,
            &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", &lab.folder.join("other").display().to_string()],
        );
        let other = fs::read_to_string(lab.folder.join("other.pub")).expect("a key");
        lab.edit("known_hosts", |_| format!("{} {other}", host.known_as()));
        let out = lab.rfab(&["on", "hi"]).output();
        assert!(out.code == Some(4) && out.stdout.contains("its key differs from the known key"), "{out:?}");
    });
}

/// Runs a line with an agent that has one key.
fn by_agent(lab: &Lab, key: &str) -> Output {
    let rfab = env!("CARGO_BIN_EXE_rfab");
    let line = format!(
        "eval $(ssh-agent) >/dev/null; ssh-add -q {key}; '{rfab}' on hi; code=$?; ssh-agent -k >/dev/null; exit $code"
    );
    lab.program("sh", &["-c", &line]).output()
}

/// Adds a key to those that a host accepts.
fn accept(accepted: &Path, key: &str) {
    let own = fs::read_to_string(format!("{key}.pub")).expect("a key");
    let text = fs::read_to_string(accepted).expect("the accepted keys");
    fs::write(accepted, format!("{text}{own}")).expect("the accepted keys");
}

#[test]
fn keys_of_files_and_agents_and_certificates_log_in() {
    if !needs_lab("keys_of_files_and_agents_and_certificates_log_in") {
        return;
    }
    natively(|| {
        let lab = lab(Plan::new().host(web("web1")));
        let host = lab.host("web1");
        let operator = lab.folder.join("operator");
        let before = fs::read_to_string(lab.project.folder.join("fleets/ssh_config")).expect("a configuration");
        let key = operator.join("key").display().to_string();
        let identity = |file: &str| {
            let new = before.replace(&format!("IdentityFile {key}"), &format!("IdentityFile {file}"));
            lab.edit("fleets/ssh_config", |_| new);
        };
        let with_agent = |add: &str| by_agent(&lab, add);
        // The agent has the key, of which the file has only the public half.
        identity(&format!("{key}.pub"));
        assert_eq!(lab.rfab(&["on", "hi"]).output().code, Some(4));
        with_agent(&key).expect_ok();
        // Only the key that the configuration names may log in, whatever else the agent has.
        let other = operator.join("other").display().to_string();
        keygen(&lab, &["-q", "-t", "ecdsa", "-N", "", "-f", &other]);
        identity(&other);
        let denied = with_agent(&key);
        assert!(denied.code == Some(4) && denied.stdout.contains(": Permission denied (publickey"), "{denied:?}");
        lab.edit("fleets/ssh_config", |text| text.replace("IdentitiesOnly yes", "IdentitiesOnly no"));
        with_agent(&key).expect_ok();
        // An RSA key logs in by an agent.
        let rsa = operator.join("rsa").display().to_string();
        keygen(&lab, &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", &rsa]);
        accept(&host.folder.join("authorized_keys"), &rsa);
        let logins = || host.sshd_log().matches("ssh2: RSA").count();
        let before_it = logins();
        with_agent(&rsa).expect_ok();
        assert!(logins() > before_it, "{}", host.sshd_log());
        // And in a file.
        identity(&rsa);
        let before_it = logins();
        lab.rfab(&["on", "hi"]).output().expect_ok();
        assert!(logins() > before_it, "{}", host.sshd_log());
        // A certificate logs in, with the key in a file or in an agent.
        let authority = lab.folder.join("users").display().to_string();
        keygen(&lab, &["-q", "-t", "ed25519", "-N", "", "-f", &authority]);
        keygen(&lab, &["-q", "-s", &authority, "-I", "anna", "-n", "deploy", &format!("{other}.pub")]);
        let sshd = host.folder.join("sshd_config");
        let text = fs::read_to_string(&sshd).expect("its configuration");
        fs::write(&sshd, format!("TrustedUserCAKeys {authority}.pub\n{text}")).expect("its configuration");
        host.stop_sshd();
        host.start_sshd();
        identity(&other);
        lab.rfab(&["on", "hi"]).output().expect_ok();
        assert!(host.sshd_log().contains("ECDSA-CERT"), "{}", host.sshd_log());
        fs::rename(format!("{other}-cert.pub"), lab.folder.join("anna.pub")).expect("a certificate");
        identity(&format!("{other}.pub\n    CertificateFile {}", lab.folder.join("anna.pub").display()));
        let certified = host.sshd_log().matches("ECDSA-CERT").count();
        with_agent(&other).expect_ok();
        assert!(host.sshd_log().matches("ECDSA-CERT").count() > certified, "{}", host.sshd_log());
    });
}

#[test]
fn a_private_key_that_others_may_read_does_not_log_in() {
    if !needs_lab("a_private_key_that_others_may_read_does_not_log_in") {
        return;
    }
    natively_but_for(&["other users can read the key"], || {
        let lab = lab(Plan::new().host(web("web1")));
        let key = lab.folder.join("operator/key");
        lab.program("chmod", &["644", &key.display().to_string()]).output().expect_ok();
        let out = lab.rfab(&["on", "hi"]).output();
        assert!(out.code == Some(4) && out.stdout.contains(": Permission denied (publickey"), "{out:?}");
    });
}

#[test]
fn no_process_is_started_for_a_connection_and_a_killed_run_leaves_none() {
    if !needs_lab("no_process_is_started_for_a_connection_and_a_killed_run_leaves_none") {
        return;
    }
    natively(|| {
        let hosts = ["web1", "web2", "web3", "web4"];
        let lab = lab(hosts.into_iter().fold(Plan::new(), |plan, name| plan.host(web(name))));
        let run = lab.rfab(&["on", "held"]).start();
        while run.so_far().0.matches("| begun").count() < hosts.len() {
            assert!(!run.is_over(), "{:?}", run.so_far());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let others: Vec<proc::Process> = run.processes().into_iter().filter(|process| process.name != "rfab").collect();
        assert!(others.is_empty(), "{others:?}");
        run.kill();
        // Its death frees the lock.
        for name in hosts {
            fs::write(lab.host(name).folder.join("home/deploy/go"), "").expect("a file on the host");
        }
        lab.rfab(&["on", "hi", "--force"]).output().expect_ok();
    });
}
