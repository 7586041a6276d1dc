//! A finish by pull requests that is killed at any effect is completed by one line, and everything happens once.
use super::{
    pulls::{FINISH, Protected, typed},
    pulls_met::{expect_done, is_done},
    stopped::effects,
};
use lab::forge::Dialect;
use std::{sync::Mutex, thread, time::SystemTime};

const TOKEN: (&str, &str) = ("FORGE_TOKEN", "forge-token-hunter2");

/// Makes a shop in which somebody merges each pull request soon after it is opened.
fn ready() -> Protected {
    Protected::with(Dialect::Github, "1m", |requests| {
        requests.patience = [("production", 3), ("develop", 2)].into();
    })
}

/// What is so at the end: the pull requests, and the histories of the origin and of the clone. Each shop's fleet file
/// names another port, so its commits have other ids.
fn end(shop: &Protected) -> (Vec<String>, String, String) {
    let graph = ["log", "--all", "--graph", "--date-order", "--decorate=full", "--format=%d %s"];
    let origin = shop.sample.folder.path().join("origin.git");
    let at = format!("--git-dir={}", origin.display());
    let own = ["log", "--branches", "--tags", "--graph", "--date-order", "--decorate=full", "--format=%d %s"];
    let [theirs, mine] = [[&[&*at], &graph[..]].concat(), own.to_vec()].map(|words| shop.sample.work.git(&words));
    (shop.requests.list(), theirs, mine)
}

/// Kills a finish at an effect, types what comes then, and says what is wrong.
fn round(drill: &str, resume: bool, want: &(Vec<String>, String, String)) -> Option<String> {
    let shop = ready();
    let (out, code) = typed(&shop.sample.work, drill);
    // A secret is taken in no time that a drill could name.
    if out.contains("it has no such effect") {
        return (end(&shop) != *want).then(|| format!("{drill}: {out}"));
    }
    if code.is_some() {
        return Some(format!("{drill}: it wasn't killed: {out}"));
    }
    let mut typed = shop.sample.work.told(if resume { &["--resume"] } else { &FINISH }, &[TOKEN]);
    // A run that changed nothing is typed again.
    if typed.0.contains("changed nothing") {
        typed = shop.sample.work.told(&FINISH, &[TOKEN]);
    }
    let (said, code) = typed;
    let is = end(&shop);
    (!is_done(&said, code) || is != *want)
        .then(|| format!("{drill}, resume {resume}: {code:?} {out}{said}\n{is:#?}\n{want:#?}"))
}

#[test]
fn a_finish_by_pull_requests_that_is_killed_anywhere_opens_merges_and_tags_once() {
    let calm = ready();
    let (out, code) = calm.typed();
    expect_done(&out, code);
    let want = end(&calm);
    let once = ["hotfix/3.0.1 -> production merged", "back/hotfix/3.0.1 -> develop merged"];
    assert_eq!(want.0, once, "{out}");
    assert!(!want.1.contains("hotfix"), "{}", want.1);
    let effects = effects(&calm.sample);
    assert!(effects.len() > 60, "{effects:?}");
    let all = effects.iter().flat_map(|effect| ["before", "after"].map(|when| format!("kill:{when}:{effect}")));
    let rounds = all.flat_map(|drill| [(drill.clone(), true), (drill, false)]);
    let days = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
    let is_all = std::env::var_os("RFAB_ALL").is_some();
    let today = rounds.enumerate().filter(|(at, _)| is_all || *at as u64 % 32 == days % 32).map(|(_, round)| round);
    let (waiting, wrong) = (Mutex::new(today.collect::<Vec<_>>().into_iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        // Most of the time, a round waits for the forge.
        for _ in 0..if is_all { 6 } else { 2 } {
            scope.spawn(|| {
                loop {
                    let Some((drill, resume)) = waiting.lock().unwrap().next() else { break };
                    wrong.lock().unwrap().extend(round(&drill, resume, &want));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} rounds: {}", wrong.len(), wrong.join("\n"));
}
