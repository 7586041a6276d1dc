//! Checks hosts again that a run put back: before the next hosts go out, and at its end.
use super::Observed;
use crate::{
    duration::running,
    effect::{Ask, Lane},
    failure::Failure,
    fleet::Fleet,
    health::{Down, LookAgain},
    host::Host,
    model::Time,
    ui::Wait,
};
use std::sync::Arc;

/// The longest single wait, so that a signal is noticed.
const AT_ONCE: Time = 1_000;

/// How the check reads: in a layer, for an effect, or on a separate lane.
pub enum Reader<'a> {
    Layer(Ask<'a>),
    Lane(&'a Arc<Lane>),
}

impl Reader<'_> {
    fn wait(&self, time: Time) -> Result<(), Failure> {
        match self {
            Reader::Layer(ask) => ask.read(Wait { time }),
            Reader::Lane(lane) => lane.perform(Wait { time }),
        }
    }

    fn look(&self, look: LookAgain) -> Result<Vec<Down>, Failure> {
        match self {
            Reader::Layer(ask) => ask.read(look),
            Reader::Lane(lane) => lane.perform(look),
        }
    }
}

/// Checks every host of a fleet that this run put back, after the fleet's `settle` has passed for all of them; skips
/// the hosts in `but`, which are about to go out.
///
/// Fails with the first host that doesn't serve any more. Notes every host: down, or when it was seen to serve.
pub fn settled(
    fleet: &Arc<Fleet>,
    observed: &Observed,
    but: &[Host],
    reader: &Reader<'_>,
    now: &dyn Fn() -> Time,
    stopped: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let back: Vec<(Host, Time)> = observed.back(fleet).into_iter().filter(|(host, _)| !but.contains(host)).collect();
    let Some(last) = back.iter().map(|(_, at)| *at).max() else { return Ok(()) };
    let settle = fleet.app.as_ref().and_then(|app| app.health.as_ref()).map_or(0, |h| h.settle.as_millis() as Time);
    while now() < last + settle && !stopped() {
        reader.wait((last + settle - now()).min(AT_ONCE))?;
    }
    let hosts = back.iter().map(|(host, _)| (host.clone(), observed.host(host).probe)).collect();
    let down = reader.look(LookAgain { fleet: fleet.clone(), hosts })?;
    let mut first = None;
    for (host, at) in &back {
        let after = now().saturating_sub(*at);
        match down.iter().find(|down| down.host == host.name) {
            None => observed.looked(host, after),
            Some(Down { why, .. }) => {
                let message = format!("was put back, and was down {} later: {why}", running(after));
                let failure = Failure::failed(message).on(&host.name);
                observed.died(host, &failure);
                first.get_or_insert(failure);
            }
        }
    }
    match first {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}
