//! Dies or fails at the n-th effect, on purpose.
use super::{InnerLayers, Layer, Stop, drill::Drill};
use crate::{
    effect::{Answered, Call, LedgerWrite},
    failure::{Cause, Failure},
    port::LedgerLines,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

/// What goes wrong, and at which effect; the first is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    KilledBefore(u32),
    /// The effect is done, and its end isn't recorded anywhere.
    KilledAmid(u32),
    KilledAfter(u32),
    FailsAt(u32),
    /// The effect is done, and the connection is lost before its end is known.
    LostAt(u32),
    /// The operator interrupts during the effect.
    InterruptedAt(u32),
    /// The operator interrupts twice, and the effect is stopped before it did anything.
    StoppedBefore(u32),
    /// The operator interrupts twice, and the effect was already done.
    StoppedAfter(u32),
    /// No invariant is checked, in a simulated world: a test sees whether the world notices the harm.
    Lawless,
}

/// The layer, with the number of effects that passed.
#[derive(Clone, Default)]
pub struct Faults {
    fault: Option<Fault>,
    drill: Option<Drill>,
    count: Arc<AtomicU32>,
    dead: Arc<AtomicBool>,
    stop: Arc<Stop>,
}

impl Faults {
    /// Makes the layer for a fault in a run that can be stopped.
    pub fn of(fault: Fault, stop: Arc<Stop>) -> Self {
        Self { fault: Some(fault), stop, ..Self::default() }
    }

    /// Makes the layer for an operator's drill on real hosts, if there is one.
    pub fn rehearsed(drill: Option<Drill>, stop: Arc<Stop>) -> Self {
        Self { drill, stop, ..Self::default() }
    }

    /// Returns the number of effects that passed.
    pub fn count(&self) -> u32 {
        self.count.load(SeqCst)
    }

    pub fn lawless(&self) -> bool {
        self.fault == Some(Fault::Lawless)
    }

    fn stopped(&self) -> Answered {
        self.stop.by(2);
        Err(Failure::new(Cause::Interrupted, "interrupted"))
    }

    fn die(&self) -> Answered {
        self.dead.store(true, SeqCst);
        Err(Failure::new(Cause::Killed, "killed here, as asked for"))
    }
}

/// Returns the lines with only its intent.
fn without_end(write: LedgerWrite) -> LedgerWrite {
    let lines = LedgerLines { ok: String::new(), failed: String::new(), ..write.lines };
    LedgerWrite { lines, ..write }
}

impl Layer for Faults {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        if self.dead.load(SeqCst) {
            return Err(Failure::new(Cause::Killed, "killed here, as asked for"));
        }
        if let Some(drill) = self.drill.as_ref().filter(|drill| drill.is_of(&call)) {
            return drill.pass(call, rest, &self.stop);
        }
        let n = self.count.fetch_add(1, SeqCst);
        match self.fault {
            Some(Fault::KilledBefore(at)) if at == n => self.die(),
            Some(Fault::KilledAmid(at)) if at == n => {
                let writes: Vec<LedgerWrite> = call.ledger_writes.iter().cloned().map(without_end).collect();
                let _ = rest.pass(Call { ledger_writes: &writes, ..call });
                self.die()
            }
            Some(Fault::KilledAfter(at)) if at == n => {
                let _ = rest.pass(call);
                self.die()
            }
            Some(Fault::FailsAt(at)) if at == n => Err(Failure::failed("failed here, as asked for")),
            Some(Fault::LostAt(at)) if at == n => {
                let _ = rest.pass(call);
                Err(Failure::unknown("lost here, as asked for"))
            }
            Some(Fault::InterruptedAt(at)) if at == n => {
                self.stop.by(2);
                rest.pass(call)
            }
            Some(Fault::StoppedBefore(at)) if at == n => self.stopped(),
            Some(Fault::StoppedAfter(at)) if at == n => {
                let _ = rest.pass(call);
                self.stopped()
            }
            _ => rest.pass(call),
        }
    }
}
