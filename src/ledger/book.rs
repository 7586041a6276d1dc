//! Reads the lines of a ledger.
use super::{LedgerLine, Phase, number_in};
use crate::host::Name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The lines of one ledger, oldest first. A line that is torn or of a newer version is counted and left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    pub lines: Vec<LedgerLine>,
    pub unread: usize,
}

/// The beginning of a line. Within one of its texts, the quotes would be escaped.
const BEGINNING: &str = "{\"v\":1,\"run\":\"";

fn parsed(line: &str) -> Option<LedgerLine> {
    serde_json::from_str::<LedgerLine>(line).ok().filter(|line| line.v == 1).map(LedgerLine::plain)
}

impl Book {
    pub fn read(text: &str) -> Book {
        let mut book = Book::default();
        book.extend(text);
        book
    }

    /// Reads more lines.
    pub fn extend(&mut self, text: &str) {
        text.lines().for_each(|line| _ = self.take(line));
    }

    /// Reads the next line, and returns the part of the text that is a whole line, if there is one.
    pub fn take<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if text.trim().is_empty() {
            return None;
        }
        if let Some(line) = parsed(text) {
            self.lines.push(line);
            return Some(text);
        }
        self.unread += 1;
        // A torn line doesn't spoil the line that was written after it.
        let behind = &text[text.rfind(BEGINNING).filter(|at| *at > 0)?..];
        self.lines.push(parsed(behind)?);
        Some(behind)
    }

    /// Returns the last drain or ready of a host that was done or may have been.
    pub fn last_admin(&self, host: &str) -> Option<&LedgerLine> {
        let of = |l: &&LedgerLine| l.host.as_deref() == Some(host) && matches!(&*l.effect, "drain" | "ready");
        let mut told: Vec<&LedgerLine> = Vec::new();
        for line in self.lines.iter().filter(of) {
            if line.phase != Phase::Failed {
                told.push(line);
            } else if told
                .last()
                .is_some_and(|l| l.phase == Phase::Intent && (&l.run, &l.effect) == (&line.run, &line.effect))
            {
                told.pop();
            }
        }
        told.pop()
    }

    /// Returns the number that the fleet gave a commit; the last one if the release was made again with another.
    pub fn number_of(&self, commit: &str) -> Option<u32> {
        let given = |l: &&LedgerLine| l.effect == "release" && l.commit.as_deref() == Some(commit);
        self.lines.iter().rev().find(given).and_then(|l| l.number)
    }

    /// Returns the name that a commit was last deployed by.
    pub fn name_of(&self, commit: &str) -> Option<&str> {
        let given = |l: &&LedgerLine| l.effect == "release" && l.commit.as_deref() == Some(commit);
        self.lines.iter().rev().find(given).and_then(|l| l.reason.as_deref())
    }

    /// Returns the name of each deployed commit for people. A commit with no name except its digits is left out.
    pub fn called(&self) -> BTreeMap<&str, &str> {
        let of = |line| Some((line, Book::called_in(line)?));
        let told = self.lines.iter().filter(|l| l.effect == "release").filter_map(of);
        told.filter_map(|(line, name)| Some((line.commit.as_deref()?, name))).collect()
    }

    /// Returns the name that a release line gives its commit. A tag or a version takes precedence over a typed branch.
    pub fn called_in(line: &LedgerLine) -> Option<&str> {
        called(line.commit.as_deref()?, line.reason.as_deref(), line.names.as_deref().unwrap_or_default())
    }

    /// Lists the other names that services may report for each deployed commit, by commit.
    ///
    /// Lines that don't list names have the typed name. It counts if it has a version's number; otherwise it may be
    /// a branch's.
    pub fn names(&self) -> BTreeMap<&str, Vec<String>> {
        let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for line in self.lines.iter().filter(|l| matches!(&*l.effect, "release" | "activate")) {
            let Some(commit) = &line.commit else { continue };
            let known = all.entry(commit).or_default();
            for name in Self::names_in(line) {
                if !known.iter().any(|other| other == name) {
                    known.push(name.to_owned());
                }
            }
        }
        all
    }

    /// Lists the names that a line of a release or an activation gives its commit.
    pub(super) fn names_in(line: &LedgerLine) -> impl Iterator<Item = &str> {
        let typed = line.reason.iter().filter(move |name| line.effect == "release" && number_in(name).is_some());
        let told = line.names.iter().flatten();
        told.chain(typed.filter(move |_| line.names.is_none())).map(String::as_str)
    }

    /// Lists the other names that a service may report for a commit.
    pub fn names_of(&self, commit: &str) -> Vec<String> {
        let of = |line: &&LedgerLine| {
            matches!(&*line.effect, "release" | "activate") && line.commit.as_deref() == Some(commit)
        };
        let mut names: Vec<String> = Vec::new();
        for name in self.lines.iter().filter(of).flat_map(Self::names_in) {
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Returns the digest of what a commit was last released from.
    pub fn content_of(&self, commit: &str) -> Option<&str> {
        let given = |l: &&LedgerLine| l.effect == "release" && l.commit.as_deref() == Some(commit);
        self.lines.iter().rev().find(given).and_then(|l| l.content.as_deref())
    }

    /// Returns the commit that was last released with this content, unless it was released with another since.
    pub fn released_as(&self, content: &str) -> Option<&Name> {
        let mut later = BTreeSet::new();
        self.lines.iter().rev().filter(|line| line.effect == "release").find_map(|line| {
            let commit = line.commit.as_ref()?;
            let newest = later.insert(commit);
            (newest && line.content.as_deref() == Some(content)).then_some(commit)
        })
    }

    /// Returns the highest number that the fleet gave.
    pub fn highest(&self) -> u32 {
        self.lines.iter().filter_map(|l| l.number).max().unwrap_or(0)
    }

    /// Returns the release line of the commit that was deployed last.
    pub fn newest(&self) -> Option<&LedgerLine> {
        self.lines.iter().rev().find(|l| l.effect == "release" && l.commit.is_some())
    }

    /// Returns the last line with a mark's name, for any commit.
    pub fn last_mark(&self, name: &str) -> Option<&LedgerLine> {
        self.lines.iter().rev().find(|l| l.effect == "mark" && l.reason.as_deref() == Some(name))
    }

    /// Returns the last line of a migration; `None` if it never began.
    pub fn mark(&self, name: &str, commit: &str) -> Option<&LedgerLine> {
        let of = |l: &&LedgerLine| {
            l.effect == "mark" && l.reason.as_deref() == Some(name) && l.commit.as_deref() == Some(commit)
        };
        self.lines.iter().rev().find(of)
    }
}

/// Returns a commit's name for people, from the typed name and its other names. Digits don't count: neither its own, nor
/// those of another commit with the same files.
pub fn called<'a>(commit: &str, typed: Option<&'a str>, names: &'a [String]) -> Option<&'a str> {
    let (digests, names): (Vec<&str>, Vec<&str>) = names.iter().map(String::as_str).partition(|name| is_digest(name));
    let typed = typed.filter(|typed| !digests.iter().chain([&commit]).any(|digits| digits.starts_with(*typed)));
    let tag = typed.filter(|typed| names.contains(typed));
    let version = || names.iter().find(|name| number_in(name).is_some()).copied();
    tag.or_else(version).or(typed).or(names.first().copied())
}

/// Returns whether a name is all digits of a commit or of an archive.
pub fn is_digest(name: &str) -> bool {
    name.len() >= 40 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(effect: &str, host: &str, phase: Phase) -> String {
        let line = LedgerLine {
            v: 1,
            run: "r1".into(),
            seq: 1,
            at: "2026-11-23T10:00:00Z".into(),
            who: "anna".into(),
            on_behalf_of: None,
            from: "mac".into(),
            effect: effect.into(),
            host: Some(host.into()),
            pool: vec![],
            phase,
            commit: None,
            number: None,
            names: None,
            content: None,
            reason: Some("flip".into()),
            places: Vec::new(),
            epoch: None,
        };
        line.text() + "\n"
    }

    #[test]
    fn a_torn_line_and_one_of_a_newer_version_are_counted_and_not_guessed() {
        let torn = line("ready", "web1", Phase::Ok);
        let text = [&line("drain", "web1", Phase::Ok), "{\"v\":2,\"run\":\"x\"}\n", &torn[..40]].concat();
        let book = Book::read(&text);
        assert_eq!((book.lines.len(), book.unread), (1, 2));
    }

    #[test]
    fn a_line_that_was_torn_anywhere_costs_itself_alone() {
        let [torn, next] = [line("ready", "web1", Phase::Ok), line("drain", "web2", Phase::Ok)];
        for at in 1..torn.len() - 1 {
            let book = Book::read(&[&torn[..at], &next].concat());
            let hosts: Vec<_> = book.lines.iter().filter_map(|line| line.host.as_deref()).collect();
            assert_eq!((hosts, book.unread), (vec!["web2"], 1), "{}", &torn[..at]);
        }
    }

    #[test]
    fn no_word_of_a_line_moves_or_hides_text_and_a_mark_keeps_its_name() {
        let told = |effect: &str| {
            let mut line: LedgerLine = serde_json::from_str(&line(effect, "web1", Phase::Ok)).expect("a line");
            line.reason = Some("a\nb".into());
            line.on_behalf_of = Some("\u{202e}".into());
            (line.who, line.from) = ("anna\nerror: forged".into(), "\x1b[2J".into());
            (line.run, line.host) = ("r\r".into(), Some("web\t1".into()));
            Book::read(&line.text()).lines.remove(0)
        };
        let LedgerLine { who, from, run, host, reason, on_behalf_of, .. } = told("drain");
        let words = [&who, &from, &*run, &*host.expect("one"), &reason.expect("one"), &on_behalf_of.expect("one")];
        assert!(!words.join("").contains(crate::control::hidden), "{words:?}");
        assert_eq!(told("mark").reason.as_deref(), Some("a\nb"));
    }

    #[test]
    fn a_commit_is_called_by_its_tag_or_version_before_the_branch_that_was_typed() {
        let told = |commit: &str, typed: &str, names: &[&str]| {
            let line = serde_json::json!({ "v": 1, "run": "r", "seq": 1, "at": "", "who": "anna", "from": "mac",
                "effect": "release", "phase": "ok", "commit": commit, "reason": typed, "names": names });
            line.to_string() + "\n"
        };
        let text = [
            told("aaaa1", "v3.0.1", &["latest", "v3.0.1"]),
            told("aaaa2", "main", &["latest", "v3.0.2"]),
            told("aaaa3", "main", &[]),
            told("aaaa4", "aaaa", &["nightly"]),
            told("aaaa5", "aaaa5", &[]),
            told("aaaa3", "hotfix", &[]),
            told("aaaa6", &"b".repeat(40), &[&"b".repeat(40), "shop-v1.0.0"]),
            told("aaaa7", "bbbbbbb", &[&"b".repeat(40)]),
        ]
        .concat();
        let book = Book::read(&text);
        let called: Vec<_> = book.called().into_iter().collect();
        assert_eq!(
            called,
            [
                ("aaaa1", "v3.0.1"),
                ("aaaa2", "v3.0.2"),
                ("aaaa3", "hotfix"),
                ("aaaa4", "nightly"),
                ("aaaa6", "shop-v1.0.0")
            ]
        );
    }

    #[test]
    fn the_last_drain_or_ready_that_did_not_fail_tells_who_took_a_host_out() {
        let text = [
            line("drain", "web1", Phase::Intent),
            line("drain", "web1", Phase::Ok),
            line("activate", "web1", Phase::Ok),
            line("ready", "web1", Phase::Intent),
            line("ready", "web2", Phase::Intent),
            line("ready", "web1", Phase::Failed),
            line("drain", "web4", Phase::Ok),
            line("ready", "web4", Phase::Intent),
        ]
        .concat();
        let book = Book::read(&text);
        assert_eq!(book.last_admin("web1").map(|l| &*l.effect), Some("drain"));
        assert_eq!(book.last_admin("web3"), None);
        // rfab can't tell whether it was done.
        assert_eq!(book.last_admin("web4").map(|l| (&*l.effect, l.phase)), Some(("ready", Phase::Intent)));
    }
}
