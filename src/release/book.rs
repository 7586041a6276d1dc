//! The ledger that a host keeps of its releases.
use super::Home;
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Host,
    ledger::{Book, LedgerLine},
    model::{Model, Predicted},
    port::Job,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The number of newest lines that are read.
const LINES: &str = "2000";

/// Reads a host's own ledger, as the app's user.
#[derive(Clone, Debug, Serialize)]
pub struct ReadBook {
    pub host: Host,
    pub home: Home,
}

impl ReadBook {
    /// Makes the reading for the fleet's app on a host.
    ///
    /// `Fabfile` when the fleet has no app.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        Ok(Self { host: host.clone(), home: Home::of(fleet, host)? })
    }
}

/// What a host's own ledger tells about the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostLedger {
    /// The last activation that finished.
    pub activated: Option<LedgerLine>,
    /// What began and has no known end.
    pub open: Vec<LedgerLine>,
}

impl Read for ReadBook {
    type Outcome = HostLedger;
    const NAME: &'static str = "read_book";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        "read its own ledger".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<HostLedger, Failure> {
        Ok(self.own(&self.whole(&at).await?))
    }

    fn predict(&self, model: &mut Model) -> Predicted<HostLedger> {
        Ok(self.own(&self.on_model(model)?))
    }
}

impl ReadBook {
    fn own(&self, book: &Book) -> HostLedger {
        let open = book.unfinished().into_iter().cloned().collect();
        HostLedger { activated: book.activated(&self.host.name).cloned(), open }
    }

    /// Returns the path of the ledger.
    pub fn file(&self) -> String {
        format!("{}/.rfab/ledger", self.home.path)
    }

    /// Reads the whole ledger, for another effect.
    pub async fn whole(&self, at: &At<'_>) -> Result<Book, Failure> {
        let text = r#"[ -e "$file" ] || exit 0
[ -f "$file" ] && [ ! -L "$file" ] || exit 3
tail -n "$lines" "$file""#;
        let values = vec![("file".into(), self.file()), ("lines".into(), LINES.into())];
        let command = Command::line(text, values).expect("a good line");
        let within = Some(Duration::from_secs(20));
        let job = Job { user: self.home.user.clone(), timeout: within, keep: 16 << 20, ..Job::new(&command) };
        let ended = at.real.site(&self.host.fleet).transport.run(&self.host, job).await?;
        if ended.status != 0 || ended.cut {
            let message = "its ledger can't be read";
            return Err(Failure::failed(message).on(&self.host.name));
        }
        Ok(Book::read(&String::from_utf8_lossy(&ended.out)))
    }

    /// Reads the whole ledger of the model's host.
    pub fn on_model(&self, model: &mut Model) -> Predicted<Book> {
        Ok(Book::read(&model.machine(&self.host)?.ledger.join("\n")))
    }
}
