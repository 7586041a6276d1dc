//! Repositories with a URL, which rfab reaches as the user's own git does.
use super::{fabfile, ran_in};
use lab::{alone, runnable};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

/// Makes a repository `source.git` with the tag `v1.0.0`, beside a fabfile that shows that tag.
fn project() -> tempfile::TempDir {
    let tasks = "fn prod() { fleet(\"fleets/prod.toml\") }\n\
                 fn show() { ui::note(`${git::resolve(\"v1.0.0\").name} is there`); }\n";
    let folder = fabfile(tasks);
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
        let ended = alone::cleared(git.current_dir(folder.path())).status().unwrap();
        assert!(ended.success(), "{args:?}");
    };
    git(&["init", "-q", "source"]);
    git(&["-C", "source", "commit", "-q", "--allow-empty", "-m", "one"]);
    git(&["-C", "source", "tag", "v1.0.0"]);
    git(&["clone", "-q", "--bare", "source", "source.git"]);
    git(&["-C", "source.git", "update-server-info"]);
    fs::write(folder.path().join("fleets/ssh_config"), "").unwrap();
    folder
}

/// Sets a URL as the fleet's repository.
fn names(folder: &Path, url: &str) {
    let fleet =
        format!("ssh = \"ssh_config\"\n[app]\nrepository = \"{url}\"\npath = \"/srv/shop\"\n[hosts]\nweb1 = {{}}\n");
    fs::write(folder.join("fleets/prod.toml"), fleet).unwrap();
}

/// Returns what a run with these variables prints. Each run fetches into its own mirror.
fn shown(folder: &Path, variables: &[(&str, &str)]) -> String {
    let cache = tempfile::tempdir().unwrap();
    let own = [variables, &[("XDG_CACHE_HOME", cache.path().to_str().unwrap())]].concat();
    let (out, err, _) = ran_in(folder, &own, &["prod", "show"]);
    format!("{out}{err}")
}

#[test]
fn the_users_own_way_of_ssh_counts_for_a_url() {
    let folder = project();
    let at = |name: &str| folder.path().join(name);
    names(folder.path(), &format!("host.invalid:{}", at("source").display()));
    // Stands in for ssh, and runs here what the host would run.
    let ssh = at("as-ssh");
    runnable::write(&ssh, "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c \"$1\"\n");
    let ssh = ssh.to_str().unwrap();
    fs::write(at("config"), format!("[core]\n\tsshCommand = {ssh}\n")).unwrap();
    let config = at("config").display().to_string();
    let by_count = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.sshCommand"), ("GIT_CONFIG_VALUE_0", ssh)];
    for variables in [
        &[("GIT_SSH_COMMAND", ssh)][..],
        &[("GIT_SSH", ssh), ("GIT_SSH_VARIANT", "simple")],
        &by_count,
        &[("GIT_CONFIG_GLOBAL", &*config)],
    ] {
        let said = shown(folder.path(), variables);
        assert!(said.contains("v1.0.0 is there"), "{variables:?}: {said}");
    }
    for variables in [&[][..], &[("GIT_SSH_COMMAND", "false")]] {
        let said = shown(folder.path(), variables);
        let refused = said.contains("rfab can't fetch from `") && said.contains("git ls-remote -- host.invalid:");
        assert!(refused && !said.contains("v1.0.0 is there"), "{variables:?}: {said}");
    }
}

/// `tester:sesame`, encoded as a browser sends it.
const GRANTED: &str = "authorization: basic dgvzdgvyonnlc2ftzq==";

/// Serves the files of a folder to clients with the password.
fn guarded(folder: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(&folder, stream)));
    address
}

fn answer(folder: &Path, mut stream: TcpStream) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let asked: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let path = asked.first().and_then(|line| line.split([' ', '?']).nth(1)).unwrap_or_default().to_owned();
    let granted = asked.iter().any(|line| line.to_lowercase() == GRANTED);
    let (head, body) = match (granted, fs::read(folder.join(path.trim_start_matches('/')))) {
        (false, _) => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"shop\"", Vec::new()),
        (true, Ok(body)) => ("200 OK", body),
        (true, Err(_)) => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

#[test]
fn the_users_own_program_that_knows_passwords_is_asked_for_a_url() {
    let folder = project();
    let ask = folder.path().join("ask");
    runnable::write(&ask, "#!/bin/sh\ncase $1 in Username*) echo tester ;; *) echo sesame ;; esac\n");
    let ask = ask.to_str().unwrap();
    let helper = "!f() { echo username=tester; echo password=sesame; }; f";
    let by_count =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "credential.helper"), ("GIT_CONFIG_VALUE_0", helper)];
    names(folder.path(), &format!("http://{}/source.git", guarded(folder.path().to_owned())));
    for variables in [&[("GIT_ASKPASS", ask)][..], &[("SSH_ASKPASS", ask)], &by_count] {
        let said = shown(folder.path(), variables);
        assert!(said.contains("v1.0.0 is there"), "{variables:?}: {said}");
        assert!(!said.contains("sesame"), "{said}");
    }
    let said = shown(folder.path(), &[]);
    assert!(
        said.contains("git ls-remote -- http://127.0.0.1:") && !said.contains("v1.0.0 is there"),
        "without any: {said}"
    );
}
