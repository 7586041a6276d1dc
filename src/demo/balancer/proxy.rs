//! Takes requests and passes each to one server, once: the customer sees every failure.
use super::{super::http::Message, server::SharedPool};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    sync::Notify,
};

pub(super) async fn serve(pool: SharedPool, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(pool.clone(), stream));
    }
}

async fn converse(pool: SharedPool, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = Message::read(&mut stream).await? {
        let close = request.closes();
        let open = OpenRequest::on_next(&pool);
        let answer = match &open {
            None => Message::new("HTTP/1.1 503 Service Unavailable", close, "no server is available\n"),
            Some(open) => {
                let answered = tokio::select! {
                    answered = pass_on(open.address, request) => answered,
                    () = open.cut.notified() => Err(io::Error::other("its sessions were shut down")),
                };
                answered.unwrap_or_else(|error| {
                    Message::new("HTTP/1.1 502 Bad Gateway", close, &format!("the server didn't answer: {error}\n"))
                })
            }
        };
        answer.with("Connection", if close { "close" } else { "keep-alive" }).write(&mut stream).await?;
        drop(open);
        if close {
            break;
        }
    }
    Ok(())
}

async fn pass_on(to: SocketAddr, request: Message) -> io::Result<Message> {
    let mut stream = BufReader::new(TcpStream::connect(to).await?);
    stream.get_mut().set_nodelay(true)?;
    request.with("Connection", "close").write(&mut stream).await?;
    Message::read(&mut stream).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// A request that is open on a server until this is dropped.
struct OpenRequest {
    pool: SharedPool,
    server: usize,
    address: SocketAddr,
    cut: Arc<Notify>,
}

impl OpenRequest {
    fn on_next(pool: &SharedPool) -> Option<OpenRequest> {
        let mut locked = pool.lock().unwrap();
        let server = locked.choose()?;
        let (address, cut) = (locked.servers[server].address, locked.servers[server].cut.clone());
        Some(OpenRequest { pool: pool.clone(), server, address, cut })
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.pool.lock().unwrap().servers[self.server].open -= 1;
    }
}
