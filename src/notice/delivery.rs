//! One message, and how it is delivered.
use crate::{
    command::Command,
    http::{HttpRequest, deliver},
    local::{LocalCall, process},
};
use tokio::sync::Notify;

/// How many bytes rfab reads of a program's output.
const KEPT: usize = 4096;

/// One message, and how it is delivered.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// A request to a server.
    Request(HttpRequest),
    /// A program on this machine, which reads the message.
    Program { local: LocalCall, command: Command },
    /// One that can't be sent, and why.
    Never(String),
}

impl Delivery {
    /// Returns it in words for people. They never have its URL.
    pub(super) fn shown(&self) -> String {
        match self {
            Delivery::Request(request) => format!("`{}`", request.shown()),
            Delivery::Program { local, command } => local.shown(command),
            Delivery::Never(why) => why.clone(),
        }
    }

    /// Delivers it; otherwise returns why not.
    pub(super) async fn deliver(&self) -> Result<(), String> {
        let never = Notify::new();
        match self {
            Delivery::Request(request) => deliver(request, &never).await.map_err(|failure| failure.message),
            Delivery::Program { local, command } => {
                let ended =
                    process::run(local, command, None, KEPT, &never).await.map_err(|failure| failure.message)?;
                if ended.status == 0 {
                    Ok(())
                } else {
                    Err(format!("{} ended with status {}", self.shown(), ended.status))
                }
            }
            Delivery::Never(why) => Err(why.clone()),
        }
    }

    /// Returns what tells it from another message.
    pub(super) fn content(&self) -> String {
        match self {
            Delivery::Request(request) => request.content(),
            Delivery::Program { local, command } => {
                let input = local.stdin.as_ref().map_or("", |text| text.reveal());
                format!("{}\n{input}", command.shown())
            }
            Delivery::Never(why) => why.clone(),
        }
    }
}
