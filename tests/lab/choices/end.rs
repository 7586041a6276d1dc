//! Checks of the state that hosts and balancers must be in.
use crate::choices::{
    making::{First, Made, said},
    shop::{Release, Shop},
};
use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

/// Panics unless every host serves that release and gets requests in every pool.
#[track_caller]
pub fn all_serve(shop: &Shop, release: &Release) {
    let wrong = differences(shop, release);
    assert!(wrong.is_empty(), "not every host serves {}:\n{}", release.word, wrong.join("\n"));
}

/// Panics unless the second group still serves that release and gets requests.
#[track_caller]
pub fn half_serve(shop: &Shop, release: &Release) {
    let second = shop.making.web().split_off(shop.making.size);
    let wrong: Vec<String> = second.iter().filter_map(|name| wrong(shop, name, release)).collect();
    assert!(wrong.is_empty(), "a broken release reached the second group:\n{}", wrong.join("\n"));
}

/// Returns what is wrong with each host that should serve a release.
pub fn differences(shop: &Shop, release: &Release) -> Vec<String> {
    shop.making.web().iter().filter_map(|name| wrong(shop, name, release)).collect()
}

/// Returns whether any server of a host gets requests.
pub fn is_live(shop: &Shop, name: &str) -> bool {
    standings(shop, name).values().any(|live| *live)
}

/// Panics if a server of a host gets requests.
#[track_caller]
pub fn is_out(shop: &Shop, name: &str) {
    let all = standings(shop, name);
    assert!(all.values().all(|live| !live), "{name} gets requests: {all:?}");
}

/// Waits until every balancer has seen that a host is down.
#[track_caller]
pub fn wait_until_down(shop: &Shop, name: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while standings(shop, name).values().any(|live| *live) {
        assert!(Instant::now() < until, "{name} isn't down: {:?}", standings(shop, name));
        sleep(Duration::from_millis(50));
    }
}

/// Returns what is wrong with a host that should be live with a release.
fn wrong(shop: &Shop, name: &str, release: &Release) -> Option<String> {
    let host = shop.lab.host(name);
    let current = host.current().unwrap_or_default();
    let right = match &release.version {
        Some(version) => current == *version,
        None => current.split_once('-').is_some_and(|(_, commit)| release.commit.starts_with(commit)),
    };
    let expected = said(shop.making.says(), &current, &release.page);
    let serves = host.serves().unwrap_or_default();
    let out: Vec<String> =
        standings(shop, name).into_iter().filter(|(_, live)| !live).map(|(server, _)| server).collect();
    (!right || serves != expected || !out.is_empty()).then(|| {
        format!(
            "{name}: current is {current}, of {}; it serves `{serves}`, not `{expected}`; out: {out:?}",
            release.commit
        )
    })
}

/// Returns each server of a host in each pool, and whether it gets requests.
fn standings(shop: &Shop, name: &str) -> BTreeMap<String, bool> {
    let mut all = BTreeMap::new();
    for balancer in &shop.lab.balancers {
        for (pool, _) in &balancer.plan.pools {
            let (status, ready) = (balancer.column(pool, "status"), balancer.ready(pool));
            for server in balancer.servers_of(shop.lab.host(name), pool) {
                let said = status.get(&server).map(String::as_str).unwrap_or("missing");
                // A server with weight 0 has the status of a drain.
                let live = said.starts_with("UP") || said == "no check" || shop.making.weightless && said == "DRAIN";
                let name = format!("{}/{pool}/{server} {said}", balancer.plan.name);
                all.insert(name, live && ready.contains(&server));
            }
        }
    }
    all
}

/// Returns all that a refusal must leave as it is.
pub fn everything(shop: &Shop) -> BTreeMap<String, String> {
    let of = |name: &&str| {
        let list =
            "cd /srv/shop 2>/dev/null && find . ! -name requests ! -path '*/.rfab/run*' | sort; readlink current";
        let mut text = shop.lab.host(name).sh(list).stdout;
        for (server, live) in standings(shop, name) {
            text += &format!("{server}: {live}\n");
        }
        (name.to_string(), text)
    };
    shop.making.web().iter().map(of).collect()
}

/// Panics unless a host has what rfab makes there, and no more releases than rfab keeps.
#[track_caller]
fn releases_are_tidy(shop: &Shop, name: &str) {
    let host = shop.lab.host(name);
    let mut there: Vec<String> = host.sh("ls -A /srv/shop").expect_ok().lines().map(str::to_owned).collect();
    there.sort();
    assert_eq!(there, [".rfab", "current", "releases", "shared"], "{name}");
    let releases = host.sh("ls -A /srv/shop/releases").expect_ok();
    // rfab leaves a release that it didn't make where it is.
    let kept = 4 + usize::from(shop.making.first != First::Nothing);
    assert!(releases.lines().filter(|name| !name.ends_with(".manifest")).count() <= kept, "{name} has {releases}");
    assert!(releases.lines().all(|name| !name.starts_with('.')), "{name} has {releases}");
}

/// Panics unless nothing is left over on the hosts, every line of the ledgers is whole, and no release was migrated
/// twice.
#[track_caller]
pub fn is_tidy(shop: &Shop) {
    let mut migrated = Vec::new();
    for name in shop.making.web() {
        let host = shop.lab.host(name);
        if shop.making.made != Made::Package {
            releases_are_tidy(shop, name);
        }
        for line in host.sh(&format!("cat {}/.rfab/ledger", shop.making.path())).expect_ok().lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{name}'s ledger: {line}: {e}"));
        }
        migrated.extend(host.sh("cat /srv/shop/shared/migrated 2>/dev/null").stdout.lines().map(str::to_owned));
    }
    let all = migrated.len();
    migrated.sort();
    migrated.dedup();
    assert_eq!(migrated.len(), all, "a migration ran twice");
}
