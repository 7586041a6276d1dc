//! Completes a host's own ledger when a resumed run finds a change done.
use super::ReadBook;
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    host::Name,
    ledger::line,
    model::{Model, Predicted},
    port::Job,
};
use serde::Serialize;
use std::time::Duration;

/// Records that a change of this run is done on a host, where the ledger says only that it began.
///
/// The attempt that made the change died before it could record the end.
#[derive(Clone, Debug, Serialize)]
pub struct ConcludeOnHost {
    pub of: ReadBook,
    pub run: Name,
    /// The change's word in the ledger.
    pub word: String,
}

impl Effect for ConcludeOnHost {
    type Outcome = ();
    const NAME: &'static str = "conclude_on_host";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.of.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.of.host.fleet }
    }

    fn describe(&self) -> String {
        format!("record that {} is done", self.word)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let book = self.of.whole(&at).await?;
        let host = &self.of.host;
        let Some(concluded) = book.concluded(&self.run, &self.word, &host.name) else { return Ok(()) };
        let text = r#"[ -f "$file" ] && [ ! -L "$file" ] || exit 3
printf '%s\n' "$line" >> "$file" && sync "$file""#;
        let line = concluded.text().replace(line::AT, &line::now());
        let values = vec![("file".into(), self.of.file()), ("line".into(), line)];
        let command = Command::line(text, values).expect("a good line");
        let within = Some(Duration::from_secs(20));
        let job = Job { user: self.of.home.user.clone(), timeout: within, ..Job::new(&command) };
        let ended = at.real.site(&host.fleet).transport.run(host, job).await?;
        if ended.status == 0 {
            return Ok(());
        }
        let message = "its ledger can't be written";
        Err(Failure::failed(message).on(&host.name))
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let book = self.of.on_model(model)?;
        if let Some(line) = book.concluded(&self.run, &self.word, &self.of.host.name) {
            let line = model.dated(&line.text());
            model.machine(&self.of.host)?.ledger.push(line);
        }
        Ok(())
    }
}
