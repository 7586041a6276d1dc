//! The closing table.
use super::{Palette, filter::visible, words::count};
use crate::{
    duration,
    event::{HostRow, Outcome, PoolState},
};
use unicode_width::UnicodeWidthStr;

/// In a table with more hosts, those that are well and alike share a row.
const MANY: usize = 60;

/// Returns the table, with a line of counts; empty without hosts. It has no columns for releases if it knows none.
pub fn table(rows: &[HostRow], palette: Palette) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let alike = if rows.len() > MANY { alike(rows) } else { rows.iter().map(|row| (row, 0)).collect() };
    let mut cells: Vec<[String; 6]> = vec![["host", "old", "new", "balancer", "result", ""].map(str::to_owned)];
    for (row, more) in &alike {
        let note = row.note.as_ref().map(|n| visible(n.lines().next().unwrap_or_default(), false)).unwrap_or_default();
        let new = if row.new == row.old { "same".to_owned() } else { release(&row.new, &row.new_name) };
        let new = if row.old.is_none() && row.new.is_none() { "-".to_owned() } else { new };
        let host = visible(&row.host, false);
        cells.push([
            if *more > 0 { format!("{host} and {more} more") } else { host },
            release(&row.old, &row.old_name),
            new,
            standing(row.balancer).to_owned(),
            outcome(row.result).to_owned(),
            note,
        ]);
    }
    let released = rows.iter().any(|row| row.old.is_some() || row.new.is_some());
    let shown = |column: &usize| released || !matches!(column, 1 | 2);
    let widths: Vec<usize> = (0..5).map(|i| cells.iter().map(|c| c[i].width()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (i, row) in cells.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate().filter(|(column, _)| shown(column)) {
            let pad = widths.get(column).map_or(0, |w| w - cell.width());
            let painted = match (i, column) {
                (0, _) => palette.faint(cell),
                (_, 0) => palette.host(cell),
                (n, 4) => result(alike[n - 1].0.result, cell, palette),
                (n, 3) => stand(alike[n - 1].0.balancer, cell, palette),
                _ => cell.clone(),
            };
            line += &painted;
            line += &" ".repeat(pad + 2);
        }
        text += line.trim_end();
        text.push('\n');
    }
    text += &format!("{}\n", summary(rows));
    text
}

/// Returns the first of the rows that tell the same, each with the number of the others. A row stands alone if its host
/// failed, if it isn't live in a balancer that it belongs to, or if it has a note.
fn alike(rows: &[HostRow]) -> Vec<(&HostRow, usize)> {
    let mut found: Vec<(&HostRow, usize)> = Vec::new();
    for row in rows {
        let stands = matches!(row.balancer, PoolState::Live | PoolState::None);
        let plain = stands && row.note.is_none() && !matches!(row.result, Outcome::Failed | Outcome::Unknown);
        let same = |(other, _): &&mut (&HostRow, usize)| {
            (&other.old, &other.new, &other.note) == (&row.old, &row.new, &row.note)
                && (other.balancer, other.result) == (row.balancer, row.result)
        };
        match found.iter_mut().find(|found| plain && same(found)) {
            Some((_, more)) => *more += 1,
            None => found.push((row, 0)),
        }
    }
    found
}

/// Returns a release as people call it, followed by its number and commit.
pub(super) fn release(release: &Option<String>, name: &Option<String>) -> String {
    let release = visible(release.as_deref().unwrap_or("-"), false);
    name.as_ref().map_or(release.clone(), |name| format!("{} ({release})", visible(name, false)))
}

pub(super) fn summary(rows: &[HostRow]) -> String {
    let of = |wanted: Outcome| rows.iter().filter(|r| r.result == wanted).count();
    let all = [Outcome::Ok, Outcome::Unchanged, Outcome::Failed, Outcome::Unknown, Outcome::Untouched];
    let parts: Vec<String> =
        all.iter().filter(|o| of(**o) > 0).map(|o| format!("{} {}", of(*o), outcome(*o))).collect();
    let out = rows.iter().filter(|r| matches!(r.balancer, PoolState::Out | PoolState::Mixed)).count();
    let out = if out > 0 { format!("; {out} out of the balancer") } else { String::new() };
    let looked = rows.iter().filter(|r| r.result == Outcome::Ok).filter_map(|r| r.looked).min();
    let looked = looked.map(|after| format!("; still serving {} after they were put back", duration::took(after)));
    format!("{}: {}{out}{}", count(rows.len(), "host"), parts.join(", "), looked.unwrap_or_default())
}

