//! Selections of a fleet's hosts: `group1+out`, `web,^web3`.
use super::{
    Fleet,
    hosts::{NameKind, WORDS},
    range,
};
use crate::{
    control::shown,
    event::PoolState,
    failure::{Cause, Failure},
    host::{Host, Name},
    misspelled::did_you_mean,
};
use std::collections::BTreeSet;

/// A selection in which the fleet knows all names.
///
/// `,` is or. `+` is and; it binds tighter. `^` removes hosts from those before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The text as the user wrote it.
    pub text: String,
    pub pieces: Vec<Piece>,
}

/// The part between two commas.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Whether its hosts are removed.
    pub away: bool,
    /// A host must match all of them.
    pub terms: Vec<Term>,
}

/// One word of a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    All,
    /// Live in at least one of its pools, even if it's unhealthy.
    Live,
    /// Drained or in maintenance in every pool that it's in.
    Out,
    Group(Name),
    Role(Name),
    /// A host, or the hosts of a range.
    Hosts(BTreeSet<Name>),
}

impl Selection {
    /// Reads a selection of hosts of `fleet`.
    ///
    /// Fails with `Fabfile` if the text isn't a selection, or has a name that the fleet doesn't know.
    pub fn parse(text: &str, fleet: &Fleet) -> Result<Selection, Failure> {
        if text.chars().any(char::is_control) {
            return Err(wrong(&shown(text), "has a control character")
                .help("use only names, joined with `,` or `+`, or with `^` in front: `web,^web3`"));
        }
        let pieces = text.split(',').map(|piece| Piece::parse(piece, text, fleet)).collect::<Result<Vec<_>, _>>()?;
        if pieces.first().is_some_and(|piece| piece.away) {
            return Err(wrong(text, "excludes hosts, but selects none").help(format!("write `all,{}`", text.trim())));
        }
        Ok(Selection { text: text.trim().to_owned(), pieces })
    }

    /// Returns whether it depends on which hosts are live or out.
    pub fn needs_balancer(&self) -> bool {
        self.uses(&Term::Live) || self.uses(&Term::Out)
    }

    fn uses(&self, term: &Term) -> bool {
        self.pieces.iter().any(|piece| piece.terms.contains(term))
    }

    /// Finds the selected hosts, in the fleet's order and each once; `standing` returns what the balancer reported.
    ///
    /// Fails with `Balancer` if the result depends on a standing that is unknown, and with `NoHosts` if it's empty.
    pub fn hosts(&self, fleet: &Fleet, standing: impl Fn(&Host) -> PoolState) -> Result<Vec<Host>, Failure> {
        let (mut chosen, mut unknown) = (Vec::new(), Vec::new());
        for host in &fleet.hosts {
            match self.has(host, &standing) {
                Some(true) => chosen.push(host.clone()),
                Some(false) => {}
                None => unknown.push(host),
            }
        }
        if let Some(first) = unknown.first() {
            let message = format!(
                "`{}` can't be selected: rfab can't tell whether {} live or out",
                self.text,
                named(&unknown, " is", " are")
            );
            return Err(Failure::new(Cause::Balancer, message).on(&first.name).help("ask the balancer again"));
        }
        if chosen.is_empty() {
            return Err(self.nobody(fleet, standing));
        }
        Ok(chosen)
    }

    /// Returns whether a host is selected; `None` if that depends on a standing that is unknown.
    fn has(&self, host: &Host, standing: &impl Fn(&Host) -> PoolState) -> Option<bool> {
        let mut meant = Some(false);
        for piece in &self.pieces {
            // Skips a piece that can't change the answer.
            if meant == Some(!piece.away) {
                continue;
            }
            match piece.has(host, standing) {
                Some(true) => meant = Some(!piece.away),
                Some(false) => {}
                None => meant = None,
            }
        }
        meant
    }

