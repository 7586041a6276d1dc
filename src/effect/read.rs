//! Effects that only read.
use super::{At, Effect, EffectKind, Subject, Touch};
use crate::{
    failure::Failure,
    model::{Model, Predicted},
};
use serde::{Serialize, de::DeserializeOwned};

/// Reads something from the outside: an [`Effect`] that changes nothing, and can't claim to.
pub trait Read: Serialize + Send + Sync {
    type Outcome: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// Its name in journals and ledgers: the primitive's, or what it does in a word or two.
    const NAME: &'static str;

    /// Returns what it is about.
    fn subject(&self) -> Subject<'_>;

    /// Returns one line for people, such as `list its releases`.
    fn describe(&self) -> String;

    /// Reads it for real.
    fn carry_out(&self, at: At<'_>) -> impl Future<Output = Result<Self::Outcome, Failure>> + Send;

    /// Reads it from the model.
    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome>;

    /// Puts what a real host answered into the model. Only tests call it, which hold one world against the other.
    fn learn(&self, _outcome: &Self::Outcome, _model: &mut Model) {}
}

impl<R: Read> Effect for R {
    type Outcome = R::Outcome;
    const NAME: &'static str = R::NAME;
    const KIND: EffectKind = EffectKind::Read;

    fn subject(&self) -> Subject<'_> {
        Read::subject(self)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        Read::describe(self)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<R::Outcome, Failure> {
        Read::carry_out(self, at).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<R::Outcome> {
        Read::predict(self, model)
    }

    fn learn(&self, outcome: &R::Outcome, model: &mut Model) {
        Read::learn(self, outcome, model);
    }
}
