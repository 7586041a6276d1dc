//! What a script wants to know from a fleet's ledger. A run's journal keeps only the answer, not the ledger.
use super::ReadLedger;
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Name,
    ledger::{Book, LedgerLine, OnceBegun, Phase, switch},
    model::{Commit, Model, Predicted},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Arc};

/// A question that one ledger answers.
pub trait Question: Serialize + Send + Sync + 'static {
    type Answer: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    const NAME: &'static str;

    /// Returns what the question looks for, for people.
    fn text(&self) -> String;

    fn answer(&self, book: &Book) -> Self::Answer;
}

/// Asks the ledger of a fleet a question.
#[derive(Serialize)]
pub struct Consult<Q> {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    #[serde(flatten)]
    pub question: Q,
}

impl<Q: Question> Read for Consult<Q> {
    type Outcome = Q::Answer;
    const NAME: &'static str = Q::NAME;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("read the ledger of {}: {}", self.fleet.name, self.question.text())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Q::Answer, Failure> {
        let book = Effect::carry_out(&ReadLedger { fleet: self.fleet.clone() }, at).await?;
        Ok(self.question.answer(&book))
    }

    fn predict(&self, model: &mut Model) -> Predicted<Q::Answer> {
        let book = Effect::predict(&ReadLedger { fleet: self.fleet.clone() }, model)?;
        Ok(self.question.answer(&book))
    }
}

/// Asks whether hosts are live or out, and how the runs that moved them ended; about all hosts if none are named.
#[derive(Clone, Serialize)]
pub struct HostPoolStates {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<Name>>,
}

impl Question for HostPoolStates {
    type Answer = Book;
    const NAME: &'static str = "read_standing";

    fn text(&self) -> String {
        "who took out whom".to_owned()
    }

    fn answer(&self, book: &Book) -> Book {
        book.standing(self.hosts.as_deref())
    }
}

/// Asks what is under way when a commit is to be released, and whether the commit was rolled back.
#[derive(Clone, Serialize)]
pub struct Releasing {
    pub commit: Commit,
}

impl Question for Releasing {
    type Answer = Book;
    const NAME: &'static str = "read_releasing";

    fn text(&self) -> String {
        "which release is in progress".to_owned()
    }

    fn answer(&self, book: &Book) -> Book {
        book.releasing(&self.commit)
    }
}

/// Asks for the number that the fleet gave a commit.
#[derive(Clone, Serialize)]
pub struct NumberOf {
    pub commit: Commit,
}

impl Question for NumberOf {
    type Answer = Option<u32>;
    const NAME: &'static str = "read_number";

    fn text(&self) -> String {
        format!("the number of {}", &self.commit[..self.commit.len().min(12)])
    }

    fn answer(&self, book: &Book) -> Option<u32> {
        book.number_of(&self.commit)
    }
}

/// Asks which commit was released with the same content.
#[derive(Clone, Serialize)]
pub struct ReleasedAs {
    pub content: String,
}

impl Question for ReleasedAs {
    type Answer = Option<CalledCommit>;
    const NAME: &'static str = "read_released";

    fn text(&self) -> String {
        "which commit was released with the same files".to_owned()
    }

    fn answer(&self, book: &Book) -> Self::Answer {
        Some(CalledCommit::of(book, book.released_as(&self.content)?.clone()))
    }
}

/// Asks whether a host's last switch was to a commit, under its number, and finished.
#[derive(Clone, Serialize)]
pub struct Switched {
    pub host: Name,
    pub commit: Commit,
    /// The number of the host's current release.
    pub number: u32,
}

impl Question for Switched {
    type Answer = bool;
    const NAME: &'static str = "read_switched";

    fn text(&self) -> String {
        format!("whether {} was switched completely", self.host)
    }

    fn answer(&self, book: &Book) -> bool {
        // A commit that was made again has another number, so the current release isn't that one.
        let other = book.number_of(&self.commit).is_some_and(|number| number != self.number);
        let last = book.last_mark(&switch(&self.host));
        !other && last.is_some_and(|l| l.phase == Phase::Ok && l.commit.as_ref() == Some(&self.commit))
    }
}

/// Asks who began something that runs once for a commit, and didn't record its end.
#[derive(Clone, Serialize)]
pub struct BegunOnce {
    pub name: String,
    pub commit: Commit,
    /// The run that asks.
    pub run: Name,
}

impl Question for BegunOnce {
    type Answer = Option<OnceBegun>;
    const NAME: &'static str = "read_begun";

    fn text(&self) -> String {
        format!("who began {} of {}", self.name, &self.commit[..self.commit.len().min(12)])
    }

    fn answer(&self, book: &Book) -> Option<OnceBegun> {
        book.begun(&self.name, &self.commit, &self.run)
    }
}

