//! A hotfix that is killed at any change, from its merge to the last host, is completed by one word.
use super::Team;
use crate::shop::all_serve;
use lab::needs_lab;
use serde_json::Value;
use std::time::SystemTime;

const FINISH: [&str; 2] = ["prod", "hotfix:finish"];

impl Team {
    /// Starts the next hotfix, which has this version, fixes it, and approves it.
    fn prepare(&self, version: &str) {
        let told = self.done(&["hotfix:patch"]);
        assert!(told.contains(&format!("hotfix/{version} is at the remote")), "{told}");
        let head = self.fixes(version, &[("index.txt", &format!("shop v{version}\n"))]);
        self.approve(&head);
    }

    /// Returns the name of the newest run.
    fn newest(&self) -> String {
        let newest = self.done(&["--history", "--newest", "1", "--json"]);
        let run: Value = serde_json::from_str(newest.trim()).expect("JSON");
        run["run"].as_str().expect("a run").to_owned()
    }

    /// Returns the changes of the newest run: the identity of each, and its text.
    fn changes(&self) -> Vec<(String, String)> {
        let lines = self.done(&["--show", &self.newest(), "--json"]);
        let mut found = Vec::new();
        for line in lines.lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let effect = &event["effect"];
            if matches!(effect["kind"].as_str(), Some("change" | "once")) {
                let text = |key: &str| effect[key].as_str().expect("a text").to_owned();
                found.push((format!("{}#{}", text("lane"), effect["number"]), text("text")));
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
        let run = self.newest();
        let resume = ["--resume", &run];
        let before = self.remote(&["show-ref"]);
        let first = self.typed(if is_resumed { &resume } else { &FINISH });
        let said = format!("{}{}", first.stdout, first.stderr);
        // Only the dead run itself can find out whether its migration was done: the line changes nothing, and names it.
        if !is_resumed && said.contains("and rfab can't tell how it ended") {
            let names_it =
                said.contains(&format!("`rfab --resume {run}` finds out")) && said.contains("nothing was changed");
            if first.code != Some(9) || !names_it || self.remote(&["show-ref"]) != before {
                return vec![format!("{met:?}\n{first:?}")];
            }
            let out = self.typed(&resume);
            let ended = (out.code != Some(0)).then(|| format!("{met:?}\n{first:?}\n{out:?}"));
            return self.unfinished(version).into_iter().chain(ended).collect();
        }
        // A run that changed nothing is typed again.
        let is_anew = first.code != Some(0) && is_resumed && said.contains("changed nothing");
        let out = if is_anew { self.typed(&FINISH) } else { first.clone() };
        let mut wrong = self.unfinished(version);
        // Where it died with nothing of the branch left, the line says that there is nothing to finish.
        let is_over = !is_resumed && said.contains("error: no hotfix is open");
        if out.code != Some(0) && !is_over {
            wrong.push(format!("{met:?}\n{first:?}\n{out:?}"));
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
    let all = changes.iter().flat_map(|change| ["before", "after"].map(|when| (when, change)));
    let days = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
    let is_all = std::env::var_os("RFAB_ALL").is_some();
    let every = (all.clone().count() as u64).div_ceil(4);
    let from: usize = std::env::var("RFAB_FROM").map_or(0, |from| from.parse().expect("a round's number"));
    // Each day the migration is among them.
    let is_today = |at: usize, text: &str| at as u64 % every == days % every || text.contains("bin/migrate");
    let today = all.enumerate().skip(from).filter(|(at, (_, (_, text)))| is_all || is_today(*at, text));
    let mut wrong = Vec::new();
    for (round, (at, (when, (id, text)))) in today.enumerate() {
        let (version, drill) = (format!("3.0.{}", round + 5), format!("kill:{when}:{id}"));
        let is_resumed = at % 4 < 2 && !text.contains("migrate");
        let found = team.round(&drill, is_resumed, &version);
        if !found.is_empty() {
            wrong.extend(found.into_iter().map(|found| format!("round {at}, {drill} ({text}): {found}")));
            break;
        }
        all_serve(&team.lab, &format!("v{version}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    team.close();
}
