//! The first minute: what rfab prints for an empty line, and what `--init` prints.
use super::{fabfile, ran, says, shop};
use std::fs;

#[test]
fn a_line_without_words_says_what_can_be_typed_and_is_no_success() {
    let folder = shop();
    let (out, err, code) = ran(folder.path(), &[]);
    let (tasks, rest) = out.split_once("\nFleet files").unwrap();
    assert_eq!((tasks, err.as_str(), code), (ran(folder.path(), &["--list"]).0.as_str(), "", 2));
    assert_eq!(
        rest,
        ": prod, testing1
If no task names hosts: testing

For example:
  rfab prod                       the state of those hosts
  rfab prod status                what they serve, and who deployed it
  rfab testing deploy:stable      the newest stable tag; or a tag, a branch, a commit
  rfab testing --read -- uptime   a command on hosts that changes nothing
  rfab TASK --help                what a task does
  rfab --help                     every flag; `--history` lists what was run
"
    );
    let folder = fabfile("fn hello() { }\n");
    fs::remove_dir_all(folder.path().join("fleets")).unwrap();
    let said = "Tasks:
  hello

For example:
  rfab TASK --help   what a task does
  rfab --help        every flag; `--history` lists what was run
";
    says(folder.path(), &[], 2, said, "");
    // With `--json`, there is no text for people.
    let none = "error: no task is named\n  help: `rfab --list` shows the tasks\n";
    says(folder.path(), &["--json"], 2, "", none);
}

#[test]
fn without_a_fabfile_a_line_without_words_says_how_to_come_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let said = "There is no fabfile in HERE or above it in the repository.

For example:
  rfab --init   write one for this folder, from what is found in it
  rfab --demo   see a release on a fleet inside this process; it touches nothing else
  rfab --help   every flag
";
    says(folder.path(), &[], 2, said, "");
}

#[test]
fn init_says_what_it_found_and_wrote_and_what_to_type_next_and_does_nothing_a_second_time() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("shop");
    fs::create_dir_all(folder.join("config/deploy")).unwrap();
    fs::create_dir_all(folder.join(".git")).unwrap();
    let write = |file: &str, text: &str| fs::write(folder.join(file), text).unwrap();
    write("Procfile", "web: puma\nworker: sidekiq\n");
    write("package.json", "{}");
    write("config/deploy.rb", "set :deploy_to, '/srv/shop'\nset :repo_url, 'git@example.org:a/\u{1b}[2Jshop.git'\n");
    write("config/deploy/production.rb", "server 'web1:2222', user: 'deploy', roles: %w{app web}\n");
    write("config/deploy/old.rb", "");
    says(
        &folder,
        &["--init"],
        0,
        "found:
  shop: Node (`package.json`)
  processes web, worker (`Procfile`)
  Capistrano (`config/deploy.rb`, `config/deploy/old.rb`, `config/deploy/production.rb`)
  path /srv/shop
  deployed from git@example.org:a/␛[2Jshop.git; rfab uses this repository
  old: no hosts, so no fleet file is written for it
  production: 1 host, user deploy

not taken over:
  web1: port 2222 belongs in an ssh configuration

guessed, so check it:
  its units are shop, shop-worker

written:
  fabfile.rhai
  fleets/production.toml

review them, because they list every default; then type
  rfab                            show what you can type here
  rfab production --trust all     show the hosts' key fingerprints; compare them, then answer yes
  rfab production setup           make the app's folders
  rfab production deploy:stable   deploy the newest stable tag; or a tag, a branch, a commit

hosts' keys go into `known_hosts` beside the fabfile; commit it with them
",
        "",
    );
    let there = "error: `HERE/fabfile.rhai` already exists, so rfab wrote nothing\n  help: type `rfab` to see what you can type here\n";
    says(&folder, &["--init"], 2, "", there);
    fs::remove_file(folder.join("fabfile.rhai")).unwrap();
    says(
        &folder,
        &["--init"],
        2,
        "",
        "error: `fleets/production.toml` already exists, so rfab wrote nothing\n  help: type `rfab` to see what you \
         can type here; move the old files away to start again\n",
    );
    assert!(!folder.join("fabfile.rhai").exists());
}
