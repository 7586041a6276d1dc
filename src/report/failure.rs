//! A failure as people read it: what happened, where in which files, and what to do.
use super::{Palette, excerpt::excerpts, filter::visible};
use crate::{
    event::{HostRow, PoolState},
    failure::Failure,
    host::listed,
};

/// How many hosts are named if the list of all is too long …
const NAMED: usize = 6;
/// … and how many characters are too long.
const LONG: usize = 100;

/// Returns the complete report of a failure.
pub fn failure(failure: &Failure, palette: Palette) -> String {
    report(failure, "", &[], palette)
}

/// Returns the reports of several failures; hosts with the same failure and the same traffic share a report.
pub(super) fn failures(failures: &[Failure], rows: &[HostRow], palette: Palette) -> String {
    let mut shared: Vec<(&Failure, &str, Vec<&str>)> = Vec::new();
    for one in failures {
        let traffic = traffic(one, rows);
        let same = |(other, hurt, _): &&mut (&Failure, &str, Vec<&str>)| {
            other.cause == one.cause && other.message == one.message && *hurt == traffic
        };
        match shared.iter_mut().find(same) {
            Some((first, _, others)) => others.extend(one.host.as_deref().filter(|_| one.host != first.host)),
            None => shared.push((one, traffic, Vec::new())),
        }
    }
    shared.iter().map(|(one, traffic, others)| format!("\n{}", report(one, traffic, others, palette))).collect()
}

/// Returns whether a host that failed gets requests, if the table shows it.
fn traffic(failure: &Failure, rows: &[HostRow]) -> &'static str {
    let row = rows.iter().find(|row| Some(&row.host) == failure.host.as_ref());
    match row.map(|row| (row.balancer, row.new != row.old)) {
        Some((PoolState::Out, _)) => "it gets no traffic",
        Some((PoolState::Mixed, _)) => "it still gets traffic from one of its pools",
        Some((PoolState::Live, true)) => "it is live and gets traffic",
        Some((PoolState::Unknown, _)) => "it may be getting traffic",
        _ => "",
    }
}

fn report(failure: &Failure, traffic: &str, others: &[&str], palette: Palette) -> String {
    let mut text = String::new();
    for (i, line) in failure.to_string().lines().enumerate() {
        let mark = if i == 0 { palette.bad("error: ") } else { String::new() };
        let traffic = if i == 0 && !traffic.is_empty() { format!(" ({traffic})") } else { String::new() };
        text += &format!("{mark}{}{traffic}\n", visible(line, false));
    }
    if !others.is_empty() {
        text += &format!("  the same on {}\n", visible(&together(others), false));
    }
    text += &excerpts(&failure.places, palette).unwrap_or_default();
    if let Some(help) = failure.advice() {
        for (i, line) in help.lines().enumerate() {
            let mark = if i == 0 { palette.good("help: ") } else { "      ".to_owned() };
            text += &format!("  {mark}{}\n", visible(line, false));
        }
    }
    text
}

/// Lists the hosts: all, or the first ones and how many more there are.
fn together(hosts: &[&str]) -> String {
    let all = listed(hosts);
    match hosts.len() {
        more if more > NAMED && all.len() > LONG => {
            format!("{} and {} more hosts", hosts[..NAMED].join(", "), more - NAMED)
        }
        _ => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Cause, Excerpt};

    const PLAIN: Palette = Palette { color: false };

    fn full(host: &str) -> Failure {
        Failure::failed("`/srv` is full").on(&host.into()).help("free some space")
    }

    #[test]
    fn hosts_that_say_the_same_share_a_report() {
        let all = [full("web1"), full("web2"), Failure::failed("it is gone").on(&"web3".into()), full("web4")];
        assert_eq!(
            failures(&all, &[], PLAIN),
            "
error: host `web1`: `/srv` is full
  the same on web2, web4
  help: free some space

error: host `web3`: it is gone
"
        );
    }

    #[test]
    fn two_hundred_hosts_that_fail_alike_are_one_paragraph() {
        for (step, others) in [(1, "web[2..200]"), (2, "web3, web5, web7, web9, web11, web13 and 193 more hosts")] {
            let all: Vec<Failure> = (0..200).map(|n| full(&format!("web{}", 1 + n * step))).collect();
            let told =
                format!("\nerror: host `web1`: `/srv` is full\n  the same on {others}\n  help: free some space\n");
            assert_eq!(failures(&all, &[], PLAIN), told);
        }
    }

    #[test]
    fn the_first_line_says_whether_the_host_gets_traffic_and_hosts_that_differ_in_it_are_told_apart() {
        use PoolState::{Live, Mixed, None, Out, Unknown};
        let row = |(host, balancer): (&str, PoolState)| HostRow {
            host: host.into(),
            old: Some("0001-aaaaaaaaaaaa".into()),
            new: Some(if host == "web6" { "0001-aaaaaaaaaaaa" } else { "0002-bbbbbbbbbbbb" }.into()),
            balancer,
            result: crate::event::Outcome::Failed,
            note: Option::None,
            looked: Option::None,
            old_name: Option::None,
            new_name: Option::None,
        };
        let stand = [("web1", Out), ("web2", Out), ("web3", Live), ("web4", Unknown), ("web5", Mixed), ("web6", Live)];
        let rows: Vec<HostRow> = stand.into_iter().chain([("web7", None)]).map(row).collect();
        let all: Vec<Failure> = rows.iter().map(|row| Failure::failed("no room").on(&row.host)).collect();
        assert_eq!(
            failures(&all, &rows, PLAIN),
            "
error: host `web1`: no room (it gets no traffic)
  the same on web2

error: host `web3`: no room (it is live and gets traffic)

error: host `web4`: no room (it may be getting traffic)

error: host `web5`: no room (it still gets traffic from one of its pools)

error: host `web6`: no room
  the same on web7
"
        );
    }

    #[test]
    fn a_failure_shows_the_line_and_what_to_do() {
        let place = Excerpt::of("fleets/prod.toml", "guarded = true\nusr = \"x\"\n", 15..18);
        let wrong = Failure::new(Cause::Fabfile, "there is no key `usr` in a fleet file").help("did you mean `user`?");
        assert_eq!(
            failure(&wrong.at(place), PLAIN),
            "\
error: there is no key `usr` in a fleet file
   ╭─[fleets/prod.toml:2:1]
 1 │ guarded = true
 2 │ usr = \"x\"
   · ───
   ╰────
  help: did you mean `user`?
"
        );
    }
}
