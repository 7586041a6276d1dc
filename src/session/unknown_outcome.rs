//! Decides about a command if rfab can't tell whether it was done.
use super::InnerLayers;
use crate::{
    effect::{AnyEffect, AnyOutcome, Call},
    event::EventKind,
    failure::Failure,
    ui::Prompt,
};

/// Who decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknownOutcome {
    /// The person, if there is one.
    #[default]
    Ask,
    /// `--retry`: the command runs again.
    Retry,
    /// `--skip`: the command counts as done.
    Skip,
}

/// Why there is a doubt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DoubtReason {
    /// The command was in progress when an attempt ended.
    Unknown,
    /// The command was done, after a failure that is being retried.
    DoneBefore,
    /// The command was done, and its outcome isn't kept, because it contained a secret.
    Masked,
}

impl DoubtReason {
    fn is(self) -> &'static str {
        match self {
            DoubtReason::Unknown => "rfab can't tell whether it was done",
            DoubtReason::Masked => "it was done, and what it printed isn't kept, because it contained a secret",
            DoubtReason::DoneBefore => "an earlier attempt did it after the step that rfab now retries had failed",
        }
    }

    fn says(self) -> &'static str {
        match self {
            DoubtReason::Unknown => "rfab can't tell whether this was done",
            DoubtReason::Masked => "this was done, and what it printed isn't kept, because it contained a secret",
            DoubtReason::DoneBefore => "an earlier attempt did this after the step that rfab now retries had failed",
        }
    }
}

impl OnUnknownOutcome {
    /// Returns the assumed outcome if the command counts as done; none if it runs again.
    ///
    /// `Unknown` when nobody decides.
    pub fn decide(
        self,
        why: DoubtReason,
        call: Call<'_>,
        rest: InnerLayers<'_>,
    ) -> Result<Option<Box<dyn AnyOutcome>>, Failure> {
        let effect = call.effect;
        let again = match self {
            OnUnknownOutcome::Retry => true,
            OnUnknownOutcome::Skip => false,
            OnUnknownOutcome::Ask => asked(why, call, rest)?,
        };
        let text = if again {
            format!("done again, as {}: {}", why.is(), effect.describe())
        } else {
            format!("counted as done, as {}: {}", why.is(), effect.describe())
        };
        call.lane.tell(EventKind::Warned { host: effect.subject().host().cloned(), text });
        if again {
            return Ok(None);
        }
        let unskippable = || {
            let message = format!("rfab can't skip it, because the run needs its result: {}", effect.describe());
            Failure::unknown(message).help("check it yourself, then resume with `--retry`, or type the line again")
        };
        effect.assumed().map(Some).ok_or_else(unskippable)
    }
}

fn asked(why: DoubtReason, call: Call<'_>, rest: InnerLayers<'_>) -> Result<bool, Failure> {
    let effect = call.effect;
    let on = effect.subject().host().map(|host| format!(" on {host}")).unwrap_or_default();
    let question = format!(
        "{}{on}: {}\nCheck there. Type `done` if it was done, `again` to do it again, or `stop`:",
        why.says(),
        effect.describe()
    );
    let answer = rest.ask(&call).hold(Prompt { question }).map_err(|_| nobody_knows(why, effect))?;
    match answer.trim() {
        "done" => Ok(false),
        "again" => Ok(true),
        _ => Err(nobody_knows(why, effect)),
    }
}

fn nobody_knows(why: DoubtReason, effect: &dyn AnyEffect) -> Failure {
    Failure::unknown(format!("{}: {}", why.says(), effect.describe()))
        .help("check the host; then resume with `--retry` to do it again, or with `--skip` if it's done")
}
