//! What a new user does with only the README: install, `--init`, hosts, `setup`, `deploy`, with a typo at each
//! step.
//!
//! Each line that the user types is in the README or in earlier output, because they know nothing else. If `RFAB_FRESH`
//! is the root of a fresh machine (see `tests/fresh`), the user works there, and installs as the README says.

use lab::{HostPlan, Lab, Output, Plan, Sudo, needs_root};
use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

/// The folder in which `cargo install` has put the program, for `tests/fresh`.
const INSTALLED: &str = "/home/new/.cargo/bin";

/// Returns the root of a fresh machine, if the user works on one.
fn fresh() -> Option<String> {
    std::env::var("RFAB_FRESH").ok()
}

/// The longest that a line may take.
const WITHIN: Duration = Duration::from_secs(60);

/// The end of each question.
const QUESTION: &str = "[y/N]";

/// A new user, and all that they have read so far.
struct User<'a> {
    lab: &'a Lab,
    /// Their repository.
    shop: PathBuf,
    home: PathBuf,
    read: String,
}

impl User<'_> {
    /// Types a line that the user has read somewhere, and answers yes to its questions.
    #[track_caller]
    fn types(&mut self, line: &str) -> Output {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&self.read).contains(&words(line)), "nobody said `{line}`:\n{}", self.read);
        self.enters(line)
    }

    /// Types a line with an error: rfab does nothing, and its answer names what the user meant.
    #[track_caller]
    fn mistypes(&mut self, line: &str, code: i32, meant: &str) {
        let wrong = self.enters(line);
        let said = format!("{}{}", wrong.stdout, wrong.stderr);
        assert_eq!(wrong.code, Some(code), "{line}: {said}");
        assert!(said.contains(meant), "`{line}` wasn't answered with `{meant}`:\n{said}");
    }

    fn enters(&mut self, line: &str) -> Output {
        let (fresh, folder) = (fresh(), self.shop.display().to_string());
        let run = match &fresh {
            // In the root of another machine, where `/tmp` is this machine's.
            Some(root) => self.lab.program("chroot", &[root, "env", "-C", &folder, "sh", "-c", line]),
            None => self.lab.program("sh", &["-c", line]).folder(&self.shop),
        };
        let bin =
            if fresh.is_some() { INSTALLED.to_owned() } else { self.home.join(".cargo/bin").display().to_string() };
        let path = format!("{bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        let run = run.env("PATH", &path).timeout(WITHIN).on_terminal().start();
        let mut answered = 0;
        let until = Instant::now() + WITHIN;
        while !run.is_over() && Instant::now() < until {
            // Each of these runs has a new terminal, so rfab remembers no yes.
            if run.so_far().0.matches(QUESTION).count() > answered {
                run.types("y\n");
                answered += 1;
            }
            sleep(Duration::from_millis(20));
        }
        let output = run.output();
        self.read += &format!("$ {line}\n{}{}\n", output.stdout, output.stderr);
        output
    }

    /// Edits a file in their repository.
    #[track_caller]
    fn edits(&self, file: &str, changes: &[(&str, &str)]) {
        let path = self.shop.join(file);
        let mut text = fs::read_to_string(&path).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{file} has no `{from}`:\n{text}");
            text = text.replacen(from, to, 1);
        }
        fs::write(path, text).unwrap();
    }
}

/// Starts four machines and a balancer, without any release.
fn machines() -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let hosts = [web("web1", "group1"), web("web2", "group1"), web("web3", "group2"), web("web4", "group2")];
    let plan = hosts.into_iter().fold(Plan::new(), Plan::host);
    Lab::start(plan.balancer("lb1", &[("bk_web", "web")]))
}

/// Makes a repository with a service, and the user's own ssh configuration.
fn user(lab: &Lab) -> User<'_> {
    let home = lab.home();
    let shop = home.join("shop");
    let mut config = String::new();
    for host in &lab.hosts {
        config += &format!(
            "Host {0} {1}\n  HostName {1}\n  Port {2}\n  User deploy\n  IdentityFile {3}/operator/key\n",
            host.plan.name,
            host.address,
            host.port,
            lab.folder.display()
        );
    }
    fs::write(home.join(".ssh/config"), config).unwrap();
    let remote = lab.folder.join("shop.git");
    std::os::unix::fs::symlink(&lab.project.remote, &remote).unwrap();
    lab.program("git", &["clone", "-q", &remote.display().to_string(), &shop.display().to_string()])
        .folder(&home)
        .output()
        .expect_ok();
    fs::write(shop.join("Procfile"), "web: bin/serve\n").unwrap();
    for file in ["fabfile.rhai", "known_hosts"] {
        fs::remove_file(shop.join(file)).unwrap();
    }
    fs::remove_dir_all(shop.join("fleets")).unwrap();
    let bin = home.join(".cargo/bin");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rfab"), bin.join("rfab")).unwrap();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    User { lab, shop, home, read: fs::read_to_string(readme).unwrap() }
}

