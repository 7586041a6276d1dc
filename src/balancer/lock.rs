//! One operator a fleet.
use crate::{
    effect::*,
    event::What,
    failure::{Failure, Reason},
    fleet::Fleet,
    model::{Model, Predicted},
    world::real::Holder,
};
use serde::Serialize;
use std::sync::Arc;

/// Takes a fleet's lock, or gives it back; both are holds, for a resumed run takes it anew.
#[derive(Clone, Serialize)]
pub struct Lock {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub holder: Holder,
    pub take: bool,
    pub wait: bool,
}

impl Effect for Lock {
    type Outcome = ();
    const NAME: &'static str = "lock";
    const KIND: Kind = Kind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("{} {}", if self.take { "lock" } else { "unlock" }, self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        if !self.take {
            site.balancing.unlock().await;
            return Ok(());
        }
        let awaited = |holder: &str| {
            at.tell(What::LockAwaited { fleet: self.fleet.name.clone(), holder: holder.to_owned() });
        };
        let say = |text: &str| at.tell(What::Noted { host: None, text: text.to_owned() });
        site.balancing.lock(&self.holder, if self.wait { Some(&awaited) } else { None }, &say).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let state = model.state(&self.fleet.name)?;
        match (&state.held_by, self.take) {
            (Some(other), true) if *other != self.holder.run => {
                let message = format!("fleet `{}` is held by {other}", self.fleet.name);
                Err(Failure::new(Reason::Locked, message).into())
            }
            (_, take) => {
                state.held_by = take.then(|| self.holder.run.clone());
                Ok(())
            }
        }
    }
}
