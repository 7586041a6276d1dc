//! The ssh server of a machine: it accepts one key, runs commands, and forwards to the demo's own sockets.
use super::{
    exec,
    host::{DemoHost, USER},
};
use russh::{
    Channel, ChannelId, MethodKind, MethodSet,
    keys::PublicKey,
    server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey},
};
use std::{collections::HashMap, net::IpAddr, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
};

/// Serves a machine until the runtime ends.
pub(super) async fn serve(host: Arc<DemoHost>, listener: TcpListener, operator: PublicKey) {
    let config = Arc::new(server::Config {
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: Duration::from_millis(100),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![host.key.clone()],
        inactivity_timeout: None,
        nodelay: true,
        ..server::Config::default()
    });
    while let Ok((stream, _)) = listener.accept().await {
        let connection = Connection { host: host.clone(), operator: operator.clone(), channels: HashMap::new() };
        let config = config.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            if let Ok(session) = server::run_stream(config, stream, connection).await {
                let _ = session.await;
            }
        });
    }
}

struct Connection {
    host: Arc<DemoHost>,
    operator: PublicKey,
    /// The channels on which nothing runs yet.
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl server::Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let known = user == USER && key.public_key.key_data() == self.operator.key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, line: &[u8], session: &mut Session) -> Result<(), russh::Error> {
        let line = String::from_utf8(line.to_vec()).ok().filter(|line| !line.contains('\0'));
        let (Some(channel), Some(line)) = (self.channels.remove(&id), line) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        tokio::spawn(exec::run(self.host.clone(), line, channel, session.handle()));
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        self.channels.remove(&id);
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        to: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        let to: Option<IpAddr> = to.parse().ok().filter(IpAddr::is_loopback);
        match to.zip(u16::try_from(port).ok()) {
            Some(address) => {
                let near = TcpStream::connect(address).await;
                forward(channel, near, reply).await;
            }
            None => reply.reject(russh::ChannelOpenFailure::AdministrativelyProhibited).await,
        }
        Ok(())
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        path: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if Path::new(path).starts_with(&self.host.folder) {
            forward(channel, UnixStream::connect(path).await, reply).await
        } else {
            reply.reject(russh::ChannelOpenFailure::AdministrativelyProhibited).await
        }
        Ok(())
    }
}

/// Copies bytes in both directions until both sides have ended.
async fn forward<S>(channel: Channel<Msg>, near: std::io::Result<S>, reply: ChannelOpenHandle)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Ok(mut near) = near else {
        return reply.reject(russh::ChannelOpenFailure::ConnectFailed).await;
    };
    reply.accept().await;
    tokio::spawn(async move {
        let _ = copy_bidirectional(&mut channel.into_stream(), &mut near).await;
    });
}

#[cfg(test)]
mod tests;
