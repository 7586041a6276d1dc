//! Hosts that were taken out and are live again, because a balancer forgot it.
use crate::{
    balancer::Balance,
    bookkeeping::place,
    event::PoolState,
    fleet::Fleet,
    host::Host,
    ledger::{Book, LedgerLine, Phase},
};

/// Returns the last ledger line of a host that was taken out with rfab and is live again without it.
pub fn in_again<'a>(fleet: &Fleet, host: &Host, balance: &Balance, book: &'a Book) -> Option<&'a LedgerLine> {
    let line = book.last_admin(&host.name).filter(|line| line.effect == "drain" && line.phase == Phase::Ok)?;
    (balance.standing(fleet, host) == Ok(PoolState::Live)).then_some(line)
}

/// Returns the same line if the balancer was reloaded or restarted since.
pub fn forgotten<'a>(fleet: &Fleet, host: &Host, balance: &Balance, book: &'a Book) -> Option<&'a LedgerLine> {
    let home = place(fleet).ok()?;
    let now = &balance.balancers.get(&home)?.epoch;
    in_again(fleet, host, balance, book).filter(|line| line.epoch.as_ref().is_some_and(|then| then != now))
}

/// Reports which hosts balancers forgot, run by run, and the line that takes them out again.
pub fn tell_forgotten(fleet: &Fleet, balance: &Balance, book: &Book) -> Vec<String> {
    let mut runs: Vec<(&LedgerLine, Vec<&str>)> = Vec::new();
    for host in &fleet.hosts {
        let Some(line) = forgotten(fleet, host, balance, book) else { continue };
        match runs.iter_mut().find(|(known, _)| known.run == line.run && known.reason == line.reason) {
            Some((_, hosts)) => hosts.push(&host.name),
            None => runs.push((line, vec![&host.name])),
        }
    }
    let text = |(line, hosts): &(&LedgerLine, Vec<&str>)| {
        let began = book.lines.iter().find(|other| other.effect == "run" && other.run == line.run);
        let typed = began.and_then(|began| began.reason.as_deref());
        let again = typed.map(|typed| format!(": `rfab {typed}` takes them out again")).unwrap_or_default();
        let balancer = place(fleet).unwrap_or_default();
        format!(
            "`{balancer}` was reloaded or restarted and forgot that {} took {} out at {} ({}); they get requests now{again}",
            line.who,
            hosts.join(", "),
            line.at,
            line.why()
        )
    };
    runs.iter().map(text).collect()
}