fn the_fleet_file_is_edited(lab: &Lab, user: &mut User<'_>) {
    let mut changes = vec![("\"lb1.example.org\"".to_owned(), "\"lb1\"".to_owned())];
    for name in ["web1", "web2", "web3", "web4"] {
        let from = format!("\"{name}.example.org\" = {{");
        changes.push((from, format!("\"{name}\" = {{ address = \"{}\",", lab.host(name).address)));
    }
    let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (&**from, &**to)).collect();
    user.edits("fleets/prod.toml", &changes);
    user.edits("fleets/prod.toml", &[("# user       = \"shop\" ", "user       = \"shop\" ")]);
    user.edits("fleets/prod.toml", &[("units   =", "unit    =")]);
    user.mistypes("rfab prod setup", 3, "units");
    user.edits("fleets/prod.toml", &[("unit    =", "units   =")]);
    // These machines have no systemd, and their balancer names its servers as the fleet does.
    let services = [
        ("# restart = \"systemctl restart {unit}\"", "restart = \"lab-service restart {unit}\""),
        ("# start   = \"systemctl start {unit}\"", "start = \"lab-service start {unit}\""),
        ("# stop    = \"systemctl stop {unit}\"", "stop = \"lab-service stop {unit}\""),
        ("# status  = \"systemctl status {unit}\"", "status = \"lab-service status {unit}\""),
        ("# logs    = \"journalctl -u {unit} -n {lines} --no-pager\"", "logs = \"lab-service logs {unit}\""),
        ("# version = \"none\"", "version = \"header:X-Release\""),
        ("# over    = \"10s\"", "over = \"1s\""),
    ];
    user.edits("fleets/prod.toml", &services);
}

fn a_bad_version_comes_and_is_rolled_back(lab: &Lab, user: &mut User<'_>) {
    lab.project.release("v3.1.0");
    user.mistypes("rfab prod release:stabel", 1, "stable");
    let second = user.types("rfab prod release:stable");
    assert_eq!(second.code, Some(0), "{}", second.stdout);
    assert!(serve(lab, "v3.1.0"));
    user.mistypes("rfab prod rolback", 2, "rollback");
    let back = user.types("rfab prod rollback");
    assert_eq!(back.code, Some(0), "{}", back.stdout);
    assert!(serve(lab, "v3.0.1"));
    let status = user.types("rfab prod status");
    assert_eq!(status.code, Some(0), "{}", status.stdout);
    // Once for each host in the status, and once in the closing table.
    assert_eq!(status.stdout.matches("v3.0.1").count(), 8, "{}", status.stdout);
}

#[test]
fn a_new_user_comes_from_the_readme_to_a_release_and_back_and_each_typing_error_is_answered() {
    if !needs_root("a_new_user_comes_from_the_readme_to_a_release_and_back_and_each_typing_error_is_answered") {
        return;
    }
    let lab = machines();
    let mut user = user(&lab);
    let readme = user.read.len();

    user.mistypes("rfab --int", 2, "--init");
    assert_eq!(user.types("rfab --init").code, Some(0), "{}", user.read);
    user.mistypes("rfab", 2, "rfab prod status");

    the_fleet_file_is_edited(&lab, &mut user);

    user.mistypes("rfab pord setup", 2, "prod");
    user.mistypes("rfab prod setpu", 2, "setup");
    let strange = user.types("rfab prod setup");
    assert_eq!(strange.code, Some(4), "{}", strange.stdout);
    assert!(!strange.stdout.contains(QUESTION), "asked about hosts that don't answer: {}", strange.stdout);
    user.mistypes("rfab prod --trust wbe1", 3, "web1");
    let trusted = user.types("rfab prod --trust all");
    assert_eq!(trusted.code, Some(0), "{}", trusted.stdout);
    let nobodys = user.types("rfab prod setup");
    assert_eq!(nobodys.code, Some(1), "{}", nobodys.stdout);
    let made = user.types("rfab prod -- sudo install -d -o shop /srv/shop");
    assert_eq!(made.code, Some(0), "{}", made.stdout);
    let set_up = user.types("rfab prod setup");
    assert_eq!(set_up.code, Some(0), "{}", set_up.stdout);
    user.mistypes("rfab prod deplyo:stable", 2, "deploy");
    let first = user.types("rfab prod deploy:stable");
    assert_eq!(first.code, Some(0), "{}", first.stdout);
    assert!(serve(&lab, "v3.0.1"));

    a_bad_version_comes_and_is_rolled_back(&lab, &mut user);
    // For people who want to see what a new user sees: `--no-capture`.
    println!("{}", user.read.split_off(readme));
}

/// Returns whether each web host serves a tag.
fn serve(lab: &Lab, tag: &str) -> bool {
    let commit = lab.project.resolve(tag);
    let web = lab.hosts.iter().filter(|host| host.plan.name.starts_with("web"));
    web.map(|host| host.serves()).all(|served| served.as_deref() == Some(&commit[..12]))
}
