//! Logs in to one host over a stream to its sshd.
use super::{
    connection::NativeConnection,
    key_check::{KeyCheck, OpenRefusals},
    known_host::{KeyVerdict, KnownHost},
    login::{Entered, enter},
    settings::LoginSettings,
    tcp::reason,
    wire::{Greeting, TAKES_WITHIN, Wire},
};
use crate::ssh::connection::{LoginFailure, heard_within};
use russh::{Error, client};
use std::{
    borrow::Cow,
    future::pending,
    sync::{Arc, Mutex},
};
use tokio::io::{AsyncRead, AsyncWrite};

/// How many pieces of output wait in a connection before the host has to wait.
const WAITING: usize = 16;

/// Why a login to one host failed.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    Needs(String),
    Login(LoginFailure),
}

impl Refusal {
    pub(super) fn said(text: impl Into<String>) -> Refusal {
        Refusal::Login(LoginFailure::Refused(text.into()))
    }
}

/// Returns the text at the beginning of what is sent: its length comes before it, by RFC 4251, 5.
fn first_text(sent: &[u8]) -> Option<&str> {
    let (length, rest) = sent.split_first_chunk()?;
    str::from_utf8(rest.get(..u32::from_be_bytes(*length) as usize)?).ok()
}

/// Returns whether a host proved by an allowed kind of signature that its key is its own. A host may sign in another way
/// than both sides agreed on, and russh accepts that.
fn is_soundly_signed(host_key: &[u8], signature: &[u8], known: &KnownHost) -> bool {
    let is_certified = first_text(host_key).is_some_and(|kind| kind.ends_with("-cert-v01@openssh.com"));
    first_text(signature).is_some_and(|kind| known.may_sign(kind, is_certified))
}

/// A login to one host.
pub(super) struct HostLogin {
    pub settings: LoginSettings,
    pub known: Arc<KnownHost>,
    pub through: Option<Arc<NativeConnection>>,
}

impl HostLogin {
    /// Logs in over a stream to the host's sshd.
    pub(super) async fn over(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<NativeConnection, Refusal> {
        let (wire, stop, greeting) = Wire::new(stream, TAKES_WITHIN);
        let (verdict, refusals) = (Arc::new(Mutex::new(None)), OpenRefusals::default());
        let check = KeyCheck { known: self.known.clone(), verdict: verdict.clone(), refusals: refusals.clone() };
        let connecting = client::connect_stream(Arc::new(self.config()), wire, check);
        let greeted = async {
            heard_within(self.settings.connect_within, pending::<()>()).await;
            if greeting.has_come() {
                pending::<()>().await;
            }
        };
        let connected = tokio::select! {
            connected = connecting => connected,
            () = greeted => return Err(Refusal::said("Connection timed out during banner exchange")),
        };
        let mut handle = match (connected, verdict.lock().unwrap().take()) {
            (_, Some(KeyVerdict::Refused(said))) => return Err(Refusal::said(said)),
            (_, Some(KeyVerdict::Undecided(why))) => return Err(Refusal::Needs(why)),
            (Ok(handle), Some(KeyVerdict::Known))
                if handle
                    .agent_session_binding()
                    .is_some_and(|proof| is_soundly_signed(proof.host_key(), proof.signature(), &self.known)) =>
            {
                handle
            }
            (Ok(_), _) => return Err(Refusal::said("Host key verification failed.")),
            (Err(e), _) => return Err(self.broken(&e, &greeting)),
        };
        match enter(&mut handle, &self.settings).await {
            Entered::Yes => Ok(NativeConnection::new(handle, refusals, stop, self.through)),
            Entered::Closed => Err(self.closed()),
            Entered::Denied { methods, unusable } => {
                let others = self.settings.other_logins.iter().map(|way| format!("its ssh configuration has `{way}`"));
                match unusable.into_iter().chain(others).next() {
                    Some(why) => Err(Refusal::Needs(format!("no other key was accepted, and {why}"))),
                    None => {
                        let LoginSettings { user, hostname, .. } = &self.settings;
                        Err(Refusal::said(format!("{user}@{hostname}: Permission denied ({methods}).")))
                    }
                }
            }
        }
    }

    fn config(&self) -> client::Config {
        let mut preferred = self.settings.preferred.clone();
        preferred.key = Cow::Owned(self.known.kinds());
        preferred.host_key_certificates = Cow::Owned(self.known.certified().to_vec());
        client::Config {
            preferred,
            limits: self.settings.limits.clone(),
            keepalive_interval: self.settings.alive_every,
            keepalive_max: self.settings.alive_most,
            channel_buffer_size: WAITING,
            nodelay: true,
            ..client::Config::default()
        }
    }

    fn closed(&self) -> Refusal {
        let LoginSettings { hostname, port, .. } = &self.settings;
        Refusal::said(format!("Connection closed by {hostname} port {port}"))
    }

    /// Tells why a connection broke before the login.
    fn broken(&self, e: &Error, greeting: &Greeting) -> Refusal {
        match e {
            Error::NoCommonAlgo { kind, .. } => {
                Refusal::Needs(format!("this client and its sshd have no {kind:?} algorithm in common"))
            }
            _ if !greeting.has_come() => Refusal::said("kex_exchange_identification: Connection closed by remote host"),
            Error::Disconnect | Error::HUP => self.closed(),
            Error::IO(e) => Refusal::said(reason(e)),
            e => Refusal::said(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
