//! Connects a real ssh client to a host of the demo.
use super::{super::host, *};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
    time::Instant,
};

/// A host that serves, and an operator with a key for it.
struct Ground {
    folder: tempfile::TempDir,
    host: Arc<DemoHost>,
    #[expect(dead_code, reason = "the server ends with it")]
    runtime: tokio::runtime::Runtime,
}

impl Ground {
    fn new() -> Ground {
        let folder = tempfile::Builder::new().prefix("d").tempdir_in("/tmp").unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let ssh = listener.local_addr().unwrap();
        let home = folder.path().join("web1");
        fs::create_dir_all(home.join("bin")).unwrap();
        let host = DemoHost { name: "web1", group: None, ssh, app: ssh, folder: home, key: host::new_key() };
        let host = Arc::new(host);
        let key = host::new_key();
        for (name, key) in [("key", &key), ("strange", &host::new_key())] {
            fs::write(folder.path().join(name), host::text_of(key)).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(folder.path().join("known"), host.known()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (served, operator) = (host.clone(), key.public_key().clone());
        runtime.spawn(async move { serve(served, TcpListener::from_std(listener).unwrap(), operator).await });
        Ground { folder, host, runtime }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn ssh(&self, key: &str, user: &str, args: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        let options = [
            "BatchMode=yes".to_owned(),
            "StrictHostKeyChecking=yes".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            "IdentityAgent=none".to_owned(),
            "ConnectTimeout=10".to_owned(),
            "LogLevel=INFO".to_owned(),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
            format!("UserKnownHostsFile={}", self.at("known")),
            format!("IdentityFile={}", self.at(key)),
            format!("Port={}", self.host.ssh.port()),
            format!("User={user}"),
        ];
        command.args(["-F", "/dev/null"]);
        for option in &options {
            command.args(["-o", option]);
        }
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.ssh("key", USER, args).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_command_runs_in_the_hosts_folder_with_its_input_outputs_and_status() {
    let ground = Ground::new();
    let line = "cat; printf %s \"$HOME $PWD $USER\"; echo oh >&2; exit 7";
    let mut command = ground.ssh("key", USER, &["127.0.0.1", line]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let sent = "x".repeat(300_000);
    let mut stdin = child.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, sent.as_bytes()));
    let out = child.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    let home = ground.host.folder.display();
    assert_eq!(text(&out.stdout).trim_start_matches('x'), format!("{home} {home} {USER}"));
    assert_eq!(out.stdout.iter().take_while(|b| **b == b'x').count(), 300_000);
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(7), "oh\n".to_owned()));
    // A command that doesn't read its input doesn't stop the connection.
    let mut command = ground.ssh("key", USER, &["127.0.0.1", "echo done"]);
    let out = command.stdin(fs::File::open("/dev/zero").unwrap()).output().unwrap();
    assert_eq!(text(&out.stdout), "done\n");
}

#[test]
fn whoever_has_another_key_or_another_name_does_not_get_in() {
    let ground = Ground::new();
    for (key, user) in [("strange", USER), ("key", "root")] {
        let out = ground.ssh(key, user, &["127.0.0.1", "echo in"]).output().unwrap();
        assert_eq!((out.status.code(), text(&out.stdout)), (Some(255), String::new()), "{key} {user}");
        assert!(text(&out.stderr).contains("Permission denied"), "{}", text(&out.stderr));
    }
}

#[test]
fn a_command_that_kills_the_process_above_it_ends_the_whole_connection() {
    let ground = Ground::new();
    let control = ground.at("control");
    let master = ground.run(&["-M", "-N", "-f", "-S", &control, "127.0.0.1"]);
    assert!(master.status.success(), "{}", text(&master.stderr));
    let mut other = ground.ssh("key", USER, &["-S", &control, "127.0.0.1", "echo up; sleep 60"]).spawn().unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut up).unwrap();
    // If a process below it ends or is killed, the connection stays.
    let killed = ground.run(&["-S", &control, "127.0.0.1", "kill -9 $$"]);
    assert_eq!(killed.status.code(), Some(137));
    assert!(ground.run(&["-S", &control, "-O", "check", "127.0.0.1"]).status.success());

    let began = Instant::now();
    let keeper = ground.run(&["-S", &control, "127.0.0.1", "kill -9 $PPID; sleep 60"]);
    assert_eq!((keeper.status.code(), other.wait().unwrap().code()), (Some(255), Some(255)));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(!ground.run(&["-S", &control, "-O", "check", "127.0.0.1"]).status.success());
}

#[test]
fn only_sockets_of_the_host_and_of_this_machine_are_forwarded_to() {
    let ground = Ground::new();
    let echo = |listener: std::os::unix::net::UnixListener| {
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = std::io::Write::write_all(&mut stream, b"hello");
            }
        })
    };
    for (name, answer) in [("web1/admin.sock", "hello"), ("outside.sock", "")] {
        echo(std::os::unix::net::UnixListener::bind(ground.at(name)).unwrap());
        let near = ground.at(&format!("near-{}", name.replace('/', "-")));
        let forward = format!("{near}:{}", ground.at(name));
        let mut forwarding = ground.ssh("key", USER, &["-N", "-L", &forward, "127.0.0.1"]).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        let mut stream = loop {
            match std::os::unix::net::UnixStream::connect(&near) {
                Ok(stream) => break stream,
                Err(e) => assert!(Instant::now() < until, "{e}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut heard = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut heard);
        assert_eq!(text(&heard), answer, "{name}");
        forwarding.kill().unwrap();
        forwarding.wait().unwrap();
    }
    let out = ground.run(&["-W", "192.0.2.1:80", "127.0.0.1"]);
    assert_eq!(out.status.code(), Some(255));
    assert!(text(&out.stderr).contains("administratively prohibited"), "{}", text(&out.stderr));
}
