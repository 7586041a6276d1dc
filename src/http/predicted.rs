//! Predicts the response to a request in the simulator.
use super::{HttpRequest, HttpResponse};
use crate::model::{Model, Predicted};
use std::collections::BTreeMap;

/// A simulated run sends nothing: it assumes a good response with an empty object, unless the simulation sets another.
pub(super) fn predicted(request: &HttpRequest, model: &mut Model) -> Predicted<HttpResponse> {
    model.takes(100);
    let said = model.here.said(&request.shown()).ok().flatten();
    let answer = said.map(|said| HttpResponse { status: said.status as u16, headers: BTreeMap::new(), body: said.out });
    Ok(request.judged(answer.unwrap_or_else(|| request.assumed()))?)
}
