//! Kills or interrupts rfab at every effect of a release of a shop under load.
//!
//! One command then completes or aborts the release, no request fails, and steps that may run only once run once.
//!
//! Each day runs another twentieth of the rounds and prints which; `RFAB_ALL=1 cargo test --test killed` runs all of them.
//! Hosts are reached in turn by OpenSSH's client over open connections, by rfab's own, and by OpenSSH's with new ones.
//! `RFAB_MOST=3` runs only so many rounds. `RFAB_ROW=17` runs them in the lab of that row of `--test varied` (with
//! `RFAB_SEED`, in a row of another seed), and `RFAB_AT_ONCE=4` in four shops in parallel instead of two.
mod effects;
mod trial;

use effects::Effect;
use lab::choices::making::LabChoices;
use lab::choices::rows::Rows;
use lab::needs_root;
use std::{
    env,
    io::Write as _,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Instant, SystemTime},
};
use trial::{Reach, Round, Then, Trial};

lab::suite!();

/// Prints a text past libtest's capture, which hides the output of a test that passes.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Returns the twentieth of the rounds that runs today, or all of them, and prints which.
fn turn<T>(test: &str, rounds: Vec<T>) -> Vec<T> {
    let all = rounds.len();
    let days = SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_secs() / 86_400;
    let slice = number("RFAB_SLICE").unwrap_or(days as usize % 20);
    let every = env::var_os("RFAB_ALL").is_some();
    let own = rounds.into_iter().enumerate().filter(|(at, _)| every || at % 20 == slice).map(|(_, round)| round);
    let chosen: Vec<T> = own.take(number("RFAB_MOST").unwrap_or(all)).collect();
    let which = if every { "all of them".to_owned() } else { format!("twentieth {slice}; RFAB_ALL=1 takes all") };
    say(&format!("{test}: {} of {all} rounds ({which})", chosen.len()));
    chosen
}

/// Returns the number in a variable; `None` if it isn't set.
fn number(name: &str) -> Option<usize> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} isn't a number")))
}

/// Returns the lab that the environment asks for, and its text.
fn asked() -> (LabChoices, String) {
    let Some(at) = number("RFAB_ROW") else {
        return (LabChoices { size: 2, lacking: 1, ..LabChoices::default() }, String::new());
    };
    let rows = Rows::of_environment();
    let row = &rows.cover.rows[at];
    rows.provide(row).unwrap_or_else(|why| panic!("row {at} needs what can't be made here: {why}"));
    assert!(rows.refusal(row).is_none(), "row {at} is refused: {}", rows.text(row));
    (LabChoices::of(&rows, row), rows.text(row))
}

/// Runs a test again in its own process and network, which the lab of a row needs; false if this process is already
/// there.
fn was_run_in_own_network(test: &str) -> bool {
    const THERE: &str = "RFAB_OWN_NETWORK";
    if number("RFAB_ROW").is_none() {
        return false;
    }
    if env::var_os(THERE).is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("ip");
        assert!(up.success(), "the network's loopback doesn't come up");
        return false;
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--"]);
    command.arg(env::current_exe().expect("this binary")).args([test, "--exact", "--nocapture"]);
    let ended = command.env(THERE, "1").stdin(Stdio::null()).status().expect("unshare");
    assert!(ended.success(), "{test} failed in a network of its own");
    true
}

fn open() -> Trial {
    let (making, text) = asked();
    Trial::open(making, &text)
}

/// Runs the rounds of a test in several shops in parallel. After a round that ends badly, it opens another shop for the
/// next.
fn go(test: &str, rounds_of: impl Fn(&[Effect]) -> Vec<Round>) {
    say(&asked().1);
    let first = open();
    let rounds = turn(test, rounds_of(&first.effects()));
    let (all, began) = (rounds.len(), Instant::now());
    let missed = AtomicU64::new(0);
    let (waiting, found, requests) = (Mutex::new(rounds.into_iter()), Mutex::new(Vec::new()), AtomicU64::new(0));
    let close = |trial: Trial| match trial.close() {
        Ok(sent) => drop(requests.fetch_add(sent, Relaxed)),
        Err(failed) => {
            say(&failed);
            found.lock().unwrap().push(failed);
        }
    };
    let work = |trial: Option<Trial>| {
        let mut trial = trial.unwrap_or_else(open);
        loop {
            let Some(round) = waiting.lock().unwrap().next() else { break };
            let ended = trial.round(&round);
            if env::var_os("RFAB_ALL").is_some() {
                let how = match ended {
                    Ok(true) => "well",
                    Ok(false) => "without that effect",
                    Err(_) => "BADLY",
                };
                let Round { drill, then, reach, .. } = &round;
                say(&format!("{} s: {drill} {then:?} {reach:?} ended {how}", began.elapsed().as_secs()));
            }
            missed.fetch_add(u64::from(ended == Ok(false)), Relaxed);
            if let Err(wrong) = ended {
                say(&wrong);
                found.lock().unwrap().push(wrong);
                close(std::mem::replace(&mut trial, open()));
            }
        }
        close(trial);
    };
    thread::scope(|scope| {
        for _ in 1..number("RFAB_AT_ONCE").unwrap_or(2) {
            scope.spawn(|| work(None));
        }
        work(Some(first));
    });
    let found = found.into_inner().unwrap();
    let took = began.elapsed().as_secs();
    say(&format!(
        "{test}: {all} rounds in {took} s, {} ended badly, {missed:?} lacked their effect, {requests:?} requests",
        found.len()
    ));
    assert!(missed.into_inner() * 20 <= all as u64, "too many of {all} rounds lacked their effect");
    assert!(found.is_empty(), "{} of {all} rounds ended badly, first:\n{}", found.len(), found[0]);
}

#[test]
fn a_release_that_was_killed_at_any_change_is_completed_or_taken_back_by_one_word_and_no_request_fails() {
    let test = "a_release_that_was_killed_at_any_change_is_completed_or_taken_back_by_one_word_and_no_request_fails";
    if !needs_root(test) || was_run_in_own_network(test) {
        return;
    }
    go(test, |effects| {
        let changes: Vec<_> = effects.iter().filter(|effect| effect.changes()).cloned().collect();
        // A kill amid an effect that takes no time isn't certain to hit it; the simulator covers that.
        let all = ["before", "after"].into_iter().flat_map(|when| {
            changes.iter().map(move |effect| (format!("kill:{when}:{}", effect.id), effect.text.clone()))
        });
        // One in four aborts, also among the tenth of a day.
        let then = |at: usize| if (at + at / 10).is_multiple_of(4) { Then::Abort } else { Then::Resume };
        all.enumerate().map(|(at, (drill, text))| Round { drill, text, then: then(at), reach: Reach::of(at) }).collect()
    });
}

#[test]
fn a_release_that_was_interrupted_once_or_twice_at_any_effect_says_how_all_stands_and_goes_on() {
    let test = "a_release_that_was_interrupted_once_or_twice_at_any_effect_says_how_all_stands_and_goes_on";
    if !needs_root(test) || was_run_in_own_network(test) {
        return;
    }
    go(test, |effects| {
        let steps: Vec<_> = effects.iter().filter(|effect| !effect.waits()).cloned().collect();
        let all = ["int", "int2"].into_iter().flat_map(|what| {
            steps.iter().map(move |effect| (format!("{what}:before:{}", effect.id), effect.text.clone()))
        });
        let round = |(at, (drill, text))| Round { drill, text, then: Then::Resume, reach: Reach::of(at) };
        all.enumerate().map(round).collect()
    });
}
