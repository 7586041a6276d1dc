//! Whether the connection behind a socket lives.
use crate::ssh::carrier::Carrier;
use openssh::Session;
use std::{path::Path, sync::Arc};

/// Returns the connection behind a socket, if it answers.
pub(super) async fn living(socket: &Path) -> Option<Carrier> {
    if !socket.exists() {
        return None;
    }
    let carrier = Carrier::Master(Arc::new(Session::resume_mux(socket.into(), None)));
    carrier.answers().await.then_some(carrier)
}
