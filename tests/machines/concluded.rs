//! What a killed run did but couldn't write down: the run that resumes it writes it into the ledgers, once.

use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use serde_json::Value;

/// An effect of a run: its name in the journal, its host, and its place in the form that a drill takes.
struct Effect {
    name: String,
    host: String,
    place: String,
}

fn effects(lab: &Lab) -> Vec<Effect> {
    let json = lab.rfab(&["--history", "--newest", "1", "--json"]).output().expect_ok();
    let run: Value = serde_json::from_str(json.trim()).expect("JSON");
    let records = lab.rfab(&["--show", run["run"].as_str().expect("an id"), "--json"]).output().expect_ok();
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let effect = |record: Value| {
        let effect = record.get("effect")?;
        let place = format!("{}#{}", text(&effect["lane"]), effect["number"]);
        Some(Effect { name: text(&effect["name"]), host: text(&effect["host"]), place })
    };
    records.filter_map(effect).collect()
}

#[test]
fn a_change_that_a_killed_run_made_has_one_end_in_the_ledger_after_the_run_is_resumed() {
    if !needs_lab("a_change_that_a_killed_run_made_has_one_end_in_the_ledger_after_the_run_is_resumed") {
        return;
    }
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let plan = Plan::new().serving("v3.0.0").host(web("web1", "group1")).host(web("web2", "group2"));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.rfab(&["prod", "release:v3.0.1"]).output().expect_ok();
    let effects = effects(&lab);
    let place = |name: &str, host: &str| {
        let of = |effect: &&Effect| effect.name == name && (host.is_empty() || effect.host == host);
        effects.iter().rfind(of).unwrap_or_else(|| panic!("no {name} of {host}")).place.clone()
    };
    let home = format!("{}/.local/state/rfab/prod/ledger", lab.host("lb1").home());
    let own = "/srv/shop/.rfab/ledger";
    let rounds = [
        (place("activate", "web1"), "web1", own, "activate"),
        (place("service", "web1"), "web1", own, "restart"),
        (place("set_admin", ""), "lb1", &home, "ready"),
    ];
    for (at, (place, keeper, file, word)) in rounds.into_iter().enumerate() {
        let tag = format!("v4.0.{at}");
        lab.project.release(&tag);
        let release = format!("release:{tag}");
        let killed = lab.rfab(&["prod", &release]).env("RFAB_DRILL", &format!("kill:after:{place}")).output();
        assert_eq!(killed.code, None, "{word} at {place}: {killed:?}");
        // The host loses the last line, as if it died before writing it.
        let lines = lab.host(keeper).sh(&format!("cat {file}")).expect_ok();
        let last: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        assert_eq!((last["effect"].as_str(), last["phase"].as_str()), (Some(word), Some("ok")), "{lines}");
        lab.host(keeper).sh(&format!("sed -i '$d' {file}")).expect_ok();
        let resumed = lab.rfab(&["--resume", "--wait"]).output();
        assert_eq!(resumed.code, Some(0), "{word} at {place}: {resumed:?}");
        let lines = lab.host(keeper).sh(&format!("cat {file}")).expect_ok();
        let phases: Vec<String> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .filter(|line| line["run"] == last["run"] && line["effect"] == word && line["host"] == last["host"])
            .map(|line| line["phase"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(phases, ["intent", "ok"], "{word} at {place}:\n{lines}");
        let status = lab.rfab(&["prod", "status"]).output().expect_ok();
        assert!(!status.contains("unfinished"), "{status}");
    }
}
