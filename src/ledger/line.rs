//! One line of a ledger.
use crate::{
    control::{hidden, shown},
    host::Name,
};
use serde::{Deserialize, Serialize};

/// Something that was about to be done, or how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// The version of this format.
    pub v: u8,
    pub run: Name,
    /// Counts the lines of a run.
    pub seq: u32,
    /// RFC 3339, by the clock of whoever wrote the line.
    pub at: String,
    pub who: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The machine that the operator sat at.
    pub from: String,
    pub effect: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Name>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pool: Vec<Name>,
    pub phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Name>,
    /// The number that the fleet gave the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// What else a service may call the commit: its tags, the version and the digest of an archive. Older lines lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `BALANCER/POOL`: the only places that a drain or a ready is about, if the host was out of some of its pools before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// The balancers' epochs when the line was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
}

/// How far it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Intent,
    Ok,
    Failed,
    Unknown,
}

/// Stands for the time in a line that is made before it is written; whoever writes it puts the time in.
pub const AT: &str = "@AT@";

impl LedgerLine {
    /// The line with nothing in its words that moves or hides text, for they are shown to people.
    ///
    /// What is written down by name keeps its name as it is: it is looked up by that.
    pub fn plain(mut self) -> LedgerLine {
        let of_mark = self.effect == "mark";
        let texts = [&mut self.who, &mut self.from, &mut self.at].into_iter();
        let texts = texts.chain(&mut self.on_behalf_of).chain(self.reason.iter_mut().filter(|_| !of_mark));
        for text in texts.filter(|text| text.contains(hidden)) {
            *text = shown(text);
        }
        for name in [&mut self.run].into_iter().chain(&mut self.host).filter(|name| name.contains(hidden)) {
            *name = shown(name).into();
        }
        self
    }

    /// Why it was done, as a person says it: the stdlib's own words for its drains are short.
    pub fn why(&self) -> &str {
        match self.reason.as_deref() {
            None | Some("") => "no reason given",
            Some("only") => "so that only another group is live",
            Some("flip") => "for a flip",
            Some("release") => "for a release",
            Some("deploy") => "for a deploy",
            Some("restart") => "for a restart",
            Some("abort") => "for an abort",
            Some(typed) => typed,
        }
    }

    /// The line as it is written; the time is still `@AT@` if it was so.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a ledger line is plain data")
    }
}

/// The time now, RFC 3339 in UTC, to the second.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
