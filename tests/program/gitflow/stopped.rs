//! A finish that is killed at any effect is completed by one line, and everything happens once.
use super::{sample::Sample, trunk::cut};
use serde_json::Value;
use std::{sync::Mutex, thread, time::SystemTime};

/// A line that is killed and typed again, and what it starts from.
#[derive(Clone, Copy)]
struct Typed {
    ready: fn() -> Sample,
    words: &'static [&'static str],
}

const FINISH: Typed = Typed { ready, words: &["finish", "hotfix", "3.0.1"] };
const PICK: Typed = Typed { ready: cut, words: &["pick", "3.1", "main"] };
const TAG: Typed = Typed { ready: cut, words: &["tag", "3.1"] };

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
fn round(line: Typed, drill: &str, resume: bool, want: &(String, String)) -> Option<String> {
    let sample = (line.ready)();
    let (out, code) = sample.work.drilled(line.words, drill);
    if code.is_some() {
        return Some(format!("{drill}: it wasn't killed: {out}"));
    }
    let mut typed = sample.work.typed(if resume { &["--resume"] } else { line.words });
    // A run that changed nothing is typed again.
    if typed.0.contains("changed nothing") {
        typed = sample.work.typed(line.words);
    }
    let (out, code) = typed;
    let is = (sample.origin(), sample.work.refs());
    (code != Some(0) || is != *want).then(|| format!("{drill}, resume {resume}: {code:?} {out}\n{is:?}\n{want:?}"))
}

/// Kills a line at each effect, or at some of them each day, and completes it.
fn killed(line: Typed) {
    let calm = (line.ready)();
    calm.work.rfab(line.words);
    let want = (calm.origin(), calm.work.refs());
    let effects = effects(&calm);
    assert!(effects.len() > 10, "{effects:?}");
    let all = effects.iter().flat_map(|effect| ["before", "after"].map(|when| format!("kill:{when}:{effect}")));
    let rounds: Vec<_> = all.flat_map(|drill| [(drill.clone(), true), (drill, false)]).collect();
    // The last effect is tried each day, both before and after it.
    let last = rounds.len() - 4;
    let days = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
    let is_all = std::env::var_os("RFAB_ALL").is_some();
    let is_of_today = |at: usize| is_all || at >= last || at as u64 % 16 == days % 16;
    let today = rounds.into_iter().enumerate().filter(|(at, _)| is_of_today(*at)).map(|(_, round)| round);
    let waiting = Mutex::new(today.collect::<Vec<_>>().into_iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((drill, resume)) = waiting.lock().unwrap().next() else { break };
                    wrong.lock().unwrap().extend(round(line, &drill, resume, &want));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_finish_that_is_killed_anywhere_is_completed_by_resuming_it_or_by_typing_it_again() {
    killed(FINISH);
}

#[test]
fn a_pick_and_a_tag_that_are_killed_anywhere_are_completed_by_resuming_or_by_typing_them_again() {
    killed(PICK);
    killed(TAG);
}
