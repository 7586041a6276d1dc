//! The commits that were good on a host.
use super::{Book, LedgerLine, Phase};
use crate::host::Name;
use std::collections::BTreeMap;

/// Returns the mark's name for the switches of a host.
pub fn switch(host: &str) -> String {
    format!("switch {host}")
}

/// Returns the mark's name for commits that didn't become healthy on a host.
pub fn bad(host: &str) -> String {
    format!("bad on {host}")
}

/// The mark's name for commits that were rolled back.
pub const WITHDRAWN: &str = "rolled back";

/// Returns the host in a mark's name, if it has one.
pub fn of_host(name: &str) -> Option<&str> {
    name.strip_prefix("switch ").or_else(|| name.strip_prefix("bad on "))
}

/// Returns whether a mark's name stands for a bad commit on a host.
pub fn is_bad(name: &str) -> bool {
    name.starts_with("bad on ")
}

/// Returns whether rfab uses a mark's name itself, so that a script can't.
pub fn reserved(name: &str) -> bool {
    of_host(name).is_some() || name == WITHDRAWN
}

/// The most good commits that are kept for a host.
const BACK: usize = 20;

/// The good commits of a host so far, each with a value from its line.
pub(super) struct GoodCommits<'a, T>(Vec<(&'a Name, T)>);

impl<T> Default for GoodCommits<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T> GoodCommits<'a, T> {
    /// Applies the next mark of the host.
    pub(super) fn take(&mut self, line: &'a LedgerLine, commit: &'a Name, kept: T) {
        let known = self.0.iter().position(|(c, _)| *c == commit);
        let is_bad = line.reason.as_deref().is_some_and(is_bad);
        match known {
            Some(at) => self.0.truncate(if is_bad { at } else { at + 1 }),
            None if !is_bad && line.phase == Phase::Ok => self.0.push((commit, kept)),
            None => {}
        }
        let over = self.0.len().saturating_sub(BACK);
        self.0.drain(..over);
    }

    pub(super) fn places(&self) -> impl Iterator<Item = T>
    where
        T: Copy,
    {
        self.0.iter().map(|(_, kept)| *kept)
    }
}

impl Book {
    /// Lists the commits that a host was switched to and was healthy with, oldest first.
    ///
    /// A switch back to one of them drops the later ones as soon as it begins, because a host doesn't return to what it
    /// left. A commit that wasn't healthy at its last try is dropped too.
    pub fn good(&self, host: &str) -> Vec<Name> {
        let mut goods = GoodCommits::default();
        for line in self.lines.iter().filter(|line| line.effect == "mark") {
            let (Some(name), Some(commit)) = (&line.reason, &line.commit) else { continue };
            if of_host(name) == Some(host) {
                goods.take(line, commit, ());
            }
        }
        goods.0.into_iter().map(|(commit, ())| commit.clone()).collect()
    }

    /// Returns the last two of them, which the host can return to no matter how many bad ones followed.
    pub fn spared(&self, host: &str) -> Vec<Name> {
        let mut good = self.good(host);
        good.split_off(good.len().saturating_sub(2))
    }

    /// Lists the good commits of several hosts in one pass.
    pub fn goods(&self, hosts: &[Name]) -> BTreeMap<Name, Vec<Name>> {
        let mut all: BTreeMap<&str, GoodCommits<()>> =
            hosts.iter().map(|host| (&**host, GoodCommits::default())).collect();
        for line in self.lines.iter().filter(|line| line.effect == "mark") {
            let (Some(name), Some(commit)) = (&line.reason, &line.commit) else { continue };
            if let Some(goods) = of_host(name).and_then(|host| all.get_mut(host)) {
                goods.take(line, commit, ());
            }
        }
        let commits = |goods: GoodCommits<()>| goods.0.into_iter().map(|(commit, ())| commit.clone()).collect();
        all.into_iter().map(|(host, goods)| (host.into(), commits(goods))).collect()
    }

    /// Returns whether a commit wasn't healthy on a host at its last try there.
    pub fn is_bad(&self, host: &str, commit: &str) -> bool {
        let about = |l: &&LedgerLine| {
            l.effect == "mark"
                && l.commit.as_deref() == Some(commit)
                && l.reason.as_deref().and_then(of_host) == Some(host)
        };
        self.lines.iter().rev().find(about).and_then(|line| line.reason.as_deref()).is_some_and(is_bad)
    }