pub(super) fn standing(standing: PoolState) -> &'static str {
    match standing {
        PoolState::Live => "live",
        PoolState::Out => "out",
        PoolState::Mixed => "half out",
        PoolState::None => "-",
        PoolState::Unknown => "unknown",
    }
}

pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "failed",
        Outcome::Unchanged => "unchanged",
        Outcome::Untouched => "untouched",
        Outcome::Unknown => "unknown",
    }
}

fn result(outcome: Outcome, text: &str, palette: Palette) -> String {
    match outcome {
        Outcome::Ok => palette.good(text),
        Outcome::Failed | Outcome::Unknown => palette.bad(text),
        Outcome::Unchanged | Outcome::Untouched => text.to_owned(),
    }
}

fn stand(standing: PoolState, text: &str, palette: Palette) -> String {
    match standing {
        PoolState::Live => palette.good(text),
        PoolState::Out | PoolState::Mixed => palette.warn(text),
        PoolState::Unknown => palette.bad(text),
        PoolState::None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned_and_counts() {
        let row = |host: &str, new: Option<&str>, balancer, result, note: Option<&str>| HostRow {
            host: host.into(),
            old: Some("0002-9ab0c1d2e3f4".into()),
            new: new.map(str::to_owned),
            balancer,
            result,
            note: note.map(str::to_owned),
            looked: None,
            old_name: None,
            new_name: None,
        };
        let rows = [
            row("web1", Some("0003-c771aaaaaaaa"), PoolState::Live, Outcome::Ok, None),
            row("web10", Some("0003-c771aaaaaaaa"), PoolState::Out, Outcome::Failed, Some("doesn't become healthy\nx")),
            row("jobs1", Some("0002-9ab0c1d2e3f4"), PoolState::None, Outcome::Untouched, None),
        ];
        assert_eq!(
            table(&rows, Palette { color: false }),
            "\
host   old                new                balancer  result
web1   0002-9ab0c1d2e3f4  0003-c771aaaaaaaa  live      ok
web10  0002-9ab0c1d2e3f4  0003-c771aaaaaaaa  out       failed     doesn't become healthy
jobs1  0002-9ab0c1d2e3f4  same               -         untouched
3 hosts: 1 ok, 1 failed, 1 untouched; 1 out of the balancer
"
        );
    }

    #[test]
    fn among_many_hosts_those_that_are_well_and_alike_share_a_row() {
        let row = |number: usize, result, note: Option<&str>| HostRow {
            host: format!("web{number}").as_str().into(),
            old: Some("0002-9ab0c1d2e3f4".into()),
            new: Some(if number.is_multiple_of(2) { "0003-c771aaaaaaaa" } else { "0002-9ab0c1d2e3f4" }.into()),
            balancer: PoolState::Live,
            result,
            note: note.map(str::to_owned),
            looked: None,
            old_name: None,
            new_name: None,
        };
        let mut rows: Vec<HostRow> = (1..=1000).map(|number| row(number, Outcome::Ok, None)).collect();
        rows[499] = row(500, Outcome::Failed, Some("full"));
        rows[699] = row(700, Outcome::Failed, Some("full"));
        rows[899] = row(900, Outcome::Ok, Some("version not proven"));
        let mut stand = |numbers: &[usize], balancer| numbers.iter().for_each(|n| rows[n - 1].balancer = balancer);
        stand(&[101, 301], PoolState::Out);
        stand(&[103, 303], PoolState::Mixed);
        stand(&[105, 305], PoolState::Unknown);
        stand(&[107, 307], PoolState::None);
        assert_eq!(
            table(&rows, Palette { color: false }),
            "\
host               old                new                balancer  result
web1 and 491 more  0002-9ab0c1d2e3f4  same               live      ok
web2 and 496 more  0002-9ab0c1d2e3f4  0003-c771aaaaaaaa  live      ok
web101             0002-9ab0c1d2e3f4  same               out       ok
web103             0002-9ab0c1d2e3f4  same               half out  ok
web105             0002-9ab0c1d2e3f4  same               unknown   ok
web107 and 1 more  0002-9ab0c1d2e3f4  same               -         ok
web301             0002-9ab0c1d2e3f4  same               out       ok
web303             0002-9ab0c1d2e3f4  same               half out  ok
web305             0002-9ab0c1d2e3f4  same               unknown   ok
web500             0002-9ab0c1d2e3f4  0003-c771aaaaaaaa  live      failed  full
web700             0002-9ab0c1d2e3f4  0003-c771aaaaaaaa  live      failed  full
web900             0002-9ab0c1d2e3f4  0003-c771aaaaaaaa  live      ok      version not proven
1000 hosts: 998 ok, 2 failed; 4 out of the balancer
"
        );
    }
}
