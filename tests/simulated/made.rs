//! Releases that aren't the tree of their commit: built on this machine, or taken from an archive.

use crate::made_up;
use crate::made_up::{Shop, changes, done, failures, host};
use rfab::{
    event::{EffectKind, EventKind},
    failure::Exit,
    model::{Model, Release},
    simulate::{Scenario, Simulation},
};

const BUILD: &str = r#"
fn archive(sha256) { deploying::deploy(release::archive("shop.tar", sha256, #{ version: "3.1" }), hooks()); }
fn archive_of(reference, sha256) {
    deploying::deploy(release::archive("shop.tar", sha256, #{ commit: release::resolve(reference) }), hooks());
}
fn built(reference, part) {
    deploying::deploy(reference, hooks() + #{ build: |folder| ui::note(`built in ${folder}`), built: part });
}
"#;

/// Returns the steps that were done only on this machine, and the notes.
fn here(simulation: &Simulation) -> Vec<String> {
    let of = |what: &EventKind| match what {
        EventKind::EffectFinished { kind: EffectKind::Hold, text, host: None, .. } => Some(text.clone()),
        EventKind::Noted { text, .. } => Some(format!("note: {text}")),
        _ => None,
    };
    let all = simulation.events.iter().filter_map(|event| of(&event.what));
    let own = ["check ", "note: ", "pack ", "remove "];
    all.filter(|text| own.iter().any(|word| text.starts_with(word))).collect()
}

fn current(model: &Model, name: &str) -> Option<String> {
    let machine = &model.machines[&rfab::model::key(&host(model, name))];
    machine.current.get("").unwrap().as_ref().map(Release::to_string)
}

#[test]
fn a_commit_is_built_once_in_a_folder_that_is_gone_afterwards_and_every_host_gets_that() {
    let shop = Shop::four(BUILD);
    let run = shop.run("prod built:stable,dist", shop.known());
    let short = &shop.stable[..12];
    assert_eq!(
        here(&run),
        [
            format!("check {short} out into a folder here"),
            format!("note: built in /tmp/building/{short}"),
            format!("pack what was built of {short}"),
            format!("remove /tmp/building/{short}"),
        ]
    );
    let all = changes(&run.events);
    let model = done(run);
    let staged = all.iter().filter(|change| change.contains(": stage v3.0.1 (0002-")).count();
    assert_eq!((staged, current(&model, "web4")), (5, Some(shop.release())));
    let release = Release { number: 2, commit: shop.stable.as_str().into() };
    let made: Vec<_> = ["web1", "web4", "jobs1"]
        .map(|name| model.machines[&("prod".into(), name.into())].made[&release].clone())
        .into();
    assert!(made.iter().all(|digest| digest.len() == 64 && *digest == made[0]), "{made:?}");
}

#[test]
fn a_folder_of_a_build_that_failed_is_gone_too_and_nothing_was_changed() {
    let shop =
        Shop::four("fn broken(reference) { deploying::deploy(reference, #{ build: |folder| throw \"no npm\" }); }");
    let run = shop.run("prod broken:stable", shop.known());
    assert_eq!(failures(&run)[0].split(" [").next(), Some("no npm"));
    let short = &shop.stable[..12];
    assert_eq!(here(&run), [format!("check {short} out into a folder here"), format!("remove /tmp/building/{short}")]);
    assert_eq!(changes(&run.events), [""; 0]);
}

#[test]
fn what_all_hosts_have_is_not_built_again_to_go_back_to_it() {
    let shop = Shop::four(BUILD);
    let model = shop.done("prod built:v3.0.0,dist", shop.known());
    let model = shop.done("prod built:v3.0.1,dist", model);
    let back = shop.run("prod built:v3.0.0,dist", model);
    assert_eq!(here(&back), [""; 0]);
    assert_eq!(current(&done(back), "web1").map(|name| name[..4].to_owned()), Some("0002".into()));
}

#[test]
fn two_builds_of_a_commit_are_never_mixed_unasked_and_have_two_numbers() {
    let shop = Shop::four(BUILD);
    let model = shop.done("prod proxy.group2", shop.known());
    let model = shop.done("prod:out built:stable,dist", model);
    let model = shop.done("prod proxy.flip", model);
    let mixed = shop.run("prod:out built:stable,public", model.clone());
    assert_eq!(mixed.ended.exit, Exit::Failed);
    let said = &failures(&mixed)[0];
    assert!(said.starts_with("this commit's release has different contents on web1, web2 "), "{said}");
    assert_eq!(changes(&mixed.events), [""; 0]);
    let force = Scenario { seed: 1, force: true, ..Scenario::default() };
    let model = done(shop.run_with("prod:out built:stable,public", model, force));
    let anew = format!("0003-{}", &shop.stable[..12]);
    assert_eq!((current(&model, "web1"), current(&model, "web3")), (Some(shop.release()), Some(anew.clone())));
    // The new number counts in the fleet: a host with the old one isn't done.
    let model = shop.done("prod proxy.flip", model);
    let model = shop.done("prod:out built:stable,public", model);
    assert_eq!(current(&model, "web1"), Some(anew));
}

/// The first digits name a release without a commit.
const SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

#[test]
fn an_archive_is_a_release_named_by_its_digest_or_by_its_commit() {
    let shop = Shop::four(BUILD);
    let run = shop.run(&format!("prod archive:{SHA256}"), shop.known());
    let table: Vec<_> = run.ended.table.iter().map(|row| row.new.clone()).collect();
    assert_eq!(table, vec![Some("0002-5891b5b522d5".to_owned()); 5]);
    let model = done(run);
    assert_eq!(current(&model, "web1"), Some("0002-5891b5b522d5".into()));
    let again = shop.run(&format!("prod archive:{SHA256}"), model);
    assert!(!changes(&again.events).iter().any(|change| change.contains("stage")), "every host serves it");
    let model = shop.done(&format!("prod archive.of:stable,{SHA256}"), done(again));
    assert_eq!(current(&model, "web1"), Some(format!("0003-{}", &shop.stable[..12])));
    // A deploy of the commit accepts this release and doesn't stage the commit's own tree.
    let tree = shop.run("prod deploy:stable", model);
    assert_eq!((tree.ended.exit, changes(&tree.events)), (Exit::Done, vec![]));
}

#[test]
fn a_release_of_an_archive_that_is_in_progress_is_not_taken_for_a_commit() {
    let shop = Shop::four(BUILD);
    let model = shop.done("prod proxy.group2", shop.known());
    let model = shop.done(&format!("prod:out archive:{SHA256}"), model);
    let model = shop.done("prod proxy.flip", model);
    let moved = shop.run("prod:out deploy:stable", model.clone());
    assert_eq!(moved.ended.exit, Exit::Refused);
    let said = "a release of `3.1` is in progress, but the repository has no such commit";
    assert!(failures(&moved)[0].starts_with(said), "{:?}", failures(&moved));
    let model = shop.done(&format!("prod:out archive:{SHA256}"), model);
    assert_eq!(current(&model, "web1"), Some("0002-5891b5b522d5".into()));
}

#[test]
fn a_guarded_fleet_takes_an_archive_of_no_commit_only_if_its_file_says_so() {
    let fleet = |accept: &str| format!("guarded = true\n{accept}{}", made_up::FOUR);
    let refused = Shop::of(&[("prod", &fleet(""))], BUILD);
    let run = refused.run(&format!("prod archive:{SHA256}"), Model::new());
    assert_eq!(run.ended.exit, Exit::Refused);
    let said = "fleet `prod` doesn't accept an archive without a commit";
    assert!(failures(&run)[0].starts_with(said), "{:?}", failures(&run));
    assert_eq!(changes(&run.events), [""; 0]);
    refused.done(&format!("prod archive.of:stable,{SHA256}"), Model::new());
    let taken = Shop::of(&[("prod", &fleet("accept = [\"archive\"]\n"))], BUILD);
    taken.done(&format!("prod archive:{SHA256}"), Model::new());
}

/// Makes a fleet with an app that is a package.
fn packaged() -> Shop {
    let keys = "install = \"apt-get install --yes shop={version}\"\ninstalled = [\"dpkg-query\", \"-W\", \"-f\", \"${Version}\", \"shop\"]\n";
    let fleet = made_up::FOUR.replace("[app.health]", &format!("{keys}[app.health]"));
    let tasks = "import \"std/package\" as packaging;\n\
                 fn install(version) { packaging::deploy(version, #{ prepare: |host| host.sudo(\"apt-get update\") }); }\n\
                 fn hasty() { service::install(targets().host(\"web1\"), \"3.0.1-1\"); }\n";
    Shop::of(&[("prod", &fleet)], tasks)
}

#[test]
fn a_package_is_installed_group_by_group_while_the_group_is_out_and_hosts_that_have_it_are_left() {
    let shop = packaged();
    let run = shop.run("prod install:3.0.1-1", shop.known());
    let all = changes(&run.events);
    let at = |what: &str| all.iter().position(|change| change == what).unwrap_or_else(|| panic!("{what} in {all:#?}"));
    assert!(at("web1: run `apt-get update` as root") < at("web4: install 3.0.1-1"));
    assert!(at("web2: restart shop") < at("web3: install 3.0.1-1"));
    let mut model = done(run);
    let has = |model: &Model, name: &str| model.machines[&("prod".into(), name.into())].installed.clone();
    assert_eq!(
        ["web1", "web4", "jobs1"].map(|name| has(&model, name)),
        [const { Some("3.0.1-1") }; 3].map(|v| v.map(str::to_owned))
    );
    model.machines.get_mut(&("prod".into(), "web4".into())).unwrap().installed = Some("3.0.0-7".into());
    let again = changes(&shop.run("prod install:3.0.1-1", model).events);
    let installed: Vec<_> = again.iter().filter(|change| change.ends_with(": install 3.0.1-1")).collect();
    assert_eq!(installed, ["web4: install 3.0.1-1"]);
}

#[test]
fn a_package_is_not_installed_on_a_live_host_and_a_version_that_fails_stops_at_its_group() {
    let shop = packaged();
    let hasty = shop.run("prod hasty", shop.known());
    assert_eq!(hasty.ended.exit, Exit::Refused);
    assert!(failures(&hasty)[0].starts_with("host `web1` is live in `lb1/bk_web`"), "{:?}", failures(&hasty));
    let mut model = shop.known();
    model.sick.insert("3.0.2-1".into());
    let sick = shop.run("prod install:3.0.2-1", model);
    assert_eq!(sick.ended.exit, Exit::Failed);
    assert!(sick.model.harmed.is_empty());
    let untouched = &sick.model.machines[&("prod".into(), "web3".into())];
    assert_eq!(untouched.installed, None);
    let bad = shop.run("prod install:--reinstall", shop.known());
    assert!(
        failures(&bad).iter().all(|said| said.starts_with("`--reinstall` isn't a version of a package")),
        "{:?}",
        failures(&bad)
    );
}

#[test]
fn a_rollback_goes_back_to_what_was_built_and_builds_nothing() {
    let shop = Shop::four(BUILD);
    let model = shop.done("prod built:v3.0.0,dist", shop.known());
    let before = current(&model, "web1");
    let model = shop.done("prod built:v3.0.1,dist", model);
    assert_ne!(current(&model, "web1"), before);
    let back = shop.run("prod rollback", model);
    let said = here(&back);
    assert!(said.iter().all(|line| line.starts_with("note: back to v3.0.0 (")), "{said:?}");
    assert!(!changes(&back.events).iter().any(|change| change.contains(" stage ")), "{:?}", changes(&back.events));
    let model = done(back);
    for name in ["web1", "web4", "jobs1"] {
        assert_eq!(current(&model, name), before);
    }
}