    /// Returns the line that rolled a commit back, unless it was deployed again.
    pub fn withdrawn(&self, commit: &str) -> Option<&LedgerLine> {
        let about = |l: &&LedgerLine| {
            l.commit.as_deref() == Some(commit)
                && (l.effect == "release" || l.effect == "mark" && l.reason.as_deref() == Some(WITHDRAWN))
        };
        self.lines.iter().rev().find(about).filter(|line| line.effect == "mark")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(effect: &str, reason: &str, commit: &str, phase: Phase) -> LedgerLine {
        LedgerLine {
            v: 1,
            run: "r".into(),
            seq: 0,
            at: "2026-11-23T10:00:00Z".into(),
            who: "anna".into(),
            on_behalf_of: None,
            from: "mac".into(),
            effect: effect.into(),
            host: None,
            pool: vec![],
            phase,
            commit: Some(commit.into()),
            number: None,
            names: None,
            content: None,
            reason: Some(reason.into()),
            places: Vec::new(),
            epoch: None,
        }
    }

    /// In `told`, `a` is a switch to `a` that ended well, `a?` one without an end, and `a!` one that wasn't healthy.
    fn good(told: &str) -> String {
        let lines = told.split_whitespace().flat_map(|word| {
            let commit = &word[..1];
            let begun = line("mark", "switch web1", commit, Phase::Intent);
            let other = line("mark", "switch web10", "z", Phase::Ok);
            match &word[1..] {
                "?" => vec![begun, other],
                "!" => vec![begun, line("mark", "bad on web1", commit, Phase::Ok)],
                _ => vec![begun, line("mark", "switch web1", commit, Phase::Ok)],
            }
        });
        Book { lines: lines.collect(), unread: 0 }.good("web1").concat()
    }

    #[test]
    fn what_was_switched_to_and_proven_is_good_until_something_before_it_is_gone_back_to() {
        for (told, is) in [
            ("", ""),
            ("a b c", "abc"),
            ("a b b", "ab"),
            ("a b c b", "ab"),
            ("a b c b a", "a"),
            ("a b c b c", "abc"),
            ("a b c b d", "abd"),
            ("a b c?", "ab"),
            ("a b c!", "ab"),
            ("a b b!", "a"),
            ("a b b! c", "ac"),
            ("a b c b?", "ab"),
            ("a b c b? c", "abc"),
            ("a b c b!", "a"),
        ] {
            assert_eq!(good(told), is, "{told}");
        }
    }

    #[test]
    fn a_commit_is_bad_on_a_host_until_it_is_tried_again_there() {
        let lines = |told: &[(&str, &str)]| {
            let line = |(name, commit): &(&str, &str)| line("mark", name, commit, Phase::Ok);
            Book { lines: told.iter().map(line).collect(), unread: 0 }
        };
        let book = lines(&[("switch web1", "a"), ("bad on web1", "a"), ("switch web1", "b"), ("bad on web2", "b")]);
        assert_eq!(["a", "b"].map(|commit| book.is_bad("web1", commit)), [true, false]);
        assert!(book.is_bad("web2", "b") && !book.is_bad("web3", "a"));
        let newest = Book { lines: [vec![line("release", "v2", "b", Phase::Ok)], book.lines].concat(), unread: 0 };
        assert!(newest.releasing("a").is_bad("web2", "b") && !newest.releasing("a").is_bad("web1", "b"));
        assert!(!lines(&[("bad on web1", "a"), ("switch web1", "a")]).is_bad("web1", "a"));
    }

    #[test]
    fn what_was_rolled_back_is_so_until_somebody_deploys_it_again() {
        let lines = vec![
            line("release", "v2", "b", Phase::Ok),
            line("mark", WITHDRAWN, "b", Phase::Ok),
            line("release", "v1", "a", Phase::Ok),
        ];
        let mut book = Book { lines, unread: 0 };
        assert_eq!([book.withdrawn("b").is_some(), book.withdrawn("a").is_some()], [true, false]);
        book.lines.push(line("release", "v2", "b", Phase::Ok));
        assert_eq!(book.withdrawn("b"), None);
    }
}
