//! The demo, shown as the flags ask.
use super::request::{Color, Detail, Request};
use crate::{
    demo,
    failure::{Exit, Failure},
    report::{self, Palette},
};

/// Shows the five commands of a hotfix's day on an embedded fleet.
///
/// The flags for output and the transport apply to each command; with `--json`, stdout has only their events.
pub(super) fn run(request: &Request, palette: Palette) -> Result<Exit, Failure> {
    let color = match request.color {
        Color::Auto => None,
        Color::Always => Some("--color=always"),
        Color::Never => Some("--color=never"),
    };
    let detail = match request.detail {
        Detail::Quiet => Some("--quiet"),
        Detail::Normal => None,
        Detail::Verbose => Some("--verbose"),
    };
    let flags = [color, detail, request.json.then_some("--json")].into_iter().flatten().map(str::to_owned);
    let flags = flags.chain(request.transport.map(|kind| format!("--transport={}", kind.word()))).collect();
    let tell: &dyn Fn(&str) = if request.json { &report::complain } else { &report::say };
    demo::run(demo::DemoStyle { tell, palette, flags })
}
