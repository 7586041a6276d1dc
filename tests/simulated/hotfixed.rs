//! A hotfix and a trunk release in the simulator: what the run itself merges and tags is released there, too.

use crate::made_up::{Shop, done};
use rfab::{failure::Exit, model::Model};

/// Makes a shop with an origin, of which rfab's refs know what the simulator can't fetch.
fn cloned(tasks: &str) -> (Shop, tempfile::TempDir) {
    let (shop, origin) = (Shop::four(tasks), tempfile::tempdir().unwrap());
    let at = origin.path().to_str().unwrap();
    shop.git(&["init", "-q", "--bare", at]);
    shop.git(&["remote", "add", "origin", at]);
    shop.git(&["branch", "develop"]);
    shop.git(&["push", "-q", "origin", "main", "develop", "v3.0.0", "v3.0.1"]);
    for (name, value) in [("branch.master", "main"), ("branch.develop", "develop"), ("prefix.versiontag", "v")] {
        shop.git(&["config", &format!("gitflow.{name}"), value]);
    }
    (shop, origin)
}

fn fetch(shop: &Shop) {
    shop.git(&["fetch", "-q", "origin", "+refs/heads/*:refs/rfab/heads/*", "+refs/tags/*:refs/rfab/tags/*"]);
}

/// Returns the commits that the hosts serve.
fn served(model: &Model) -> Vec<String> {
    let current = |host: &str| {
        let machine = &model.machines[&("prod".into(), host.into())];
        machine.current.get("it").unwrap().as_ref().expect("a release").commit.to_string()
    };
    ["web1", "web2", "web3", "web4", "jobs1"].map(current).to_vec()
}

#[test]
fn a_hotfix_is_merged_tagged_pushed_and_released_and_the_repository_stays_as_it_is() {
    let (shop, _origin) = cloned("");
    shop.git(&["checkout", "-q", "-b", "hotfix/3.0.2"]);
    shop.git(&["commit", "-q", "--allow-empty", "-m", "fix"]);
    shop.git(&["push", "-q", "origin", "hotfix/3.0.2"]);
    fetch(&shop);
    let refs = shop.git(&["show-ref"]);
    let model = shop.done("prod release:stable", Model::new());
    let ran = shop.run("prod hotfix:finish", model);
    let table = ran.ended.table.clone();
    let model = done(ran);
    let merge = model.refs.iter().find(|((_, name), _)| name == "refs/rfab/tags/v3.0.2").unwrap().1.clone().unwrap();
    assert!(served(&model).iter().all(|one| merge.starts_with(&**one)), "{:?} {merge:?}", served(&model));
    assert!(table.iter().all(|row| row.new.as_ref().is_some_and(|new| new.ends_with(&merge[..12]))), "{table:?}");
    assert_eq!(shop.git(&["show-ref"]), refs);
    // `stable` is what the run tagged.
    let again = shop.run("prod deploy:stable", model);
    assert_eq!(again.ended.exit, Exit::Done);
    let rolled = shop.done("prod rollback", again.model);
    assert!(served(&rolled).iter().all(|one| shop.stable.starts_with(&**one)), "{:?}", served(&rolled));
}

#[test]
fn a_line_of_trunk_is_tagged_and_that_tag_is_released() {
    let tasks = "\nimport \"std/trunk\" as trunk;\nfn ship(line) { trunk::release(line, #{}); }\n";
    let (shop, _origin) = cloned(tasks);
    shop.git(&["commit", "-q", "--allow-empty", "-m", "three"]);
    shop.git(&["push", "-q", "origin", "main", "main:refs/heads/release/3.1"]);
    fetch(&shop);
    let head = shop.git(&["rev-parse", "main"]);
    let ran = shop.run("prod ship:3.1", shop.known());
    let names: Vec<_> = ran.ended.table.iter().map(|row| row.new.clone()).collect();
    let model = done(ran);
    assert!(served(&model).iter().all(|one| head.starts_with(&**one)), "{names:?}");
    assert!(model.refs.keys().any(|(_, name)| name == "refs/rfab/tags/v3.1.0"), "{:?}", model.refs);
}
