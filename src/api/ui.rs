//! What is said to the person, and asked.
use super::HostValue;
use crate::{
    event::What,
    script::{RhaiResultOf, here},
    ui::{Confirm, Prompt},
};
use rhai::{NativeCallContext, plugin::*};

#[export_module(manifest)]
pub mod ui {
    /// Says something, under the host's name inside `each`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note("the cache is warm");
    /// ```
    #[rhai_fn(name = "note", return_raw)]
    pub fn note(ctx: NativeCallContext, text: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        for line in text.lines() {
            here.lane.tell(What::Noted { host: here.lane.host.clone(), text: line.to_owned() });
        }
        Ok(())
    }

    /// Says something under a host's name.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(host, "the cache is warm");
    /// ```
    #[rhai_fn(name = "note", return_raw)]
    pub fn note_of(ctx: NativeCallContext, host: HostValue, text: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        for line in text.lines() {
            here.lane.tell(What::Noted { host: Some(host.0.host.name.clone()), text: line.to_owned() });
        }
        Ok(())
    }

    /// Says something that a person should look at.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::warn("the disk is nearly full");
    /// ```
    #[rhai_fn(name = "warn", return_raw)]
    pub fn warn(ctx: NativeCallContext, text: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        here.lane.tell(What::Warned { host: here.lane.host.clone(), text: text.to_owned() });
        Ok(())
    }

    /// Names a command line that the run's last lines suggest to type next, instead of this one if it fails.
    ///
    /// An empty text says that there is none.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::next("prod proxy.flip");
    /// ```
    #[rhai_fn(name = "next", return_raw)]
    pub fn next(ctx: NativeCallContext, line: &str) -> RhaiResultOf<()> {
        here(&ctx)?.session.tally.next(line);
        Ok(())
    }

    /// Asks a question that is answered with yes or no; `--yes` answers yes.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !ui::confirm("Go on?") { throw "not confirmed"; }
    /// ```
    #[rhai_fn(name = "confirm", return_raw)]
    pub fn confirm(ctx: NativeCallContext, question: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let given = here.session.run.yes.is_some();
        here.perform(Confirm { question: question.to_owned(), given })
    }

    /// Asks a question that is answered with a text.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let why = ui::prompt("Why?");
    /// ```
    #[rhai_fn(name = "prompt", return_raw)]
    pub fn prompt(ctx: NativeCallContext, question: &str) -> RhaiResultOf<String> {
        here(&ctx)?.perform(Prompt { question: question.to_owned() })
    }
}
