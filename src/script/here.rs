//! What a script function finds in its call context.
use super::{Listeners, Located, RhaiResultOf, Script, Targets, thrown, thrown::located};
use crate::{
    effect::{Effect, Lane},
    event::EventKind,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::Host,
    session::Session,
};
use rhai::{EvalAltResult, FnPtr, GlobalRuntimeState, NativeCallContext};
use std::{
    ops::Deref,
    sync::{Arc, Mutex},
};

/// The lane that a call belongs to, and its run.
#[derive(Clone)]
pub struct Here {
    pub script: Arc<Script>,
    pub session: Arc<Session>,
    pub lane: Arc<Lane>,
    /// The targets, as the last task that named hosts set them.
    pub targets: Arc<Mutex<Option<Targets>>>,
    /// Each closure with the state it was made in: Rhai finds a closure only among the functions of the file that made
    /// it.
    pub defers: Arc<Mutex<Vec<(FnPtr, GlobalRuntimeState)>>>,
    /// Those who listen to what the run tells people.
    pub listeners: Arc<Listeners>,
}

/// Returns the lane that a call belongs to.
///
/// Fails at the top level of a file, which is read before a task starts.
pub fn here<'a>(ctx: &'a NativeCallContext) -> RhaiResultOf<impl Deref<Target = Here> + 'a> {
    let here = ctx.tag().and_then(|tag| tag.read_lock::<Here>());
    here.ok_or_else(|| {
        let message = format!("`{}` is called at the top level of a file, where no task runs", ctx.fn_name());
        thrown(Failure::new(Cause::Fabfile, message).help("put it into a function"))
    })
}

impl Here {
    /// Performs an effect for the script.
    pub fn perform<E: Effect + 'static>(&self, effect: E) -> RhaiResultOf<E::Outcome> {
        self.lane.perform(effect).map_err(thrown)
    }

    /// Reports a text, line by line; inside `each`, under the host's name.
    pub fn note(&self, text: &str) {
        for line in self.session.observed.names.told(text).lines() {
            self.lane.tell(EventKind::Noted { host: self.lane.host.clone(), text: line.to_owned() });
        }
    }

    /// Returns the failure that a script threw, with its places.
    pub fn located(&self, error: &EvalAltResult) -> Box<Located> {
        Box::new(located(error))
    }

    pub fn fleet_of(&self, host: &Host) -> Arc<Fleet> {
        self.session.fleets.get(&host.fleet)
    }

    /// Returns the hosts of a fleet that `--exclude` removes.
    pub fn excluded(&self, fleet: &Fleet) -> Vec<Host> {
        let mut left = fleet.hosts.clone();
        for text in &self.script.exclude {
            // A selection that leaves no host was refused when the targets were handed over.
            left = crate::fleet::selection::excluded(fleet, &left, text).unwrap_or(left);
        }
        fleet.hosts.iter().filter(|host| !left.contains(host)).cloned().collect()
    }

    /// Returns the context for `defer`s, after a success if `well` is set, else after a failure.
    pub fn deferred(&self, well: bool) -> Here {
        let lane = if well { self.lane.closing() } else { self.lane.deferred() };
        Here { lane, defers: Arc::default(), ..self.clone() }
    }
}
