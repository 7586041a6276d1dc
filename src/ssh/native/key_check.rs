//! Checks a host's key as soon as the host has proven that it has it, and refuses what a server may ask of a client.
use super::known_host::{KeyVerdict, KnownHost};
use russh::{
    Channel, ChannelId, ChannelOpenFailure,
    client::{ChannelOpenHandle, Handler, Msg, Session},
    keys::PublicKeyOrCertificate,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::SystemTime,
};

/// Checks the key of the server at the other end, and refuses everything that a server may ask of a client.
pub(super) struct KeyCheck {
    pub known: Arc<KnownHost>,
    pub verdict: Arc<Mutex<Option<KeyVerdict>>>,
    pub refusals: OpenRefusals,
}

/// Why the server refused to open channels, in its own words, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenRefusals(Arc<Mutex<VecDeque<String>>>);

impl OpenRefusals {
    /// The most that are kept.
    const MOST: usize = 64;

    fn add(&self, why: &str) {
        let mut all = self.0.lock().unwrap();
        all.push_back(why.chars().take(200).collect());
        if all.len() > Self::MOST {
            all.pop_front();
        }
    }

    /// Returns the oldest one, which is removed.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap().pop_front()
    }
}

type Answer = Result<(), russh::Error>;

async fn denied(reply: ChannelOpenHandle) -> Answer {
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

impl Handler for KeyCheck {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        let verdict = self.known.verdict(shown, now);
        let is_known = verdict == KeyVerdict::Known;
        *self.verdict.lock().unwrap() = Some(verdict);
        Ok(is_known)
    }

    async fn channel_open_failure(
        &mut self,
        _: ChannelId,
        _: ChannelOpenFailure,
        why: &str,
        _: &str,
        _: &mut Session,
    ) -> Answer {
        self.refusals.add(why);
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Answer {
        denied(reply).await
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Answer {
        denied(reply).await
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Answer {
        denied(reply).await
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Answer {
        denied(reply).await
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Answer {
        denied(reply).await
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Answer {
        denied(reply).await
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Answer {
        denied(reply).await
    }
}