/// Asks for the commits on which each host was well.
#[derive(Clone, Serialize)]
pub struct Histories {
    pub hosts: Vec<Name>,
}

/// Commits with their names, and which of them were good on each host, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GoodByHost {
    pub commits: Vec<CalledCommit>,
    /// Indexes into `commits`.
    pub hosts: BTreeMap<Name, Vec<usize>>,
}

/// A commit and its names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalledCommit {
    pub commit: Commit,
    pub name: Option<String>,
    pub names: Vec<String>,
    /// A digest of what its release is made from, if the app is a folder of its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl CalledCommit {
    /// Reads what a ledger knows of a commit.
    fn of(book: &Book, commit: Commit) -> CalledCommit {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let (name, content) = (text(book.name_of(&commit)), text(book.content_of(&commit)));
        CalledCommit { name, names: book.names_of(&commit), content, commit }
    }
}

impl Question for Histories {
    type Answer = GoodByHost;
    const NAME: &'static str = "read_histories";

    fn text(&self) -> String {
        "what was good on its hosts".to_owned()
    }

    fn answer(&self, book: &Book) -> GoodByHost {
        let mut good = GoodByHost::default();
        let mut places: BTreeMap<Commit, usize> = BTreeMap::new();
        for (host, commits) in book.goods(&self.hosts) {
            let place = |commit: Commit| {
                *places.entry(commit.clone()).or_insert_with(|| {
                    good.commits.push(CalledCommit::of(book, commit));
                    good.commits.len() - 1
                })
            };
            good.hosts.insert(host, commits.into_iter().map(place).collect());
        }
        good
    }
}

/// Asks for the names of commits, of which at least the first 12 digits are known.
#[derive(Clone, Serialize)]
pub struct Calling {
    pub commits: Vec<Commit>,
}

impl Question for Calling {
    type Answer = BTreeMap<Commit, String>;
    const NAME: &'static str = "read_release_names";

    fn text(&self) -> String {
        "what releases are called".to_owned()
    }

    fn answer(&self, book: &Book) -> BTreeMap<Commit, String> {
        let wanted = |commit: &str| self.commits.iter().find(|wanted| commit.starts_with(&***wanted)).cloned();
        book.called().into_iter().filter_map(|(commit, name)| Some((wanted(commit)?, name.to_owned()))).collect()
    }
}

/// Asks why hosts were out when a run began.
#[derive(Clone, Serialize)]
pub struct ReasonsBefore {
    pub run: Name,
    pub hosts: Vec<Name>,
}

impl Question for ReasonsBefore {
    type Answer = BTreeMap<Name, String>;
    const NAME: &'static str = "read_reasons";

    fn text(&self) -> String {
        format!("why hosts were out before run {}", self.run)
    }

    fn answer(&self, book: &Book) -> BTreeMap<Name, String> {
        let reason = |host: &Name| Some((host.clone(), book.reason_before(&self.run, host)?.to_owned()));
        self.hosts.iter().filter_map(reason).collect()
    }
}

/// Asks for what a person wants to know about a fleet.
#[derive(Clone, Serialize)]
pub struct Summed {
    pub hosts: Vec<Name>,
}

/// The answer to [`Summed`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The names of the commits that were deployed last.
    pub names: BTreeMap<Commit, String>,
    /// The last drain of each host that wasn't put back.
    pub out: BTreeMap<Name, LedgerLine>,
    /// What began and has no known end.
    pub open: Vec<LedgerLine>,
    /// Runs that began and haven't ended.
    pub runs: Vec<LedgerLine>,
    pub unread: usize,
}

/// The most commits to return names for.
const NAMES: usize = 2_000;

impl Question for Summed {
    type Answer = Summary;
    const NAME: &'static str = "read_summary";

    fn text(&self) -> String {
        "its state".to_owned()
    }

    fn answer(&self, book: &Book) -> Summary {
        let mut names = BTreeMap::new();
        for line in book.lines.iter().rev().filter(|line| line.effect == "release") {
            if let (Some(commit), Some(name)) = (&line.commit, Book::called_in(line)) {
                names.entry(commit.clone()).or_insert_with(|| name.to_owned());
            }
            if names.len() == NAMES {
                break;
            }
        }
        let drained = |host: &Name| {
            let line = book.last_admin(host).filter(|line| line.effect == "drain");
            line.map(|line| (host.clone(), line.clone()))
        };
        Summary {
            names,
            out: self.hosts.iter().filter_map(drained).collect(),
            open: book.unfinished().into_iter().cloned().collect(),
            runs: book.unfinished_runs().into_iter().cloned().collect(),
            unread: book.unread,
        }
    }
}
