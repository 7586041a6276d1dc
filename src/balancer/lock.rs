//! The lock that lets one operator at a time change a fleet.
use super::{keeper_lines::lost, lock_session::held};
use crate::{
    bookkeeping::place,
    effect::*,
    event::EventKind,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::Name,
    model::{Miss, Model, Predicted},
    port::{Holder, Waits},
};
use serde::Serialize;
use std::sync::Arc;

/// Takes a fleet's lock, or releases it. Both are holds, because a resumed run takes the lock again.
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
    const KIND: EffectKind = EffectKind::Hold;

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
            site.coordinator.unlock().await;
            return Ok(());
        }
        let awaited = |holder: &str| {
            at.tell(EventKind::LockAwaited { fleet: self.fleet.name.clone(), holder: holder.to_owned() });
        };
        let say = |text: &str| at.tell(EventKind::Noted { host: None, text: text.to_owned() });
        let stops = || at.real.person.stops();
        let waits = self.wait.then_some(Waits { says: &awaited, stops: &stops });
        site.coordinator.lock(&self.holder, waits, &say).await?;
        super::by_hand::write_down(&at, &self.fleet, &self.holder).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for balancer in self.fleet.balancers.iter().filter(|_| self.take) {
            model.machine(&balancer.host)?;
        }
        let now = model.now;
        let held_by = &mut model.state(&self.fleet.name)?.held_by;
        match held_by.take() {
            Some(other) if other.run != self.holder.run => {
                let failure = held(&self.fleet.name, &other);
                *held_by = Some(other);
                match (self.take, self.wait) {
                    (false, _) => Ok(()),
                    (true, false) => Err(failure.into()),
                    (true, true) => Err(Miss::Later(now + 2_000)),
                }
            }
            _ => {
                *held_by = self.take.then(|| self.holder.clone());
                Ok(())
            }
        }
    }
}

/// Checks that a run still has a fleet's lock.
#[derive(Clone, Serialize)]
pub struct Holds {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub run: Name,
    /// Whether the effect that needs the lock asks the keepers itself, in its first round trip.
    pub asked_later: bool,
}

impl Read for Holds {
    type Outcome = ();
    const NAME: &'static str = "holds";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("check whether this run still has the lock of {}", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        if self.asked_later {
            return Ok(());
        }
        // The effect that needs the lock hasn't begun, so nobody has to find out whether it was done.
        let held = at.real.site(&self.fleet.name).coordinator.held().await;
        held.map_err(|failure| Failure { cause: Cause::Unlocked, ..failure })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let held_by = &model.state(&self.fleet.name)?.held_by;
        if held_by.as_ref().is_some_and(|holder| *holder.run == *self.run) {
            Ok(())
        } else {
            Err(Failure { cause: Cause::Unlocked, ..lost(&place(&self.fleet)?) }.into())
        }
    }
}
