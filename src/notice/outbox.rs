//! The messages of a run that are on their way.
use super::Delivery;
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Mutex,
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// How long a message may take, from the moment that it's told.
const WITHIN: Duration = Duration::from_secs(3);

/// The messages of a run that are on their way.
#[derive(Default)]
pub(super) struct Outbox(Mutex<PostedMessages>);

#[derive(Default)]
struct PostedMessages {
    /// The end of each service's last message: the next one waits for it, so that they arrive in order.
    last: BTreeMap<String, oneshot::Receiver<()>>,
    sent: Vec<JoinHandle<Result<(), String>>>,
    /// The messages so far, which aren't sent again.
    known: BTreeSet<(String, String)>,
}

impl Outbox {
    /// Starts to deliver a message, and returns before it is delivered.
    pub(super) fn post(&self, service: &str, delivery: Delivery, again: bool) {
        let mut posted = self.0.lock().unwrap();
        if !posted.known.insert((service.to_owned(), delivery.content())) && !again {
            return;
        }
        let (done, next) = oneshot::channel::<()>();
        let before = posted.last.insert(service.to_owned(), next);
        let delivered = async move {
            // It's dropped when this message has ended, one way or another.
            let _done = done;
            let turn = async {
                // An error means the same: the one before has ended.
                if let Some(before) = before {
                    let _ = before.await;
                }
                delivery.deliver().await
            };
            let late = |_| Err(format!("{} took longer than {} s", delivery.shown(), WITHIN.as_secs()));
            timeout(WITHIN, turn).await.unwrap_or_else(late)
        };
        posted.sent.push(tokio::spawn(delivered));
    }

    /// Waits until all messages have ended, or until `stops` is notified; returns why some weren't delivered.
    pub(super) async fn undelivered(&self, stops: &Notify) -> Vec<String> {
        let sent = std::mem::take(&mut self.0.lock().unwrap().sent);
        let mut stopped = pin!(stops.notified());
        let mut missed = Vec::new();
        for mut message in sent {
            let ended = tokio::select! {
                ended = &mut message => ended.unwrap_or_else(|e| Err(e.to_string())),
                () = &mut stopped => {
                    message.abort();
                    Err("interrupted".to_owned())
                }
            };
            missed.extend(ended.err());
        }
        missed
    }
}
