//! The effects of a run, read from its journal.
use lab::Lab;
use serde_json::Value;

/// An effect: its `LANE#NUMBER`, kind and text.
#[derive(Clone)]
pub struct Effect {
    pub id: String,
    kind: String,
    pub text: String,
}

impl Effect {
    /// Returns whether it changes something.
    pub fn changes(&self) -> bool {
        matches!(self.kind.as_str(), "change" | "once")
    }

    /// Returns whether it only waits.
    pub fn waits(&self) -> bool {
        self.kind == "hold"
    }
}

/// A run, read from the history.
pub struct Known {
    pub id: String,
    pub outcome: String,
}

impl Known {
    pub fn newest(lab: &Lab) -> Known {
        let json = lab.rfab(&["--history", "--newest", "1", "--json"]).output().expect_ok();
        let run: Value = serde_json::from_str(json.trim()).unwrap_or_else(|e| panic!("{json}: {e}"));
        let text = |key: &str| run[key].as_str().unwrap_or_default().to_owned();
        Known { id: text("run"), outcome: text("outcome") }
    }

    /// Returns its effects, in the order in which they began.
    pub fn effects(&self, lab: &Lab) -> Vec<Effect> {
        let records = lab.rfab(&["--show", &self.id, "--json"]).output().expect_ok();
        let records = records.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let effect = |record: Value| {
            let effect = record.get("effect")?;
            let id = format!("{}#{}", text(effect, "lane"), effect["number"]);
            Some(Effect { id, kind: text(effect, "kind"), text: text(effect, "text") })
        };
        records.filter_map(effect).collect()
    }
}
