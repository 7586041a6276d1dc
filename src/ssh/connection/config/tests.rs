//! How ssh reads the configuration.
use super::*;
use crate::fleet::tests::read_text;

/// Replaces this machine's own configuration.
const NONE: &str = "/dev/null";

/// How ssh reads a fleet, the file that it names, and the user's configuration, for one host.
struct Said(String);

impl Said {
    fn of(fleet: &str, file: &str, user: &str, host: &str) -> Said {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".ssh")).unwrap();
        fs::write(home.path().join(".ssh/config"), user).unwrap();
        fs::write(home.path().join("fleet_config"), file).unwrap();
        let mut fleet = read_text(fleet);
        fleet.ssh = Some(home.path().join("fleet_config"));
        let config = made(Some(&fleet), Path::new("/project"), home.path(), NONE.as_ref()).unwrap();
        let path = home.path().join("config");
        fs::write(&path, config.text).unwrap();
        let mut command = Command::new("ssh");
        let out = command.arg("-F").arg(&path).args(["-G", "--", host]).stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        Said(String::from_utf8(out.stdout).unwrap())
    }

    fn value(&self, option: &str) -> &str {
        self.0.lines().find_map(|line| line.strip_prefix(option)?.strip_prefix(' ')).unwrap_or("")
    }
}

#[test]
fn the_fleets_user_logs_in_on_its_machines_and_ones_own_on_jump_hosts() {
    let fleet = "user = \"deploy\"\nvia = \"bastion\"\n[hosts]\nweb1 = { address = \"fd00::1\" }\nweb2 = {}";
    for own in ["", "Host *\n User root\n", "User root\n", "Match all\n User root\n", "Host web2\n User root\n"] {
        for host in ["fd00::1", "web2"] {
            assert_eq!(Said::of(fleet, "", own, host).value("user"), "deploy", "{own:?} {host}");
        }
    }
    assert_eq!(Said::of(fleet, "", "Host bastion\n User anna\n", "bastion").value("user"), "anna");
    assert_eq!(Said::of(fleet, "", "", "bastion").value("user"), "deploy");
    // The team's own file configures these machines.
    assert_eq!(Said::of(fleet, "Host web2\n User ops\n", "User root\n", "web2").value("user"), "ops");
    let nobody = fleet.replace("user = \"deploy\"\n", "");
    assert_eq!(Said::of(&nobody, "", "User anna\n", "web2").value("user"), "anna");
}

#[test]
fn each_machine_is_reached_through_the_jump_hosts_before_it() {
    let hosts = "[hosts]\nweb1 = { roles = [\"web\"] }\ngate = { address = \"10.0.0.2\" }\n\
                     six = { address = \"fd00::2\" }\n[balancer.lb]\ndriver = \"haproxy\"\n\
                     host = \"lb.example.org\"\nsocket = \"/run/x\"\npools = { bk = \"web\" }\n";
    for (via, host, way) in [
        ("10.0.0.2:22", "web1", "10.0.0.2:22"),
        ("10.0.0.2:22", "10.0.0.2", ""),
        ("anna@10.0.0.2", "10.0.0.2", ""),
        ("a,b", "web1", "a,b"),
        ("a,10.0.0.2:2222,c", "web1", "a,10.0.0.2:2222,c"),
        ("a,10.0.0.2:2222,c", "10.0.0.2", "a"),
        ("a,b,ops@lb.example.org:22", "lb.example.org", "a,b"),
        ("[fd00::2]:2222", "web1", "[fd00::2]:2222"),
        ("[fd00::2]:2222", "fd00::2", ""),
        ("anna@[fd00::9]", "fd00::2", "anna@[fd00::9]"),
        ("b,anna@[fd00::2]", "fd00::2", "b"),
    ] {
        let said = Said::of(&format!("via = \"{via}\"\n{hosts}"), "", "", host);
        // ssh may put brackets around a name that doesn't need them.
        let plain = |way: &str| way.replace(['[', ']'], "");
        assert_eq!(plain(said.value("proxyjump")), plain(way), "{via} {host}");
    }
}

