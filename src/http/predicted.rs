//! Predicts the response to a request in the simulator.
use super::{HttpRequest, HttpResponse};
use crate::model::{Model, Predicted};
use std::collections::BTreeMap;

/// A simulated run sends nothing: it assumes a good response with an empty object, unless the simulation sets another.
pub(super) fn predicted(request: &HttpRequest, model: &mut Model) -> Predicted<HttpResponse> {
    model.takes(100);
    let (shown, now) = (request.shown(), model.now);
    if let Some(known) = model.answers.get(&shown).and_then(|all| all.iter().rfind(|answer| answer.from <= now)) {
        let (status, headers, body) = (known.status, known.headers.clone(), known.body.clone());
        return Ok(request.judged(HttpResponse { status, headers, body })?);
    }
    let said = model.here.said(&shown).ok().flatten();
    let answer = said.map(|said| HttpResponse { status: said.status as u16, headers: BTreeMap::new(), body: said.out });
    Ok(request.judged(answer.unwrap_or_else(|| request.assumed()))?)
}
