//! One live line, cut to fit.
use super::progress::EffectProgress;
use crate::{
    duration::running,
    model::Time,
    report::{
        Palette,
        words::{bytes, bytes_of, count},
    },
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What is known about one host at a moment.
pub(super) struct LiveLine<'a> {
    pub host: Option<String>,
    pub text: String,
    /// Whether the text tells what failed.
    pub bad: bool,
    pub took: Time,
    pub progress: Option<&'a EffectProgress>,
    pub now: Time,
}

/// How many columns of a text are enough to understand it.
const ENOUGH: usize = 20;

impl LiveLine<'_> {
    pub(super) fn host_width(&self) -> usize {
        self.host.as_ref().map_or(0, |host| host.width())
    }

    /// Returns the line, with `names` columns for the host's name; the progress is shortened first, then the text.
    pub(super) fn fitted(&self, width: usize, names: usize, palette: Palette) -> String {
        let mut took = if self.took >= 1_000 { running(self.took) } else { String::new() };
        let host = self.host.as_ref().map(|host| cut(host, names));
        let before = host.as_ref().map_or(0, |_| names + 2);
        let beside = |progress: &str, took: &str| {
            let behind: usize = [progress, took].iter().filter(|t| !t.is_empty()).map(|t| t.width() + 2).sum();
            width.saturating_sub(before + behind)
        };
        let mut progress = self.progress.map(|p| long(p, self.now)).unwrap_or_default();
        if beside(&progress, &took) < ENOUGH.min(self.text.width()) {
            progress = self.progress.map(short).unwrap_or_default();
        }
        if beside(&progress, &took) == 0 {
            took.clear();
        }
        if beside(&progress, &took) == 0 {
            progress.clear();
        }
        let mut line = match host {
            Some(host) => format!("{}{}", palette.host(&host), " ".repeat(names - host.width() + 2)),
            None => String::new(),
        };
        let text = cut(&self.text, beside(&progress, &took));
        line += &if self.bad { palette.bad(&text) } else { text };
        if !progress.is_empty() {
            line += &format!("  {progress}");
        }
        if !took.is_empty() {
            line += &format!("  {}", palette.faint(&took));
        }
        line
    }
}

fn long(progress: &EffectProgress, now: Time) -> String {
    let EffectProgress { done, total, unit, what, .. } = progress;
    match *unit {
        "bytes" if done == total => format!("{} {what}", bytes(*total)),
        "bytes" => {
            let is_known = *total > 0;
            let amount = if is_known { bytes_of(*done, *total) } else { bytes(*done) };
            let mut text = format!("{amount} {what}");
            if let Some(rate) = progress.rate(now) {
                text += &format!("  {}/s", bytes(rate));
                if is_known && let Some(left) = (total - done.min(total)).checked_div(rate) {
                    text += &format!("  {} left", running(left * 1_000 + 999));
                }
            }
            text
        }
        "seconds" => format!("{} left", running(total.saturating_sub(*done) * 1_000)),
        "requests" => format!("{} still open", count(total.saturating_sub(*done) as usize, "request")),
        _ => format!("{done} of {total} {what}"),
    }
}

fn short(progress: &EffectProgress) -> String {
    let EffectProgress { done, total, unit, .. } = progress;
    match *unit {
        "bytes" if *total == 0 => bytes(*done),
        "bytes" => format!("{}%", (done * 100).checked_div(*total).unwrap_or(100)),
        "seconds" => running(total.saturating_sub(*done) * 1_000),
        "requests" => format!("{} open", total.saturating_sub(*done)),
        _ => format!("{done}/{total}"),
    }
}

/// Cuts a text to `width` columns; a cut text ends with `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut shown, mut columns) = (String::new(), 1);
    for c in text.chars() {
        columns += c.width().unwrap_or(0);
        if columns > width {
            break;
        }
        shown.push(c);
    }
    if width > 0 {
        shown.push('…');
    }
    shown
}
