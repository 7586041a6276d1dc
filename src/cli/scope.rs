//! The flags that say what to run, and where.
use crate::fleet::TransportKind;
use clap::{Args, builder::NonEmptyStringValueParser, value_parser};
use std::path::PathBuf;

#[derive(Args)]
#[command(next_help_heading = "What to run, and where")]
pub(super) struct Scope {
    /// Use this fabfile, not the nearest fabfile.rhai in this folder or above
    #[arg(short, long, value_name = "FILE")]
    pub fabfile: Option<PathBuf>,
    /// Set a key of the fleet file for this run; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Limit the targets to these hosts
    #[arg(long, value_name = "SELECTION", value_parser = NonEmptyStringValueParser::new())]
    pub limit: Option<String>,
    /// Exclude these hosts from the targets; repeatable
    #[arg(long, value_name = "SELECTION", value_parser = NonEmptyStringValueParser::new())]
    pub exclude: Vec<String>,
    /// Work on at most N hosts in parallel
    #[arg(short = 'P', long, value_name = "N", default_value = "32", value_parser = value_parser!(u16).range(1..))]
    pub parallel: u16,
    /// Open new connections, and close them when the run ends
    #[arg(long)]
    pub no_persist: bool,
    /// Reach the hosts with this client: openssh, or native, rfab's own
    #[arg(long, value_name = "CLIENT", value_parser = transport)]
    pub transport: Option<TransportKind>,
    /// Promise that the command after `--` only reads
    #[arg(long)]
    pub read: bool,
}

fn transport(text: &str) -> Result<TransportKind, String> {
    let known = TransportKind::ALL.into_iter().find(|kind| kind.word() == text);
    known.ok_or_else(|| "write `openssh` or `native`".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        None => Err("it has no `=`".to_owned()),
        Some((key, _)) if key.split('.').any(|part| part.trim().is_empty()) => Err(format!("`{key}` isn't a key")),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
    }
}
