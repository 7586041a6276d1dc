//! The flags that say what a run may do, and how careful it is.
use crate::{
    control::hidden,
    duration,
    session::{Allowances, ConsentFlag},
    ui::Pausing,
};
use clap::{Args, builder::NonEmptyStringValueParser};
use std::ffi::OsString;

#[derive(Args)]
#[command(next_help_heading = "What is allowed")]
pub struct Allowed {
    /// Confirm changes to a guarded fleet; an unattended run needs the fleet's NAME
    #[arg(short, long, value_name = "NAME", num_args = 0..=1, require_equals = true, value_parser = NonEmptyStringValueParser::new())]
    pub yes: Option<Option<String>>,
    /// Resolve references without fetching first
    #[arg(long)]
    pub no_fetch: bool,
    /// Deploy again to hosts that already serve the commit
    #[arg(long)]
    pub force: bool,
    /// Accept healthy hosts that report no release; a host that reports another release still fails
    #[arg(long)]
    pub unproven: bool,
    /// Hash every file that a new release takes from an earlier one, and not only those that seem changed
    #[arg(long)]
    pub verify: bool,
    /// Wait for the lock while another operator holds it
    #[arg(long)]
    pub wait: bool,
    /// Wait between groups, for a TIME such as 10m or until you say yes, and continue if all is still well
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "ask", value_parser = pause)]
    pub pause: Option<Pausing>,
    /// Let POOL have fewer live servers than its minimum; repeatable
    #[arg(long, value_name = "POOL", value_parser = NonEmptyStringValueParser::new())]
    pub allow_outage: Vec<String>,
    /// Deploy without POOL's balancer: drain nothing, and switch hosts that may be taking requests; repeatable
    #[arg(long, value_name = "POOL", value_parser = NonEmptyStringValueParser::new())]
    pub without_balancer: Vec<String>,
    /// Deploy without asking the fleet's gate, for this REASON, which rfab shows and records
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub without_gate: Option<String>,
}

impl From<Allowed> for Allowances {
    fn from(flags: Allowed) -> Allowances {
        let yes = match flags.yes {
            None => ConsentFlag::Unsaid,
            Some(None) => ConsentFlag::Unnamed,
            Some(Some(name)) => ConsentFlag::Fleet(name),
        };
        Allowances {
            yes,
            wait: flags.wait,
            force: flags.force,
            unproven: flags.unproven,
            verify: flags.verify,
            // `--resume` has a flag for it.
            force_changed: false,
            pause: flags.pause,
            allow_outage: flags.allow_outage,
            without_balancer: flags.without_balancer,
            without_gate: flags.without_gate,
        }
    }
}

/// Joins `--pause` with a time after it, as its value: no task's name begins with a digit.
pub(super) fn joined(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = Vec::new();
    for arg in args {
        let time = arg.to_str().is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()));
        match all.last_mut().filter(|last| time && *last == "--pause") {
            Some(last) => last.push(format!("={}", arg.to_string_lossy())),
            None => all.push(arg),
        }
    }
    all
}

/// Reads a reason, which stands in a line of the ledger.
fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason has at least one character".to_owned()),
        text if text.chars().any(hidden) => Err("it has an invisible character".to_owned()),
        text if text.chars().count() > 200 => Err("a reason has at most 200 characters".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn pause(text: &str) -> Result<Pausing, String> {
    let time = || duration::read(text).filter(|time| !time.is_zero()).map(|time| Pausing::For(time.as_millis() as u64));
    let pausing = if text == "ask" { Some(Pausing::Ask) } else { time() };
    pausing.ok_or_else(|| "it is neither a time such as `10m` nor `ask`".to_owned())
}
