//! Repeats at the end what failed hosts printed last, and names the files with the rest.
use super::{Palette, filter::visible};
use crate::{
    event::{HostRow, LogFile, Outcome},
    failure::Failure,
    host::Name,
};
use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
};

/// The most lines that are repeated for a host …
const LINES: usize = 10;
/// … the most hosts that are repeated and have their files named …
const HOSTS: usize = 5;
/// … and how many lines are still visible on the terminal.
const IN_SIGHT: usize = 20;

/// The last lines of each host, as they were shown.
#[derive(Default)]
pub(super) struct LastWords {
    /// How many lines were shown, for all hosts.
    shown: usize,
    hosts: BTreeMap<Name, VecDeque<LastLine>>,
}

struct LastLine {
    line: String,
    /// How many lines had been shown before this one; nothing if it wasn't shown.
    shown: Option<usize>,
}

impl LastWords {
    /// Records a line of a host.
    pub(super) fn say(&mut self, host: &Name, line: String, shown: bool) {
        if !self.hosts.contains_key(host) {
            self.hosts.insert(host.clone(), VecDeque::new());
        }
        let said = self.hosts.get_mut(host).expect("it was just put there");
        if said.len() == LINES {
            said.pop_front();
        }
        said.push_back(LastLine { line, shown: shown.then_some(self.shown) });
    }

    /// Counts lines that were shown.
    pub(super) fn shown(&mut self, lines: usize) {
        self.shown += lines;
    }

    /// Returns the lines of a host to repeat: none if they are still visible.
    fn again(&self, host: &Name) -> Vec<&str> {
        let Some(said) = self.hosts.get(host) else { return Vec::new() };
        let in_sight = said.iter().all(|s| s.shown.is_some_and(|before| self.shown - before <= IN_SIGHT));
        if in_sight { Vec::new() } else { said.iter().map(|s| &*s.line).collect() }
    }

    /// Returns what to print at the end; empty if no host failed.
    pub(super) fn text(&self, rows: &[HostRow], failures: &[Failure], logs: &[LogFile], palette: Palette) -> String {
        let rows = rows.iter().filter(|r| matches!(r.result, Outcome::Failed | Outcome::Unknown)).map(|r| &r.host);
        let mut failed: Vec<&Name> = Vec::new();
        for host in rows.chain(failures.iter().filter_map(|f| f.host.as_ref())) {
            if !failed.contains(&host) {
                failed.push(host);
            }
        }
        let mut groups: Vec<(Vec<&str>, Vec<&Name>)> = Vec::new();
        for host in &failed {
            let lines = self.again(host);
            match groups.iter_mut().find(|(known, _)| *known == lines) {
                Some((_, hosts)) => hosts.push(host),
                None => groups.push((lines, vec![host])),
            }
        }
        groups.retain(|(lines, _)| !lines.is_empty());
        let mut text = String::new();
        for (lines, hosts) in groups.iter().take(HOSTS) {
            let names: Vec<String> = hosts.iter().map(|host| palette.host(&visible(host, false))).collect();
            text += &format!("\nlast lines of {}:\n", names.join(", "));
            lines.iter().for_each(|line| text += &format!("  {line}\n"));
        }
        if groups.len() > HOSTS {
            text += &format!("\nthe last lines of {} others are in their logs\n", groups.len() - HOSTS);
        }
        let files: Vec<&str> = logs.iter().filter(|log| failed.contains(&&log.host)).map(|log| &*log.file).collect();
        let folder = files.first().and_then(|file| Path::new(file).parent()?.to_str());
        let named = match folder.filter(|_| files.len() > HOSTS) {
            Some(folder) => vec![folder],
            None => files,
        };
        for (at, file) in named.iter().enumerate() {
            text += &format!("{}{}\n", if at == 0 { "\nlog: " } else { "     " }, visible(file, false));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PoolState;

    const PLAIN: Palette = Palette { color: false };

    fn row(host: &str, result: Outcome) -> HostRow {
        HostRow {
            host: host.into(),
            old: None,
            new: None,
            balancer: PoolState::None,
            result,
            note: None,
            looked: None,
            old_name: None,
            new_name: None,
        }
    }

    fn log(host: &str) -> LogFile {
        LogFile { host: host.into(), file: format!("/data/runs/r1.logs/prod.{host}.log") }
    }

    #[test]
    fn of_a_host_that_failed_the_last_lines_are_told_again_with_its_file_and_of_others_nothing() {
        let mut last = LastWords::default();
        for n in 1..=12 {
            last.say(&"web1".into(), format!("| line {n}"), true);
            last.say(&"web2".into(), format!("| fine {n}"), true);
            last.shown(2);
        }
        let rows = [row("web1", Outcome::Failed), row("web2", Outcome::Ok), row("web3", Outcome::Unknown)];
        let text = |last: &LastWords| last.text(&rows, &[], &[log("web1"), log("web2"), log("web3")], PLAIN);
        let files = "\nlog: /data/runs/r1.logs/prod.web1.log\n     /data/runs/r1.logs/prod.web3.log\n";
        let mut lines = "\nlast lines of web1:\n".to_owned();
        (3..=12).for_each(|n| lines += &format!("  | line {n}\n"));
        assert_eq!(text(&last), files, "they can still be seen");
        last.shown(1);
        assert_eq!(text(&last), format!("{lines}{files}"));
        assert_eq!(last.text(&[row("web2", Outcome::Ok)], &[], &[log("web2")], PLAIN), "");
    }

    #[test]
    fn hosts_that_said_the_same_share_their_lines_and_many_files_are_named_by_their_folder() {
        let mut last = LastWords::default();
        let hosts: Vec<String> = (1..=8).map(|n| format!("web{n}")).collect();
        for (n, host) in hosts.iter().enumerate() {
            let what = if n < 2 { "| the disk is full".to_owned() } else { format!("| of its own {n}") };
            last.say(&(&**host).into(), what, false);
        }
        let rows: Vec<HostRow> = hosts.iter().map(|host| row(host, Outcome::Failed)).collect();
        let logs: Vec<LogFile> = hosts.iter().map(|host| log(host)).collect();
        assert_eq!(
            last.text(&rows, &[], &logs, PLAIN),
            "
last lines of web1, web2:
  | the disk is full

last lines of web3:
  | of its own 2

last lines of web4:
  | of its own 3

last lines of web5:
  | of its own 4

last lines of web6:
  | of its own 5

the last lines of 2 others are in their logs

log: /data/runs/r1.logs
"
        );
        let failure = Failure::failed("it is gone").on(&"web1".into());
        assert_eq!(
            last.text(&[], &[failure], &[], PLAIN),
            "\nlast lines of web1:\n  | the disk is full\n",
            "also without a table, and without logs"
        );
    }
}
