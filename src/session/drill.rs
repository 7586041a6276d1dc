//! A drill: the operator names an effect at which the run is killed or interrupted.
use super::{InnerLayers, Stop};
use crate::effect::{Answered, Call, EffectKind};
use rustix::process::{Signal, getpid, kill_process};
use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

/// What happens to this process, and at which effect.
#[derive(Clone, Debug)]
pub struct Drill {
    what: DrillAction,
    when: DrillMoment,
    lane: String,
    number: u32,
    /// Whether the run reached the effect.
    came: Arc<AtomicBool>,
    /// Whether the kill or interrupt took place.
    met: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DrillAction {
    Kill,
    Interrupt,
    InterruptTwice,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DrillMoment {
    /// The effect is in the journal and hasn't begun.
    Before,
    /// The effect began a moment ago, and may still be in progress.
    Amid,
    /// The effect is done, and its end isn't in the journal.
    After,
}

/// The time between the start of an effect and the strike, and between two interrupts.
const MOMENT: Duration = Duration::from_millis(150);

impl Drill {
    /// Returns whether this is the effect; a hold never is.
    pub fn is_of(&self, call: &Call<'_>) -> bool {
        call.effect.kind() != EffectKind::Hold && *call.lane.path == *self.lane && call.number == self.number
    }

    /// Performs the effect, and strikes before, during or after it.
    pub fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>, stop: &Arc<Stop>) -> Answered {
        self.came.store(true, SeqCst);
        match self.when {
            DrillMoment::Before => self.strike(stop),
            DrillMoment::Amid => {
                let (drill, stop) = (self.clone(), stop.clone());
                thread::spawn(move || {
                    thread::sleep(MOMENT);
                    drill.strike(&stop);
                });
            }
            DrillMoment::After => {}
        }
        let answered = rest.pass(call);
        if self.when == DrillMoment::After {
            self.strike(stop);
        }
        answered
    }

    /// Returns why nothing happened in a run that is over.
    pub fn missed(&self) -> Option<&'static str> {
        match (self.met.load(SeqCst), self.came.load(SeqCst)) {
            (true, _) => None,
            (false, true) => Some("the effect and the run ended before the drill's moment came"),
            (false, false) => Some("it has no such effect"),
        }
    }

    fn strike(&self, stop: &Stop) {
        self.met.store(true, SeqCst);
        if self.what == DrillAction::Kill {
            send(Signal::KILL);
            loop {
                thread::park();
            }
        }
        send(Signal::INT);
        // A run that ignores interrupts continues.
        for _ in 0..1000 {
            if stop.signal().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        if self.what == DrillAction::InterruptTwice {
            thread::spawn(|| {
                thread::sleep(MOMENT);
                send(Signal::INT);
            });
        }
    }
}

/// Sends a signal to this process.
fn send(signal: Signal) {
    let _ = kill_process(getpid(), signal);
}

/// Parses `WHAT:WHEN:LANE#NUMBER`, which names the effect as the journal does.
impl FromStr for Drill {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, rest) = text.split_once(':').unwrap_or((text, ""));
        let (when, effect) = rest.split_once(':').unwrap_or((rest, ""));
        let what = match what {
            "kill" => DrillAction::Kill,
            "int" => DrillAction::Interrupt,
            "int2" => DrillAction::InterruptTwice,
            other => return Err(format!("`{other}` isn't `kill`, `int` or `int2`")),
        };
        let when = match when {
            "before" => DrillMoment::Before,
            "amid" => DrillMoment::Amid,
            "after" => DrillMoment::After,
            other => return Err(format!("`{other}` isn't `before`, `amid` or `after`")),
        };
        let (lane, number) = effect.rsplit_once('#').ok_or_else(|| format!("`{effect}` isn't a `LANE#NUMBER`"))?;
        let number = number.parse().map_err(|_| format!("there is no effect number `{number}`"))?;
        Ok(Drill { what, when, lane: lane.to_owned(), number, came: Arc::default(), met: Arc::default() })
    }
}

/// Writes `killed before 1.release/4.web1#2`.
impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            DrillAction::Kill => "killed",
            DrillAction::Interrupt => "interrupted",
            DrillAction::InterruptTwice => "interrupted twice",
        };
        let when = match self.when {
            DrillMoment::Before => "before",
            DrillMoment::Amid => "amid",
            DrillMoment::After => "after",
        };
        write!(f, "{what} {when} {}#{}", self.lane, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_that_came_too_late_says_so_and_not_that_there_is_no_such_effect() {
        let drill: Drill = "kill:amid:1.a#1".parse().unwrap();
        assert_eq!(drill.missed(), Some("it has no such effect"));
        drill.came.store(true, SeqCst);
        assert_eq!(drill.missed(), Some("the effect and the run ended before the drill's moment came"));
        drill.met.store(true, SeqCst);
        assert_eq!(drill.missed(), None);
    }

    #[test]
    fn a_drill_says_what_happens_when_and_at_which_effect() {
        let read = |text: &str| text.parse::<Drill>().map(|drill| drill.to_string());
        for (text, said) in [
            ("kill:before:1.release/4.web1#2", "killed before 1.release/4.web1#2"),
            ("int:after:#0", "interrupted after #0"),
            ("kill:amid:0.a!#1", "killed amid 0.a!#1"),
            ("int2:before:1.release!#7", "interrupted twice before 1.release!#7"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(said));
        }
        for (text, wrong) in [
            ("", "`` isn't `kill`, `int` or `int2`"),
            ("hang:before:1.a#1", "`hang` isn't `kill`, `int` or `int2`"),
            ("kill", "`` isn't `before`, `amid` or `after`"),
            ("kill:at:1.a#1", "`at` isn't `before`, `amid` or `after`"),
            ("kill:after", "`` isn't a `LANE#NUMBER`"),
            ("kill:after:1.a", "`1.a` isn't a `LANE#NUMBER`"),
            ("kill:after:1.a#one", "there is no effect number `one`"),
        ] {
            assert_eq!(read(text), Err(wrong.to_owned()), "{text}");
        }
    }
}
