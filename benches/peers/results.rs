//! What was measured, in a file beside this one.
use super::{Asked, cost::Cost, machine, tools};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// All parts by their names, each with the versions of OpenSSH and the filesystems that it was measured with.
#[derive(Default, Serialize, Deserialize)]
pub struct Results(pub BTreeMap<String, BTreeMap<String, Part>>);

/// One part, measured in one go.
#[derive(Serialize, Deserialize)]
pub struct Part {
    pub date: String,
    pub machine: String,
    pub rfab: String,
    /// The version of ssh and sshd; empty where none is used.
    pub ssh: String,
    /// Whether the hosts' filesystem is XFS, which can share the blocks of copies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub xfs: bool,
    pub rounds: usize,
    /// How many processes ran or waited for a processor before and after, on average over a minute.
    pub load: [f64; 2],
    pub versions: BTreeMap<String, String>,
    /// Tools that aren't here, or failed, each with the reason.
    pub left_out: Vec<String>,
    pub rows: Vec<Row>,
    /// What else is to be said, as whole sentences.
    pub notes: Vec<String>,
}

/// What one tool needed for one piece of work.
#[derive(Clone, Serialize, Deserialize)]
pub struct Row {
    pub work: String,
    pub tool: String,
    pub cost: Cost,
    /// The time of each round.
    pub walls: Vec<f64>,
}

impl Part {
    pub fn begin(asked: &Asked, with_ssh: bool) -> Part {
        Part {
            date: machine::date(),
            machine: machine::describe(),
            rfab: machine::rfab(),
            ssh: if with_ssh { machine::ssh(asked.debian) } else { String::new() },
            xfs: asked.xfs,
            rounds: asked.rounds,
            load: [machine::load(), 0.0],
            versions: tools::versions(),
            left_out: tools::missing(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn end(&mut self) {
        self.load[1] = machine::load();
    }

    pub fn left_out(&mut self, tool: &str, why: &str) {
        self.left_out.push(format!("{tool} ({why})"));
    }

    /// Returns what it was measured with, for people; empty if nothing of it matters.
    pub fn with(&self) -> String {
        match (&*self.ssh, self.xfs) {
            ("", _) => String::new(),
            (ssh, false) => format!("OpenSSH {ssh}"),
            (ssh, true) => format!("OpenSSH {ssh}, XFS"),
        }
    }

    /// Finds what a tool needed.
    pub fn cost(&self, work: &str, tool: &str) -> Option<Cost> {
        self.rows.iter().find(|row| row.work == work && row.tool == tool).map(|row| row.cost)
    }

    /// Lists the pieces of work in order.
    pub fn works(&self) -> Vec<&str> {
        let mut works: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !works.contains(&row.work.as_str()) {
                works.push(&row.work);
            }
        }
        works
    }
}

impl Results {
    pub fn read() -> Results {
        let text = fs::read_to_string(file()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Puts a part in place of an earlier one with the same version of OpenSSH and the same filesystem.
    pub fn put(&mut self, name: &str, part: Part) {
        self.0.entry(name.to_owned()).or_default().insert(part.ssh.clone() + if part.xfs { " xfs" } else { "" }, part);
    }

    pub fn write(&self) {
        let text = serde_json::to_string_pretty(self).expect("plain data");
        fs::write(file(), text + "\n").expect("the results");
    }
}

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/results.json"))
}
