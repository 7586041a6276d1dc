//! A request in the simulated world.
use super::{HttpRequest, HttpResponse};
use crate::model::{Model, Predicted};
use std::collections::BTreeMap;

/// Nothing is sent in a made-up world: the answer is good, with an empty object, unless somebody said otherwise.
pub(super) fn predicted(request: &HttpRequest, partial: bool, model: &mut Model) -> Predicted<HttpResponse> {
    model.takes(100);
    let said = match model.here.said(&request.shown(), partial) {
        Err(miss) if partial => return Err(miss),
        said => said.ok().flatten(),
    };
    let answer = said.map(|said| HttpResponse { status: said.status as u16, headers: BTreeMap::new(), body: said.out });
    Ok(request.judged(answer.unwrap_or_else(|| request.assumed()))?)
}
