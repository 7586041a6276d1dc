//! Every example compiles, lists its tasks, and does in the simulator what it promises.

use rfab::{
    event::{EffectKind, Event, EventKind},
    fabfile::{self, Options, Project},
    failure::Exit,
    line,
    model::{Machine, Model},
    simulate::{Scenario, Simulation, simulate},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// A copy of an example in a repository with one stable tag.
struct Example {
    #[expect(dead_code, reason = "it is removed when dropped")]
    folder: tempfile::TempDir,
    project: Project,
    /// The commit of its tag.
    commit: String,
}

impl Example {
    fn open(name: &str) -> Example {
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(folder().join(name)).unwrap().flatten() {
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let setup = "git init -q && git add . && git -c user.name=t -c user.email=t@example.org commit -qm one && git tag v1.0.0";
        let made = Command::new("sh").args(["-c", setup]).current_dir(copy.path()).status().unwrap();
        assert!(made.success());
        let project = fabfile::load(&copy.path().join("fabfile.rhai"), Options::default());
        let head = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(copy.path()).output().unwrap();
        let commit = String::from_utf8(head.stdout).unwrap().trim().to_owned();
        Example { project: project.unwrap_or_else(|wrong| panic!("{name}: {wrong:?}")), commit, folder: copy }
    }

    /// Runs a line, and returns the run and its closing table, with the tag for its commit.
    #[track_caller]
    fn table(&self, words: &[&str], model: Model) -> (Simulation, String) {
        let ran = self.ran(words, model);
        let mut rows = ran.ended.table.clone();
        for release in rows.iter_mut().flat_map(|row| [&mut row.old, &mut row.new]).flatten() {
            *release = release.replace(&self.commit[..12], "v1.0.0");
        }
        let table = rfab::report::table(&rows, rfab::report::Palette { color: false });
        (ran, table)
    }

    #[track_caller]
    fn run(&self, words: &[&str], model: Model) -> (Model, Vec<String>) {
        let Simulation { model, events, .. } = self.ran(words, model);
        (model, changes(&events))
    }

    #[track_caller]
    fn ran(&self, words: &[&str], model: Model) -> Simulation {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        let line = line::parse(&words, None, &self.project.tasks).unwrap_or_else(|e| panic!("{e}"));
        let ran = simulate(&self.project, &line, model, Scenario::default());
        assert_eq!(ran.ended.exit, Exit::Done, "{words:?}: {:#?}", ran.ended.failures);
        assert_eq!(ran.model.harmed, [""; 0], "{words:?}");
        ran
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Returns the changes of a run, in order, each after its host.
fn changes(events: &[Event]) -> Vec<String> {
    let change = |event: &Event| match &event.what {
        EventKind::EffectFinished { kind: EffectKind::Change | EffectKind::Once, host: Some(host), text, .. } => {
            Some(format!("{host}: {text}"))
        }
        _ => None,
    };
    events.iter().filter_map(change).collect()
}

#[test]
fn each_example_is_tested_here() {
    let there: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(
        there.iter().map(String::as_str).collect::<Vec<_>>(),
        ["canary", "go-binary", "one-host", "ports", "rails", "static-site", "trunk", "two-apps", "upkeep"]
    );
}

#[test]
fn one_host_is_set_up_deployed_to_and_its_log_shown() {
    let example = Example::open("one-host");
    let (model, made) = example.run(&["setup"], Model::new());
    assert_eq!(made, ["www.example.org: make the folders of /srv/site"]);
    let (model, deployed) = example.run(&["deploy", "stable"], model);
    assert!(deployed.iter().any(|c| c.starts_with("www.example.org: activate v1.0.0 (0002-")), "{deployed:#?}");
    assert!(deployed.iter().any(|c| c == "www.example.org: restart site"), "{deployed:#?}");
    example.run(&["logs", "5"], model);
}

#[test]
fn the_canary_comes_first_and_nobody_is_switched_while_live() {
    let example = Example::open("canary");
    let (model, _) = example.run(&["setup"], Model::new());
    let (_, deployed) = example.run(&["deploy:stable,bake=10m"], model);
    let activated: Vec<&str> =
        deployed.iter().filter_map(|c| c.split_once(": activate").map(|(host, _)| host)).collect();
    assert_eq!(activated[0], "web1");
    assert_eq!(activated.iter().copied().collect::<BTreeSet<_>>().len(), 6, "{deployed:#?}");
}

#[test]
fn a_line_of_trunk_gets_its_tag_and_is_released() {
    let example = Example::open("trunk");
    let folder = example.project.file.parent().unwrap();
    let script = "git branch -M main && git branch release/2.0 && git tag v2.0.0 \
                  && git clone -q --bare . origin.git && git remote add origin \"$PWD/origin.git\" && git fetch -q origin '+refs/heads/*:refs/rfab/heads/*' '+refs/tags/*:refs/rfab/tags/*'";
    assert!(Command::new("sh").args(["-c", script]).current_dir(folder).status().unwrap().success());
    let (model, _) = example.run(&["prod", "setup"], Model::new());
    let (_, changed) = example.run(&["prod", "ship:2.0"], model);
    let activated: Vec<&String> = changed.iter().filter(|change| change.contains(": activate v2.0.0 (")).collect();
    assert_eq!(activated.len(), 4, "{changed:#?}");
}

#[test]
fn upkeep_looks_writes_and_restarts() {
    let example = Example::open("upkeep");
    example.run(&["disks"], Model::new());
    let (_, written) = example.run(&["motd:hello"], Model::new());
    assert_eq!(written.len(), 5, "{written:#?}");
    let (_, restarted) = example.run(&["restart:nginx,at_once=2"], Model::new());
    assert_eq!(restarted.len(), 5, "{restarted:#?}");
}

/// Returns a table of hosts that changed from their old release to the tag.
fn deployed(rows: &[(&str, &str)], note: &str) -> String {
    let width = rows.iter().map(|(host, _)| host.len()).max().unwrap_or(4);
    let line = |(host, standing): &(&str, &str)| {
        let line = format!("{host:<width$}  0001-111111111111  v1.0.0 (0002-v1.0.0)  {standing:<8}  ok      {note}");
        format!("{}\n", line.trim_end())
    };
    let title = format!("{:<width$}  {:<17}  {:<20}  balancer  result\n", "host", "old", "new");
    let hosts = rows.len();
    let settled = if rows.iter().any(|(_, standing)| *standing == "live") {
        "; still serving 3.0 s after they were put back"
    } else {
        ""
    };
    format!("{title}{}{hosts} hosts: {hosts} ok{settled}\n", rows.iter().map(line).collect::<String>())
}

#[test]
fn a_static_site_is_built_here_and_nothing_is_restarted() {
    let example = Example::open("static-site");
    let (model, _) = example.run(&["setup"], Model::new());
    let (deploy, table) = example.table(&["deploy", "stable"], model);
    assert_eq!(table, deployed(&[("web1.example.org", "-"), ("web2.example.org", "-")], "version not proven"));
    let here = |event: &Event| match &event.what {
        EventKind::EffectFinished {
            kind: EffectKind::Hold | EffectKind::Change | EffectKind::Once,
            host: None,
            text,
            ..
        } => Some(text.replace(&example.commit[..12], "v1.0.0")),
        _ => None,
    };
    let built: Vec<String> = deploy.events.iter().filter_map(here).collect();
    let wanted = [
        "claim site",
        "check v1.0.0 out into a folder here",
        "run `npm ci` in /tmp/building/v1.0.0 here",
        "run `npm run build` in /tmp/building/v1.0.0 here",
        "pack what was built of v1.0.0",
        "remove /tmp/building/v1.0.0",
    ];
    assert_eq!(built[..wanted.len()], wanted);
    assert!(!changes(&deploy.events).iter().any(|change| change.contains("restart")));
    let model = deploy.model;
    let (_, again) = example.run(&["deploy", "stable"], model.clone());
    assert_eq!(again, [""; 0]);
    example.run(&["status"], model);
}

#[test]
fn a_rails_app_gets_its_secret_configuration_is_released_and_its_workers_finish() {
    let example = Example::open("rails");
    let (model, made) = example.run(&["shop", "setup"], Model::new());
    assert_eq!(made.iter().filter(|change| change.contains("make shared/config/database.yml")).count(), 5);
    // The same on hosts without a release.
    let mut fresh = model.clone();
    for (at, machine) in &mut fresh.machines {
        if !at.1.starts_with("lb1") {
            *machine = Machine::bare();
        }
    }
    let set_up = example.ran(&["shop", "setup"], fresh);
    let written = |host: &str| {
        let file = &set_up.model.machines[&("shop".into(), host.into())].files["/srv/shop/shared/config/database.yml"];
        String::from_utf8(file.get("").unwrap().clone().unwrap()).unwrap()
    };
    let (web, jobs) = (written("web1"), written("jobs1"));
    let password = web.split('\'').nth(1).expect("it is quoted").to_owned();
    let whole = |pool| {
        format!(
            "production:\n  adapter:  postgresql\n  host:     db1.example.org\n  database: shop\n  username: shop\n  \
             password: '{password}'\n  pool:     {pool}\n"
        )
    };
    assert_eq!((web, jobs), (whole(20), whole(5)));
    assert!(password.len() > 20 && !format!("{:?}", set_up.events).contains(&password));
    let (ran, table) = example.table(&["shop", "release", "stable"], model);
    let live = ["web1", "web2", "web3", "web4"].map(|host| (host, "live"));
    assert_eq!(table, deployed(&[&live[..], &[("jobs1", "-")]].concat(), ""));
    let of_jobs: Vec<String> =
        changes(&ran.events).into_iter().filter(|change| change.starts_with("jobs1: ")).collect();
    let wanted = [
        "jobs1: stage v1.0.0 (0002-v1.0.0)",
        "jobs1: run `bundle install --quiet` as shop in /srv/shop/releases/0002-v1.0.0",
        "jobs1: activate v1.0.0 (0002-v1.0.0)",
        "jobs1: quiet sidekiq",
        "jobs1: restart sidekiq",
        "jobs1: keep the newest 5 releases",
    ];
    assert_eq!(of_jobs.join("\n").replace(&example.commit[..12], "v1.0.0"), wanted.join("\n"));
    let all = |what: &str| ["jobs1", "web1", "web2", "web3", "web4"].map(|host| format!("{host}: {what}")).to_vec();
    let (model, closed) = example.run(&["close:noon"], ran.model);
    assert_eq!(sorted(closed), all("write /srv/shop/maintenance.html"));
    let (model, opened) = example.run(&["open"], model);
    assert_eq!(sorted(opened), all("run `rm -f /srv/shop/maintenance.html`"));
    example.run(&["status"], model);
}

#[test]
fn a_binary_from_a_ci_is_deployed_by_its_digest_as_what_its_tag_is() {
    let example = Example::open("go-binary");
    let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    let (model, _) = example.run(&["setup"], Model::new());
    let (ran, table) = example.table(&[&format!("deploy:api-1.0.0.tar.gz,{sha256},v1.0.0")], model);
    assert_eq!(table, deployed(&["api1", "api2", "api3", "api4"].map(|host| (host, "live")), ""));
    example.run(&["api:api1", "status"], ran.model);
}

#[test]
fn two_apps_are_deployed_in_one_line_and_a_drain_of_one_leaves_the_other_in() {
    let example = Example::open("two-apps");
    let (model, _) = example.run(&["shop", "setup", "api", "setup"], Model::new());
    let (ran, table) = example.table(&["api", "deploy", "stable", "shop", "deploy", "stable"], model);
    let live =
        ["prod.api/mixed1", "api1", "api2", "web1", "web2", "web3", "prod.shop/mixed1"].map(|host| (host, "live"));
    assert_eq!(table, deployed(&[&live[..], &[("jobs1", "-")]].concat(), ""));
    let (drained, table) = example.table(&["api:mixed1", "drain:mixed1"], ran.model);
    assert_eq!(
        table,
        "host    old                   new   balancer  result\n\
         mixed1  v1.0.0 (0002-v1.0.0)  same  out       ok\n1 host: 1 ok; 1 out of the balancer\n"
    );
    let (shop, table) = example.table(&["shop:mixed1", "uptime"], drained.model);
    assert_eq!(
        table,
        "host    old                   new   balancer  result\n\
         mixed1  v1.0.0 (0002-v1.0.0)  same  live      ok\n1 host: 1 ok\n"
    );
    let (ready, _) = example.run(&["api", "ready:mixed1"], shop.model);
    example.run(&["shop", "status", "api", "status"], ready);
}