    /// Builds the failure of a selection without hosts.
    fn nobody(&self, fleet: &Fleet, standing: impl Fn(&Host) -> PoolState) -> Failure {
        let with = |wanted: &[PoolState]| -> Vec<&Host> {
            fleet.hosts.iter().filter(|host| wanted.contains(&standing(host))).collect()
        };
        let (live, out) = (with(&[PoolState::Live, PoolState::Mixed]), with(&[PoolState::Out]));
        let mut why = Vec::new();
        if self.uses(&Term::Out) {
            why.push(if out.is_empty() { "no host is out".into() } else { named(&out, " is out", " are out") });
        }
        if self.uses(&Term::Live) {
            why.push(if live.is_empty() { "no host is live".into() } else { named(&live, " is live", " are live") });
        }
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join(", ")) };
        let failure =
            Failure::new(Cause::NoHosts, format!("`{}` selects no hosts of `{}`{why}", self.text, fleet.name))
                .about(self.text.trim());
        if why.is_empty() {
            failure.help("check the selection: `+` means and, `,` means or, `^` means except")
        } else {
            failure.help("select `all` to see who is live and who is out")
        }
    }
}

impl Piece {
    fn parse(piece: &str, text: &str, fleet: &Fleet) -> Result<Piece, Failure> {
        let piece = piece.trim();
        let (away, terms) = piece.strip_prefix('^').map_or((false, piece), |rest| (true, rest));
        if let Some(inner) = terms.split('+').map(str::trim).find(|term| term.starts_with('^')) {
            return Err(wrong(text, "has a `^` that doesn't follow a comma").help(format!("write `…,{inner}`")));
        }
        let terms = terms.split('+').map(|term| Term::parse(term.trim(), text, fleet)).collect::<Result<_, _>>()?;
        Ok(Piece { away, terms })
    }

    fn has(&self, host: &Host, standing: &impl Fn(&Host) -> PoolState) -> Option<bool> {
        let answers = || self.terms.iter().map(|term| term.has(host, standing));
        if answers().any(|answer| answer == Some(false)) {
            Some(false)
        } else if answers().any(|answer| answer.is_none()) {
            None
        } else {
            Some(true)
        }
    }
}

impl Term {
    fn parse(word: &str, text: &str, fleet: &Fleet) -> Result<Term, Failure> {
        match word {
            "" => Err(wrong(text, "has an empty item").help("write `,` (or) and `+` (and) only between two names")),
            "all" => Ok(Term::All),
            "live" => Ok(Term::Live),
            "out" => Ok(Term::Out),
            _ if word.contains(['[', ']']) => Term::range(word, text, fleet),
            _ => match fleet.named(word) {
                Some(NameKind::Group) => Ok(Term::Group(word.into())),
                Some(NameKind::Role) => Ok(Term::Role(word.into())),
                Some(NameKind::Host) => Ok(Term::Hosts([Name::from(word)].into())),
                _ => Err(unknown(word, text, fleet)),
            },
        }
    }

    fn range(word: &str, text: &str, fleet: &Fleet) -> Result<Term, Failure> {
        let names = range::unroll(word).map_err(|error| {
            Failure::new(Cause::Fabfile, format!("{error} in `{text}`")).help(error.help()).about(text)
        })?;
        let known: BTreeSet<&str> = fleet.hosts.iter().map(|host| &*host.name).collect();
        match names.iter().find(|name| !known.contains(name.as_str())) {
            Some(name) => Err(unknown(name, text, fleet)),
            None => Ok(Term::Hosts(names.into_iter().map(Name::from).collect())),
        }
    }

    fn has(&self, host: &Host, standing: &impl Fn(&Host) -> PoolState) -> Option<bool> {
        match self {
            Term::All => Some(true),
            Term::Group(group) => Some(host.group.as_ref() == Some(group)),
            Term::Role(role) => Some(host.roles.contains(role)),
            Term::Hosts(names) => Some(names.contains(&host.name)),
            Term::Live | Term::Out => match standing(host) {
                PoolState::Live | PoolState::Mixed => Some(*self == Term::Live),
                PoolState::Out => Some(*self == Term::Out),
                PoolState::None => Some(false),
                PoolState::Unknown => None,
            },
        }
    }
}

