//! One line of a ledger.
use crate::{
    control::{hidden, shown},
    host::Name,
};
use serde::{Deserialize, Serialize};

/// A step that was about to be done, or how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// The version of this format.
    pub v: u8,
    pub run: Name,
    /// The number of the line within its run.
    pub seq: u32,
    /// RFC 3339, by the clock of the machine that wrote the line.
    pub at: String,
    pub who: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The operator's machine.
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
    /// Other names that a service may report for it: tags, an archive's version and digest. Older lines lack them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// A digest of what a release is made from, if the app is a folder of its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `BALANCER/POOL`: the only places of a drain or a ready, if the host was out of some of its pools before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// The balancers' epochs when the line was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
}

/// How far the step got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Intent,
    Ok,
    Failed,
    Unknown,
}

/// Stands for the time in a line until it's written. The writer fills the time in.
pub const AT: &str = "@AT@";

impl LedgerLine {
    /// Makes characters visible that move or hide text, because people read the line.
    ///
    /// A mark keeps its name as it is, because it's looked up by that.
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

    /// Returns the reason in words. The stdlib's own reasons for its drains are short.
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

    /// Returns the line as it's written. It keeps `@AT@` if the time isn't filled in.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a ledger line is plain data")
    }
}

/// Returns the current time as RFC 3339 in UTC, to the second.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
