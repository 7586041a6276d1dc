//! The signals that end the demo early: Ctrl-C, `kill`, a closed terminal.
use crate::failure::Exit;
use rustix::process::Signal;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

/// Receives signals from the moment it is made.
pub(super) struct Signals {
    hear: UnboundedReceiver<Signal>,
    first: Option<Signal>,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Signals> {
        let (told, hear) = unbounded_channel();
        for kind in [Signal::INT, Signal::TERM, Signal::HUP] {
            let (mut stream, told) = (signal(SignalKind::from_raw(kind.as_raw()))?, told.clone());
            tokio::spawn(async move { while stream.recv().await.is_some() && told.send(kind).is_ok() {} });
        }
        Ok(Signals { hear, first: None })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Signal {
        let Some(signal) = self.hear.recv().await else { return std::future::pending().await };
        self.first.get_or_insert(signal);
        signal
    }

    /// Returns the exit of a demo that a signal stopped.
    pub(super) fn exit(&mut self) -> Option<Exit> {
        while let Ok(signal) = self.hear.try_recv() {
            self.first.get_or_insert(signal);
        }
        Some(match self.first? {
            Signal::HUP => Exit::HungUp,
            Signal::TERM => Exit::Terminated,
            _ => Exit::Interrupted,
        })
    }
}