/// Keeps the hosts that `--limit` names. It doesn't know `live` and `out`.
///
/// Fails with `NoHosts` if no host is left.
pub fn limited(fleet: &Fleet, hosts: &[Host], text: &str) -> Result<Vec<Host>, Failure> {
    let names = by_flag("--limit", fleet, text)?;
    left("--limit", fleet, text, hosts.iter().filter(|host| names.contains(&host.name)))
}

/// Removes the hosts that `--exclude` names. It doesn't know `live` and `out`.
///
/// Fails with `NoHosts` if no host is left.
pub fn excluded(fleet: &Fleet, hosts: &[Host], text: &str) -> Result<Vec<Host>, Failure> {
    let names = by_flag("--exclude", fleet, text)?;
    left("--exclude", fleet, text, hosts.iter().filter(|host| !names.contains(&host.name)))
}

fn by_flag(flag: &str, fleet: &Fleet, text: &str) -> Result<BTreeSet<Name>, Failure> {
    let selection = Selection::parse(text, fleet)?;
    if selection.needs_balancer() {
        return Err(wrong(text, &format!("has `live` or `out`, which `{flag}` doesn't know"))
            .help("name hosts, groups or roles"));
    }
    Ok(selection.hosts(fleet, |_| PoolState::None)?.into_iter().map(|host| host.name).collect())
}

fn left<'h>(
    flag: &str,
    fleet: &Fleet,
    text: &str,
    hosts: impl Iterator<Item = &'h Host>,
) -> Result<Vec<Host>, Failure> {
    let hosts: Vec<Host> = hosts.cloned().collect();
    if hosts.is_empty() {
        Err(Failure::new(Cause::NoHosts, format!("`{flag} {text}` leaves no hosts of `{}`", fleet.name))
            .help(format!("check what `{flag}` names")))
    } else {
        Ok(hosts)
    }
}

fn wrong(text: &str, why: &str) -> Failure {
    Failure::new(Cause::Fabfile, format!("the selection `{}` {why}", text.trim())).about(text.trim())
}

fn unknown(word: &str, text: &str, fleet: &Fleet) -> Failure {
    let within = if word == text.trim() { String::new() } else { format!(", in `{}`", text.trim()) };
    let message = format!("`{}` has no host, group or role `{word}`{within}", fleet.name);
    let failure = Failure::new(Cause::Fabfile, message).about(text.trim());
    if let Some((from, to)) = word.split_once("..") {
        let digits = from.len() - from.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (head, first) = from.split_at(from.len() - digits);
        return failure.help(format!("write a range in brackets: `{head}[{first}..{to}]`"));
    }
    let groups = fleet.groups().into_iter().chain(fleet.roles()).map(|name| &**name);
    let known = groups.chain(WORDS).chain(fleet.hosts.iter().map(|host| &*host.name));
    let all = || {
        let names = fleet.groups().into_iter().chain(fleet.roles()).map(|name| &**name);
        let names: Vec<String> = names.chain(WORDS).map(|name| format!("`{name}`")).collect();
        format!("there are {} and the hosts", names.join(", "))
    };
    failure.help(did_you_mean(word, known).unwrap_or_else(all))
}

