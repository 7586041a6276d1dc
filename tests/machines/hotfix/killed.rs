//! A hotfix, or a release of trunk, that is killed at any change, from its merge or its tag to the last host, is completed
//! by one word.
use super::{Team, trunk::Trunk};
use crate::shop::all_serve;
use lab::needs_lab;
use serde_json::Value;
use std::time::SystemTime;

/// A line that is killed, and what comes before and after it.
struct Killed<'a> {
    team: &'a Team,
    line: [&'a str; 2],
    /// What a version's third number is counted from: `3.0.`.
    versions: &'a str,
    /// Brings the work for the next version, which is this one.
    prepare: &'a dyn Fn(&str),
    /// Returns what isn't as the line leaves it.
    unfinished: &'a dyn Fn(&str) -> Vec<String>,
}

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
}

impl Killed<'_> {
    /// Kills the line at a change, types what comes then, and returns what is wrong.
    fn round(&self, drill: &str, is_resumed: bool, version: &str) -> Vec<String> {
        let Killed { team, line, .. } = self;
        (self.prepare)(version);
        let met = team.lab.rfab(line).env("FORGE_TOKEN", super::TOKEN).env("RFAB_DRILL", drill).output();
        if met.code.is_some() {
            return vec![format!("it wasn't killed: {met:?}")];
        }
        let run = team.newest();
        let resume = ["--resume", &run];
        let before = team.remote(&["show-ref"]);
        let first = team.typed(if is_resumed { &resume } else { line });
        let said = format!("{}{}", first.stdout, first.stderr);
        // Only the dead run itself can find out whether its migration was done: the line changes nothing, and names it.
        if !is_resumed && said.contains("and rfab can't tell how it ended") {
            let names_it =
                said.contains(&format!("`rfab --resume {run}` finds out")) && said.contains("nothing was changed");
            if first.code != Some(9) || !names_it || team.remote(&["show-ref"]) != before {
                return vec![format!("{met:?}\n{first:?}")];
            }
            let out = team.typed(&resume);
            let ended = (out.code != Some(0)).then(|| format!("{met:?}\n{first:?}\n{out:?}"));
            return (self.unfinished)(version).into_iter().chain(ended).collect();
        }
        // A run that changed nothing is typed again.
        let is_anew = first.code != Some(0) && is_resumed && said.contains("changed nothing");
        let out = if is_anew { team.typed(line) } else { first.clone() };
        let mut wrong = (self.unfinished)(version);
        // Where it died with nothing of the branch left, the line says that there is nothing to finish.
        let is_over = !is_resumed && said.contains("error: no hotfix is open");
        if out.code != Some(0) && !is_over {
            wrong.push(format!("{met:?}\n{first:?}\n{out:?}"));
        }
        wrong
    }
}

impl Killed<'_> {
    /// Kills the line at each change, or at some of them each day, and completes it.
    fn everywhere(&self) {
        let version = |number: usize| format!("{}{number}", self.versions);
        let first = if self.versions == "3.0." { 2 } else { 0 };
        // The first one has fewer effects: the forge knows no deployment, and no release is old.
        for number in first..first + 3 {
            (self.prepare)(&version(number));
            self.team.done(&self.line);
            assert_eq!((self.unfinished)(&version(number)), Vec::<String>::new());
        }
        let changes = self.team.changes();
        assert!(changes.len() > 30, "{changes:?}");
        let all = changes.iter().flat_map(|change| ["before", "after"].map(|when| (when, change)));
        let days = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400;
        let is_all = std::env::var_os("RFAB_ALL").is_some();
        let every = (all.clone().count() as u64).div_ceil(4);
        let from: usize = std::env::var("RFAB_FROM").map_or(0, |from| from.parse().expect("a round's number"));
        // Each day the migration is among them.
        let is_today = |at: usize, text: &str| at as u64 % every == days % every || text.contains("bin/migrate");
        let today = all.enumerate().skip(from).filter(|(at, (_, (_, text)))| is_all || is_today(*at, text));
        for (round, (at, (when, (id, text)))) in today.enumerate() {
            let (version, drill) = (version(first + 3 + round), format!("kill:{when}:{id}"));
            let is_resumed = at % 4 < 2 && !text.contains("migrate");
            let wrong = self.round(&drill, is_resumed, &version);
            assert!(wrong.is_empty(), "round {at}, {drill} ({text}): {}", wrong.join("\n"));
            all_serve(&self.team.lab, &format!("v{version}"));
        }
    }
}

#[test]
fn a_hotfix_that_is_killed_at_any_change_is_completed_and_no_request_fails() {
    if !needs_lab("a_hotfix_that_is_killed_at_any_change_is_completed_and_no_request_fails") {
        return;
    }
    let team = Team::open();
    let (prepare, unfinished) = (|version: &str| team.prepare(version), |version: &str| team.unfinished(version));
    let line = ["prod", "hotfix:finish"];
    Killed { team: &team, line, versions: "3.0.", prepare: &prepare, unfinished: &unfinished }.everywhere();
    team.close();
}

#[test]
fn a_release_of_trunk_that_is_killed_at_any_change_is_completed_and_no_request_fails() {
    if !needs_lab("a_release_of_trunk_that_is_killed_at_any_change_is_completed_and_no_request_fails") {
        return;
    }
    let trunk = Trunk::open();
    let (prepare, unfinished) = (|version: &str| trunk.prepare(version), |version: &str| trunk.unfinished(version));
    let line = ["prod", "ship:3.1"];
    Killed { team: &trunk.team, line, versions: "3.1.", prepare: &prepare, unfinished: &unfinished }.everywhere();
    trunk.team.close();
}
