//! Local sockets that lead to places on hosts.
use super::{
    carrier::Carrier,
    connection::{SILENT, SshFolder},
};
use crate::{
    failure::{Cause, Failure},
    host::{Host, Name},
    port::Remote,
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::{sync::OnceCell, time::timeout};

/// The local socket of a forward, when it exists.
type ForwardSocket = Arc<OnceCell<PathBuf>>;

/// The forwards of a run; their sockets are removed when it ends.
#[derive(Default)]
pub(super) struct Forwards(Mutex<HashMap<(Name, Remote), ForwardSocket>>);

impl Forwards {
    /// Returns the local socket of a forward, which is opened through `carrier` when it is first needed.
    pub(super) async fn near(
        &self,
        folder: &SshFolder,
        host: &Host,
        to: &Remote,
        carrier: impl Future<Output = Result<Carrier, Failure>>,
    ) -> Result<PathBuf, Failure> {
        let cell = self.0.lock().unwrap().entry((host.name.clone(), to.clone())).or_default().clone();
        let open = async || forward(folder, &carrier.await?, host, to).await;
        cell.get_or_try_init(open).await.cloned()
    }
}

impl Drop for Forwards {
    fn drop(&mut self) {
        for cell in self.0.lock().unwrap().values() {
            if let Some(near) = cell.get() {
                let _ = std::fs::remove_file(near);
            }
        }
    }
}

/// Forwards a new socket in the folder through a connection, and returns its path.
pub(super) async fn forward(
    folder: &SshFolder,
    carrier: &Carrier,
    host: &Host,
    to: &Remote,
) -> Result<PathBuf, Failure> {
    let near = folder.path(&format!("f{:012x}", rand::random::<u64>() >> 16));
    let asked = timeout(SILENT, carrier.forward(&near, to)).await;
    let why = match asked {
        Ok(Ok(())) => return Ok(near),
        Ok(Err(why)) => why,
        Err(_) => "its connection is frozen".to_owned(),
    };
    Err(Failure::new(Cause::Unreachable, format!("nothing can be forwarded through it: {why}")).on(&host.name))
}