/// Names the first hosts and counts the rest: `web1, web2 and 7 more are out`.
fn named(hosts: &[&Host], one: &str, many: &str) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = hosts.iter().take(SHOWN).map(|host| format!("`{host}`")).collect();
    let more = hosts.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}{}", names.join(", "), if hosts.len() == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::read_text;

    /// Three hosts in each of two groups, one of them in maintenance in one pool only, and two in no pool.
    fn fleet() -> Fleet {
        read_text(
            r#"
            [hosts]
            "web[01..03]" = { group = "group1", roles = ["web"] }
            "web[04..06]" = { group = "group2", roles = ["web", "api"] }
            jobs1 = { roles = ["worker"] }
            jobs2 = { roles = ["worker"] }
            [balancer.lb1]
            driver = "haproxy"
            host = "lb1"
            socket = "/run/haproxy/admin.sock"
            pools = { bk_web = "web", bk_api = "api" }
            "#,
        )
    }

    fn standing(host: &Host) -> PoolState {
        match &*host.name {
            "web01" | "web02" | "web03" => PoolState::Out,
            "web04" => PoolState::Mixed,
            "web05" | "web06" => PoolState::Live,
            _ => PoolState::None,
        }
    }

    fn names(hosts: Result<Vec<Host>, Failure>) -> String {
        let hosts = hosts.unwrap_or_else(|failure| panic!("{failure}"));
        hosts.iter().map(|host| host.name.trim_start_matches("web0")).collect::<Vec<_>>().join(" ")
    }

    fn failure(result: Result<Vec<Host>, Failure>) -> (u8, String) {
        let failure = result.unwrap_err();
        let help = failure.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
        (failure.reason().exit().code(), format!("{}{help}", failure.message))
    }

    fn select(text: &str, standing: impl Fn(&Host) -> PoolState) -> Result<Vec<Host>, Failure> {
        let fleet = fleet();
        Selection::parse(text, &fleet)?.hosts(&fleet, standing)
    }

    #[test]
    fn a_selection_means_its_hosts_in_the_fleets_order_and_each_once() {
        for (text, hosts) in [
            ("all", "1 2 3 4 5 6 jobs1 jobs2"),
            ("group2", "4 5 6"),
            ("worker", "jobs1 jobs2"),
            ("web03", "3"),
            ("jobs1,web05,web03,group1", "1 2 3 5 jobs1"),
            ("web[02..04]", "2 3 4"),
            ("live", "4 5 6"),
            ("out", "1 2 3"),
            ("live,out", "1 2 3 4 5 6"),
            ("all,^live,^out", "jobs1 jobs2"),
            ("group1+out", "1 2 3"),
            ("web,^web03", "1 2 4 5 6"),
            ("web,^web03,web[03..03]", "1 2 3 4 5 6"),
            ("web,^web+api", "1 2 3"),
            ("group1,group2+web05", "1 2 3 5"),
            ("group1,^web[01..02],worker", "3 jobs1 jobs2"),
            (" web , ^ group1 + out ", "4 5 6"),
            ("web+live+group2,^web04", "5 6"),
        ] {
            assert_eq!(names(select(text, standing)), hosts, "{text}");
        }
    }

    #[test]
    fn only_live_and_out_need_the_balancer() {
        let fleet = fleet();
        let needs = |text: &str| Selection::parse(text, &fleet).unwrap().needs_balancer();
        assert!(needs("out") && needs("web,^live") && needs("group1+out"));
        assert!(!needs("all") && !needs("group1,^web01") && !needs("web[01..03]"));
    }

    #[test]
    fn what_is_no_selection_is_refused_with_the_way_on() {
        for (text, message) in [
            ("", "the selection `` has an empty item | write `,` (or) and `+` (and) only between two names"),
            (
                "web,,api",
                "the selection `web,,api` has an empty item | write `,` (or) and `+` (and) only between two names",
            ),
            ("web+", "the selection `web+` has an empty item | write `,` (or) and `+` (and) only between two names"),
            ("^", "the selection `^` has an empty item | write `,` (or) and `+` (and) only between two names"),
            ("^web03", "the selection `^web03` excludes hosts, but selects none | write `all,^web03`"),
            ("web+^web03", "the selection `web+^web03` has a `^` that doesn't follow a comma | write `…,^web03`"),
            ("grup1", "`prod` has no host, group or role `grup1` | did you mean `group1`?"),
            ("web,web3", "`prod` has no host, group or role `web3`, in `web,web3` | did you mean `web03`?"),
            (
                "databases",
                "`prod` has no host, group or role `databases` | there are `group1`, `group2`, `web`, `api`, `worker`, \
                 `all`, `live`, `out` and the hosts",
            ),
            ("Out", "`prod` has no host, group or role `Out` | did you mean `out`?"),
            (
                "web[05..07]",
                "`prod` has no host, group or role `web07`, in `web[05..07]` | there are `group1`, `group2`, `web`, \
                 `api`, `worker`, `all`, `live`, `out` and the hosts",
            ),
            ("web[1..3]", "`prod` has no host, group or role `web1`, in `web[1..3]` | did you mean `web01`?"),
            ("web01..03", "`prod` has no host, group or role `web01..03` | write a range in brackets: `web[01..03]`"),
            ("web[03..01]", "the range `[03..01]` runs backward in `web[03..01]` | write `[01..03]`"),
            ("web[01..03", "a bracket in `web[01..03` isn't matched in `web[01..03` | write a range as `web[01..21]`"),
            (
                "w\u{1b}[2J",
                "the selection `w\\u{1b}[2J` has a control character | use only names, joined with `,` or `+`, or with `^` in front: `web,^web3`",
            ),
        ] {
            assert_eq!(failure(select(text, standing)), (3, message.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_selection_of_nobody_fails_and_says_why() {
        let all_live = |host: &Host| match standing(host) {
            PoolState::None => PoolState::None,
            _ => PoolState::Live,
        };
        let see = "select `all` to see who is live and who is out";
        for (text, message) in [
            ("group1+out", format!("`group1+out` selects no hosts of `prod`: no host is out | {see}")),
            (
                "worker+live",
                format!(
                    "`worker+live` selects no hosts of `prod`: `web01`, `web02`, `web03`, `web04` and 2 more are live | {see}"
                ),
            ),
            (
                "live+out",
                format!(
                    "`live+out` selects no hosts of `prod`: no host is out, `web01`, `web02`, `web03`, `web04` and 2 more are live | {see}"
                ),
            ),
            (
                "web+worker",
                "`web+worker` selects no hosts of `prod` | check the selection: `+` means and, `,` means or, `^` means except"
                    .into(),
            ),
        ] {
            assert_eq!(failure(select(text, all_live)), (10, message), "{text}");
        }
        assert_eq!(
            failure(select("group2+out", standing)),
            (10, format!("`group2+out` selects no hosts of `prod`: `web01`, `web02`, `web03` are out | {see}"))
        );
    }

    #[test]
    fn an_unknown_standing_is_taken_neither_for_live_nor_for_out() {
        let unknown = |host: &Host| if &*host.name == "web02" { PoolState::Unknown } else { standing(host) };
        for text in ["out", "live", "web,^out", "group1+live"] {
            let message = format!(
                "`{text}` can't be selected: rfab can't tell whether `web02` is live or out | ask the balancer again"
            );
            assert_eq!(failure(select(text, unknown)), (6, message));
        }
        // A standing that doesn't matter isn't asked for.
        assert_eq!(names(select("group2+live", unknown)), "4 5 6");
        assert_eq!(names(select("out,group1", unknown)), "1 2 3");
        assert_eq!(names(select("out,^web02", unknown)), "1 3");
    }

    #[test]
    fn limit_and_exclude_keep_to_the_hosts_given() {
        let fleet = fleet();
        let out = select("out", standing).unwrap();
        assert_eq!(names(limited(&fleet, &out, "web[02..05]")), "2 3");
        assert_eq!(names(excluded(&fleet, &out, "web02,group2")), "1 3");
        assert_eq!(
            failure(limited(&fleet, &out, "group2")),
            (10, "`--limit group2` leaves no hosts of `prod` | check what `--limit` names".into())
        );
        assert_eq!(
            failure(excluded(&fleet, &out, "web")),
            (10, "`--exclude web` leaves no hosts of `prod` | check what `--exclude` names".into())
        );
        assert_eq!(
            failure(limited(&fleet, &out, "web,^live")),
            (3, "the selection `web,^live` has `live` or `out`, which `--limit` doesn't know | name hosts, groups or roles".into())
        );
        assert_eq!(
            failure(excluded(&fleet, &out, "web9")),
            (3, "`prod` has no host, group or role `web9` | did you mean `web`?".into())
        );
    }
}
