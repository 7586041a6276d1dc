//! Records how long each step of a script took.
use super::{Journal, Record};
use crate::event::{Event, EventKind, Listener};
use std::sync::Arc;

/// A listener in front of the one that shows events.
pub struct Steps {
    pub journal: Arc<Journal>,
    pub then: Arc<dyn Listener>,
}

impl Listener for Steps {
    fn tell(&self, event: &Event) {
        if let EventKind::StepFinished { step, host, took, failed } = &event.what {
            let (lane, step, host) = (event.lane.clone(), step.clone(), host.clone());
            let record = Record::Step { lane, step, host, took: *took, failed: *failed };
            // Not important: if the write fails, the next change will notice.
            let _ = self.journal.write(&record, false);
        }
        self.then.tell(event);
    }

    fn aside(&self, talk: &mut dyn FnMut()) {
        self.then.aside(talk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::read;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Listener for Heard {
        fn tell(&self, event: &Event) {
            self.0.lock().unwrap().push(serde_json::to_value(event).unwrap()["event"].to_string());
        }
    }

    #[test]
    fn a_step_is_in_the_journal_when_it_is_over_and_everything_is_told_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let heard = Arc::new(Heard::default());
        let steps = Steps { journal: Arc::new(Journal::create(&path).unwrap()), then: heard.clone() };
        let (step, host) = ("build".to_owned(), Some("web1".into()));
        for what in [
            EventKind::StepStarted { step: step.clone(), host: host.clone() },
            EventKind::Noted { host: None, text: "x".into() },
            EventKind::StepFinished { step, host, took: 12, failed: true },
        ] {
            steps.tell(&Event { v: 1, at: 1, run: "r".into(), lane: "each/web1".into(), what });
        }
        let texts: Vec<String> =
            read(&path).unwrap().records.into_iter().map(|r| String::from_utf8(r).unwrap()).collect();
        let step = r#"{"step":{"lane":"each/web1","step":"build","host":"web1","took":12,"failed":true}}"#;
        assert_eq!(texts, [step]);
        assert_eq!(*heard.0.lock().unwrap(), [r#""step_started""#, r#""noted""#, r#""step_finished""#]);
    }
}
