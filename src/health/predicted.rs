//! Predicts the answer of a service in the simulator.
use super::{
    Probe, ProbeAnswer,
    verdict::{Verdict, judged, looks_up},
    written::WrittenNames,
};
use crate::{
    fleet::Version,
    model::{Model, Predicted},
};

/// Predicts what the simulated service answers after it's up, with the verdict.
pub(super) fn predicted(probe: &Probe, model: &mut Model) -> Predicted<(ProbeAnswer, Verdict)> {
    if model.unresolved.contains(&crate::model::key(&probe.host)) {
        return Err(probe.unresolved(probe.host.address()).into());
    }
    let running = model.machine(&probe.host)?.running.get("the running release")?.clone();
    let sick = running.as_ref().is_some_and(|running| model.sick.contains(running));
    let text = match probe.health.version {
        Version::None | Version::Process => None,
        _ => model.service_says(&probe.host)?,
    };
    let page = model.page.clone().unwrap_or_else(|| (200, text.clone().unwrap_or_default()));
    let mut answer = if probe.health.url.starts_with("tcp:") {
        ProbeAnswer::connected()
    } else {
        ProbeAnswer::of(if sick { 503 } else { page.0 }, &page.1, text, &probe.health)
    };
    if probe.health.version == Version::Process {
        let other = model.machine(&probe.host)?.foreign.clone();
        answer.runs(running.map(|running| running.to_string()).or(other).as_slice());
    }
    let written = if looks_up(&probe.expected, &answer, probe.nameless) {
        WrittenNames::on_model(probe, model)?
    } else {
        WrittenNames::known()
    };
    let verdict = judged(&answer, &probe.health, &probe.expected, &written, probe.nameless);
    Ok((answer, verdict))
}
