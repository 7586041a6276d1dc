//! A finish that is killed at any effect is completed by one line, and everything happens once.
use super::sample::Sample;
use serde_json::Value;
use std::{sync::Mutex, thread, time::SystemTime};

const FINISH: [&str; 3] = ["finish", "hotfix", "3.0.1"];

/// Makes a shop with a published hotfix that is ready to be finished.
fn ready() -> Sample {
    let sample = Sample::avh();
    sample.work.rfab(&["start", "hotfix", "3.0.1"]);
    sample.work.commit("VERSION", "3.0.1");
    sample.work.rfab(&["publish", "hotfix", "3.0.1"]);
    sample
}

/// Returns the identities of all effects of the newest run.
pub fn effects(sample: &Sample) -> Vec<String> {
    let history = sample.work.rfab(&["--history"]);
    let run = history.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a run");
    let lines = sample.work.rfab(&["--show", run, "--json"]);
    let mut found: Vec<String> = Vec::new();
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let effect = &event["effect"];
        let Some((lane, number)) = effect["lane"].as_str().zip(effect["number"].as_u64()) else { continue };
        let id = format!("{lane}#{number}");
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// Kills a finish at an effect, types what comes then, and says what is wrong.
fn round(drill: &str, resume: bool, want: &(String, String)) -> Option<String> {
    let sample = ready();
    let (out, code) = sample.work.drilled(&FINISH, drill);
    if code.is_some() {
        return Some(format!("{drill}: it wasn't killed: {out}"));
    }
    let mut typed = sample.work.typed(if resume { &["--resume"] } else { &FINISH });
    // A run that changed nothing is typed again.
    if typed.0.contains("changed nothing") {
        typed = sample.work.typed(&FINISH);
    }
    let (out, code) = typed;
    let is = (sample.origin(), sample.work.refs());
    (code != Some(0) || is != *want).then(|| format!("{drill}, resume {resume}: {code:?} {out}\n{is:?}\n{want:?}"))
}

#[test]
fn a_finish_that_is_killed_anywhere_is_completed_by_resuming_it_or_by_typing_it_again() {
    let calm = ready();
    calm.work.rfab(&FINISH);
    let want = (calm.origin(), calm.work.refs());
    let effects = effects(&calm);
    assert!(effects.len() > 20, "{effects:?}");
    let all = effects.iter().flat_map(|effect| ["before", "after"].map(|when| format!("kill:{when}:{effect}")));
    let rounds = all.flat_map(|drill| [(drill.clone(), true), (drill, false)]);
    let days = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
    let is_all = std::env::var_os("RFAB_ALL").is_some();
    let today = rounds.enumerate().filter(|(at, _)| is_all || *at as u64 % 16 == days % 16).map(|(_, round)| round);
    let waiting = Mutex::new(today.collect::<Vec<_>>().into_iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((drill, resume)) = waiting.lock().unwrap().next() else { break };
                    wrong.lock().unwrap().extend(round(&drill, resume, &want));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
