//! Whether a connection lives.
use openssh::Session;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a socket may take to show that its connection lives.
pub(crate) const ALIVE_WITHIN: Duration = Duration::from_secs(2);

/// Returns whether a connection answers. A process that is stopped doesn't.
pub(crate) async fn answers(session: &Session) -> bool {
    timeout(ALIVE_WITHIN, session.check()).await.is_ok_and(|checked| checked.is_ok())
}

/// Returns the connection behind a socket, if it answers.
pub(super) async fn living(socket: &Path) -> Option<Arc<Session>> {
    if !socket.exists() {
        return None;
    }
    let session = Session::resume_mux(socket.into(), None);
    answers(&session).await.then(|| Arc::new(session))
}