#[test]
fn what_would_hand_something_of_the_person_to_a_host_is_off_whoever_turned_it_on() {
    let on = "Host *\n ForwardAgent yes\n ForwardX11 yes\n ForwardX11Trusted yes\n GSSAPIDelegateCredentials yes\n \
                  SendEnv SECRET_* LC_*\n SetEnv TOKEN=x\n PermitLocalCommand yes\n LocalCommand touch /tmp/x\n Tunnel yes\n \
                  RemoteForward 9000 localhost:22\n LocalForward 9001 localhost:22\n DynamicForward 9002\n \
                  ClearAllForwardings no\n RemoteCommand touch x\n RequestTTY force\n StrictHostKeyChecking off\n \
                  VerifyHostKeyDNS yes\n UpdateHostKeys yes\n KnownHostsCommand /bin/echo %H\n VisualHostKey yes\n \
                  GatewayPorts yes\n ControlMaster auto\n ControlPath /tmp/x\n NoHostAuthenticationForLocalhost yes\n";
    for (file, own) in [(on, ""), ("", on)] {
        let said = Said::of("[hosts]\nweb1 = {}", file, own, "web1");
        for (option, value) in [
            ("forwardagent", "no"),
            ("forwardx11", "no"),
            ("forwardx11trusted", "no"),
            ("sendenv", ""),
            ("setenv", "RFAB=1"),
            ("permitlocalcommand", "no"),
            ("tunnel", "false"),
            ("remoteforward", ""),
            ("localforward", ""),
            ("dynamicforward", ""),
            ("requesttty", "false"),
            ("verifyhostkeydns", "false"),
            ("updatehostkeys", "false"),
            ("visualhostkey", "no"),
            ("gatewayports", "no"),
            ("controlmaster", "false"),
            ("nohostauthenticationforlocalhost", "no"),
        ] {
            assert_eq!(said.value(option), value, "{option}: {}", said.0);
        }
        assert_eq!(said.0.matches("setenv ").count(), 1);
        assert!(["true", "yes"].contains(&said.value("stricthostkeychecking")));
        for option in ["gssapidelegatecredentials", "gssapikeyexchange", "remotecommand", "knownhostscommand"] {
            assert!(["", "no", "none"].contains(&said.value(option)), "{option}: {}", said.0);
        }
    }
}

#[test]
fn what_an_ssh_of_8_4_does_not_have_is_forced_only_if_it_is_known() {
    let since = "KnownHostsCommand LogVerbose HostbasedAcceptedAlgorithms PubkeyAcceptedAlgorithms PermitRemoteOpen \
                 SessionType StdinNull ForkAfterAuthentication RequiredRSASize EnableEscapeCommandline Tag \
                 ChannelTimeout ObscureKeystrokeTiming VersionAddendum RefuseConnection WarnWeakCrypto";
    for option in since.split_whitespace() {
        let forced = FORCED.split_whitespace().any(|word| word.eq_ignore_ascii_case(option));
        assert!(!forced, "{option} came after OpenSSH 8.4");
    }
}

#[test]
fn known_hosts_are_those_that_the_configuration_names_beside_the_projects() {
    let hosts = "[hosts]\nweb1 = {}\nweb2 = {}";
    let both = |file: &str, own: &str, host: &str| {
        let said = Said::of(hosts, file, own, host);
        (said.value("userknownhostsfile").to_owned(), said.value("globalknownhostsfile").to_owned())
    };
    let system = format!("/project/known_hosts {SYSTEM}");
    let (own, global) = both("", "", "web1");
    assert!(own.ends_with("/.ssh/known_hosts2"), "{own}");
    assert_eq!(global, system);
    let user = "Host web1\n UserKnownHostsFile /a /b\n";
    assert_eq!(both("", user, "web1"), ("/a /b".to_owned(), system.clone()));
    assert_ne!(both("", user, "web2").0, "/a /b");
    assert_eq!(both("UserKnownHostsFile /f\n", user, "web1"), ("/f".to_owned(), system));
    let user = "Host *\n globalknownhostsfile /g1 /g2\n";
    for host in ["web1", "web2", "bastion"] {
        assert_eq!(both("", user, host).1, "/project/known_hosts /g1 /g2", "{host}");
    }
}

#[test]
fn the_digest_is_another_one_once_an_included_file_or_a_known_key_is() {
    let home = tempfile::tempdir().unwrap();
    let (ssh, project) = (home.path().join(".ssh"), home.path().join("project"));
    fs::create_dir_all(ssh.join("conf.d")).unwrap();
    fs::create_dir(&project).unwrap();
    fs::write(ssh.join("config"), "Include conf.d/*\n").unwrap();
    let digest = || made(None, &project, home.path(), NONE.as_ref()).unwrap().digest;
    let mut seen = BTreeSet::from([digest()]);
    assert!(!seen.insert(digest()), "it is the same while nothing changes");
    for (file, text) in [
        (ssh.join("conf.d/web"), "Host web1\n HostName 10.0.0.1\n"),
        (ssh.join("conf.d/web"), "Host web1\n HostName 10.0.0.2\n"),
        (ssh.join("conf.d/more"), "Include deep\n"),
        (ssh.join("deep"), "Port 23\n"),
        (ssh.join("config"), "Include conf.d/*\nPort 24\n"),
        (project.join("known_hosts"), "web1 ssh-ed25519 AAAA\n"),
    ] {
        fs::write(&file, text).unwrap();
        assert!(seen.insert(digest()), "{} counts", file.display());
    }
}
