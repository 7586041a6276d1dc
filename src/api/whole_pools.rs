//! The refusal of targets that aren't whole pools.
use super::standing::read;
use crate::{
    balancer::{ServerPlace, places},
    event::PoolState,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::Host,
    script::{Here, RhaiResultOf, Targets, thrown},
};

/// Refuses targets that lack a host of the fleet's pools; a host that `--exclude` names may be out.
pub(super) fn refuse_parts(here: &Here, targets: &Targets) -> RhaiResultOf<()> {
    let fleet = &targets.fleet;
    if fleet.balancers.is_empty() {
        let message = format!("fleet `{}` has no balancer", fleet.name);
        return Err(thrown(Failure::new(Cause::Fabfile, message).help("add `[balancer.NAME]` to the fleet file")));
    }
    let pooled = fleet.hosts.iter().filter(|host| fleet.in_pool(host));
    let mut missing: Vec<_> = pooled.filter(|h| !targets.hosts.contains(h)).collect();
    let excluded = here.excluded(fleet);
    if missing.iter().any(|host| excluded.contains(host)) {
        let balance = read(here, targets)?;
        let out = |host: &Host| matches!(balance.standing(fleet, host), Ok(PoolState::Out));
        missing.retain(|host| !(excluded.contains(host) && out(host)));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let (left, forgotten): (Vec<_>, Vec<_>) = missing.into_iter().partition(|host| excluded.contains(host));
    let names = |hosts: &[&Host]| hosts.iter().map(|host| &*host.name).collect::<Vec<_>>().join(", ");
    if forgotten.is_empty() {
        let message = format!(
            "--exclude leaves out {}, which would still take requests and serve a different release from the rest",
            names(&left)
        );
        return Err(thrown(Failure::refused(message).help(take_out_first(fleet, &left))));
    }
    let message = format!(
        "the targets must include the whole pool, but these hosts are missing: {}",
        names(&[left, forgotten].concat())
    );
    let help = format!("name the fleet without a selection: `{}`", fleet.name);
    Err(thrown(Failure::refused(message).help(help)))
}

/// Says how a person takes hosts out before a run that leaves them as they are.
fn take_out_first(fleet: &Fleet, hosts: &[&Host]) -> String {
    let by_hand = |place: &ServerPlace| fleet.balancer(&place.balancer).is_some_and(|b| b.by_hand());
    let told = |place: ServerPlace| {
        if by_hand(&place) {
            format!("take `{}` out of `{}` on {}", place.server, place.pool, place.balancer)
        } else {
            format!("`set server {}/{} state drain` on the socket of {}", place.pool, place.server, place.balancer)
        }
    };
    let lines: Vec<String> = hosts.iter().flat_map(|host| places(fleet, host)).map(told).collect();
    format!("take it out first: {}; then type this line again. Or leave out `--exclude`", lines.join(", "))
}
