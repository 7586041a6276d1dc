//! The names of the releases that a run sees, so that it can report them by name.
use crate::{
    bookkeeping::{CalledCommit, Calling, Consult, GoodByHost, Summary},
    event::HostRow,
    ledger::{Book, called},
    model::Commit,
};
use std::{any::Any, collections::BTreeMap, sync::Mutex};

/// The number of commit digits in the name of a release's folder.
const SHORT: usize = 12;

/// The name of each commit.
#[derive(Debug, Default)]
pub struct CommitNames(Mutex<BTreeMap<String, String>>);

impl CommitNames {
    /// Learns a commit's name; the commit's own digits don't count as a name.
    pub fn learn(&self, commit: &str, name: &str) {
        if let Some(short) = commit.get(..SHORT).filter(|_| !commit.starts_with(name)) {
            self.0.lock().unwrap().insert(short.to_owned(), name.to_owned());
        }
    }

    /// Learns the names in an answer about a fleet's ledger; names that the run itself learned stay.
    pub fn read(&self, effect: &dyn Any, answer: &dyn Any) {
        if let Some(book) = answer.downcast_ref::<Book>() {
            book.called().into_iter().for_each(|(commit, name)| self.hear(commit, name));
        }
        if let Some(summary) = answer.downcast_ref::<Summary>() {
            summary.names.iter().for_each(|(commit, name)| self.hear(commit, name));
        }
        if let Some(good) = answer.downcast_ref::<GoodByHost>() {
            let of = |one: &CalledCommit| {
                Some((one.commit.clone(), called(&one.commit, one.name.as_deref(), &one.names)?.to_owned()))
            };
            good.commits.iter().filter_map(of).for_each(|(commit, name)| self.hear(&commit, &name));
        }
        if effect.is::<Consult<Calling>>()
            && let Some(names) = answer.downcast_ref::<BTreeMap<Commit, String>>()
        {
            names.iter().for_each(|(commit, name)| self.hear(commit, name));
        }
    }

    fn hear(&self, commit: &str, name: &str) {
        if let Some(short) = commit.get(..SHORT) {
            self.0.lock().unwrap().entry(short.to_owned()).or_insert_with(|| name.to_owned());
        }
    }

    /// Learns the names in a run's closing table.
    pub fn in_table(rows: &[HostRow]) -> Self {
        let names = Self::default();
        let of = |row: &HostRow| [(row.old.clone(), row.old_name.clone()), (row.new.clone(), row.new_name.clone())];
        for (release, name) in rows.iter().flat_map(of) {
            if let (Some((_, short)), Some(name)) = (release.as_deref().and_then(|r| r.split_once('-')), name) {
                names.learn(short, &name);
            }
        }
        names
    }

    /// Returns the name of a commit.
    pub fn of(&self, commit: &str) -> Option<String> {
        self.0.lock().unwrap().get(commit.get(..SHORT)?).cloned()
    }

    /// Adds to each release in a text, such as `0002-c771e21f0a9b`, its name: `v3.0.1 (0002-c771e21f0a9b)`.
    ///
    /// A folder's path stays unchanged.
    pub fn told(&self, text: &str) -> String {
        let names = self.0.lock().unwrap();
        if names.is_empty() || !text.contains('-') {
            return text.to_owned();
        }
        let words = text.split(' ').map(|word| match release(word).and_then(|short| names.get(short)) {
            Some(name) => format!("{name} ({word})"),
            None => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Returns the digits of the commit in a release's name.
fn release(word: &str) -> Option<&str> {
    let (number, short) = word.split_once('-')?;
    let digits = number.len() >= 4 && number.bytes().all(|b| b.is_ascii_digit());
    (digits && short.len() == SHORT && short.bytes().all(|b| b.is_ascii_hexdigit())).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_told_by_its_name_and_a_path_or_a_stranger_is_left() {
        let names = CommitNames::default();
        let text = "stage 0002-c771e21f0a9b";
        assert_eq!(names.told(text), text);
        names.learn("c771e21f0a9bc771e21f0a9bc771e21f0a9bc771", "v3.0.1");
        names.learn("9ab0c1d2e3f49ab0c1d2e3f49ab0c1d2e3f49ab0", "9ab0c1d2e3f4");
        for (text, told) in [
            (text, "stage v3.0.1 (0002-c771e21f0a9b)"),
            ("0002-c771e21f0a9b now", "v3.0.1 (0002-c771e21f0a9b) now"),
            ("run `x` in /srv/shop/releases/0002-c771e21f0a9b", "run `x` in /srv/shop/releases/0002-c771e21f0a9b"),
            ("activate 0001-9ab0c1d2e3f4", "activate 0001-9ab0c1d2e3f4"),
            ("activate 0003-000000000000", "activate 0003-000000000000"),
            ("2026-11-24 x-c771e21f0a9b 02-c771e21f0a9b", "2026-11-24 x-c771e21f0a9b 02-c771e21f0a9b"),
        ] {
            assert_eq!(names.told(text), told);
        }
    }
}
