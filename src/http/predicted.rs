//! A request in the simulated world.
use super::{Answer, Request};
use crate::model::{Model, Predicted};
use std::collections::BTreeMap;

/// Nothing is sent in a made-up world: the answer is good, with an empty object, unless somebody said otherwise.
pub(super) fn predicted(request: &Request, model: &mut Model) -> Predicted<Answer> {
    model.takes(100);
    let said = model.here.said(&request.shown()).ok().flatten();
    let answer = said.map(|said| Answer { status: said.status as u16, headers: BTreeMap::new(), body: said.out });
    Ok(request.judged(answer.unwrap_or_else(|| request.assumed()))?)
}
