//! A hotfix that is killed at any change, from its merge to the last host, is completed by one word.
use super::Team;
use crate::shop::all_serve;
use lab::needs_lab;
use serde_json::Value;
use std::time::SystemTime;

const FINISH: [&str; 2] = ["prod", "hotfix:finish"];

impl Team {
    /// Starts a hotfix, fixes it, and approves it.
    fn prepare(&self, version: &str) {
        self.done(&[&format!("hotfix:{version}")]);
        let head = self.fixes(version, &[("index.txt", &format!("shop v{version}\n"))]);
        self.approve(&head);
    }

    /// Returns the identities of the changes of the newest run.
    fn changes(&self) -> Vec<String> {
        let newest = self.done(&["--history", "--newest", "1", "--json"]);
        let run: Value = serde_json::from_str(newest.trim()).expect("JSON");
        let lines = self.done(&["--show", run["run"].as_str().expect("a run"), "--json"]);
        let mut found = Vec::new();
        for line in lines.lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let effect = &event["effect"];
            if matches!(effect["kind"].as_str(), Some("change" | "once")) {
                found.push(format!("{}#{}", effect["lane"].as_str().expect("a lane"), effect["number"]));
            }
        }
        found
    }

    /// Kills a hotfix at a change, types what comes then, and returns what is wrong.
    fn round(&self, drill: &str, is_resumed: bool, version: &str) -> Vec<String> {
        self.prepare(version);
        let met = self.lab.rfab(&FINISH).env("FORGE_TOKEN", super::TOKEN).env("RFAB_DRILL", drill).output();
        if met.code.is_some() {
            return vec![format!("it wasn't killed: {met:?}")];
        }
        let mut out = self.typed(if is_resumed { &["--resume"] } else { &FINISH });
        let says = |out: &lab::Output, text: &str| format!("{}{}", out.stdout, out.stderr).contains(text);
        // A run that changed nothing is typed again, and hosts that a dead run holds are its own to put back.
        if is_resumed && says(&out, "changed nothing") {
            out = self.typed(&FINISH);
        } else if !is_resumed && out.code != Some(0) && says(&out, "--resume") {
            out = self.typed(&["--resume"]);
        }
        let mut wrong = self.unfinished(version);
        if out.code != Some(0) {
            wrong.push(format!("{met:?}\n{out:?}"));
        }
        wrong
    }
}

#[test]
fn a_hotfix_that_is_killed_at_any_change_is_completed_and_no_request_fails() {
    if !needs_lab("a_hotfix_that_is_killed_at_any_change_is_completed_and_no_request_fails") {
        return;
    }
    let team = Team::open();
    // The first hotfix has fewer effects: the forge knows no deployment, and no release is old.
    for version in ["3.0.2", "3.0.3", "3.0.4"] {
        team.prepare(version);
        team.done(&FINISH);
        team.expect_finished(version);
    }
    let changes = team.changes();
    assert!(changes.len() > 40, "{changes:?}");
    let all = changes.iter().flat_map(|change| ["before", "after"].map(|when| format!("kill:{when}:{change}")));
    let days = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
    let is_all = std::env::var_os("RFAB_ALL").is_some();
    let every = (all.clone().count() as u64).div_ceil(4);
    let today = all.enumerate().filter(|(at, _)| is_all || *at as u64 % every == days % every);
    let mut wrong = Vec::new();
    for (round, (at, drill)) in today.enumerate() {
        let version = format!("3.0.{}", round + 5);
        let found = team.round(&drill, at % 4 < 2, &version);
        let is_well = found.is_empty();
        wrong.extend(found.into_iter().map(|found| format!("{drill}: {found}")));
        if !is_well {
            break;
        }
        all_serve(&team.lab, &format!("v{version}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    team.close();
}
