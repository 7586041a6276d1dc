//! Servers that go silent or answer late, and a forward whose socket fails.
use super::{
    super::{
        connection::accept,
        test_login::{line, login, new_key, put},
    },
    *,
};
use russh::{
    ChannelId, MethodKind, MethodSet,
    server::{self, Auth, VerifiedPublicKey},
};
use std::{
    collections::VecDeque,
    io,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::timeout,
};

const SOON: Duration = Duration::from_secs(120);

/// What a test decides for a server, and sees of it.
#[derive(Clone, Default)]
struct Doings {
    /// Whether channels are confirmed at once; the test confirms the others.
    holds_back: Arc<Mutex<bool>>,
    held_back: Arc<Mutex<Vec<server::ChannelOpenHandle>>>,
    closed: Arc<AtomicUsize>,
}

/// The port from which more comes than anybody reads.
const FLOOD: u32 = 1;

/// A server that lets everyone in. The command `freeze` makes it say nothing more; on forwards, it says `led`.
struct Odd(Doings);

impl server::Handler for Odd {
    type Error = Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<server::Msg>,
        reply: server::ChannelOpenHandle,
        _: &mut server::Session,
    ) -> Result<(), Error> {
        if *self.0.holds_back.lock().unwrap() {
            self.0.held_back.lock().unwrap().push(reply);
        } else {
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<server::Msg>,
        _: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: server::ChannelOpenHandle,
        _: &mut server::Session,
    ) -> Result<(), Error> {
        reply.accept().await;
        tokio::spawn(async move {
            let mut stream = channel.into_stream();
            while port == FLOOD && stream.write_all(&[b'x'; 1024]).await.is_ok() {}
            stream.write_all(b"led").await
        });
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, _: &[u8], session: &mut server::Session) -> Result<(), Error> {
        session.channel_success(id)?;
        std::future::pending().await
    }

    async fn channel_close(&mut self, _: ChannelId, _: &mut server::Session) -> Result<(), Error> {
        self.0.closed.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// Logs in to such a server, which the client asks for a sign of life this often, if at all.
async fn connected(doings: &Doings, alive_every: Option<Duration>) -> NativeConnection {
    let folder = tempfile::tempdir().unwrap();
    let (key, host) = (new_key(), new_key());
    put(&key, folder.path());
    let mut login = login(folder.path(), &line(&host));
    (login.settings.alive_every, login.settings.alive_most) = (alive_every, 2);
    let methods = MethodSet::from(&[MethodKind::PublicKey][..]);
    let config = server::Config { keys: vec![host], methods, ..server::Config::default() };
    // Both ends are russh, which doesn't read while it can't write: each direction has room for what is on its way.
    let ((near, far), odd) = (duplex(8 << 20), Odd(doings.clone()));
    tokio::spawn(async move {
        if let Ok(session) = server::run_stream(Arc::new(config), far, odd).await {
            let _ = session.await;
        }
    });
    login.over(near).await.unwrap_or_else(|_| panic!("it isn't logged in"))
}

#[tokio::test]
async fn a_server_that_goes_silent_is_noticed_by_a_deadline_and_by_pings() {
    // Nobody pings: whoever asks whether it lives waits for so long, and no longer.
    let connection = connected(&Doings::default(), None).await;
    let moment = Duration::from_millis(200);
    assert!(connection.answers_within(Duration::ZERO, SOON).await);
    let _frozen = connection.spawn("freeze").await.unwrap();
    while connection.answers_within(Duration::ZERO, moment).await {}
    assert!(connection.is_open(), "neither side has ended it");
    // What came a moment ago still counts, so a server isn't asked before each command.
    assert!(connection.answers_within(SOON, moment).await);
    // The client pings by itself, and ends the connection without anybody asking.
    let connection = connected(&Doings::default(), Some(Duration::from_millis(50))).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(connection.is_open(), "it answers the pings");
    let _frozen = connection.spawn("freeze").await.unwrap();
    let ended = async {
        while connection.is_open() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, ended).await.expect("an end");
    assert!(!connection.answers().await && connection.spawn("true").await.is_err());
}

#[tokio::test]
async fn a_channel_that_nobody_waits_for_any_more_is_closed_when_the_server_confirms_it() {
    let doings = Doings::default();
    let connection = connected(&doings, None).await;
    *doings.holds_back.lock().unwrap() = true;
    let mut asking = Box::pin(connection.spawn("true"));
    while doings.held_back.lock().unwrap().is_empty() {
        assert!(timeout(Duration::from_millis(5), &mut asking).await.is_err(), "the server hasn't answered");
    }
    drop(asking);
    let late = doings.held_back.lock().unwrap().pop().unwrap();
    assert_eq!(doings.closed.load(SeqCst), 0);
    late.accept().await;
    let closed = async {
        while doings.closed.load(SeqCst) == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, closed).await.expect("the client closes it");
    *doings.holds_back.lock().unwrap() = false;
    assert!(connection.answers().await && connection.spawn("true").await.is_ok());
}

#[tokio::test]
async fn a_forward_goes_on_after_its_socket_has_failed_and_ends_with_its_connection() {
    let connection = Arc::new(connected(&Doings::default(), None).await);
    let (mut near, accepted) = UnixStream::pair().unwrap();
    let (_other, last) = UnixStream::pair().unwrap();
    let many_files = || io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
    let results = [Err(many_files()), Err(many_files()), Ok(accepted)];
    let results = Arc::new(Mutex::new(VecDeque::from(results)));
    let (asked, ended) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (asks, ends) = (asked.clone(), ended.clone());
    let next = move || {
        let (asks, ends, result) = (asks.clone(), ends.clone(), results.lock().unwrap().pop_front());
        async move {
            if let Some(result) = result {
                return result;
            }
            asks.notify_one();
            ends.notified().await;
            Err(many_files())
        }
    };
    let accepting = tokio::spawn(accept(Arc::downgrade(&connection), Remote::Tcp("web1".into(), 80), next));
    let mut led = [0; 3];
    timeout(SOON, near.read_exact(&mut led)).await.expect("the forward leads on").unwrap();
    assert_eq!(&led, b"led");
    asked.notified().await;
    drop((connection, last));
    ended.notify_one();
    timeout(SOON, accepting).await.expect("without its connection, it accepts nothing more").unwrap();
}

#[tokio::test]
async fn a_connection_through_a_host_that_is_not_read_ends_and_holds_up_no_other_one() {
    let connection = connected(&Doings::default(), None).await;
    let moment = Duration::from_millis(200);
    let mut stuck = connection.onward_within("web1", FLOOD as u16, moment).await.unwrap();
    // So much waits that the client stops to hear the host, until the stream that nobody reads has ended.
    let led = async {
        for _ in 0..100 {
            let (mut other, mut said) = (connection.onward_within("web2", 22, SOON).await.unwrap(), [0; 3]);
            other.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"led");
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, led).await.expect("the others go on");
    let (mut all, mut read) = (0, vec![0; 1 << 16]);
    let ended = async {
        loop {
            match stuck.read(&mut read).await {
                Ok(length) if length > 0 => all += length,
                ended => return ended,
            }
        }
    };
    assert!(matches!(timeout(SOON, ended).await.expect("its end"), Ok(0)));
    assert!((1 << 20..3 << 20).contains(&all), "what had room can still be read: {all}");
    drop(stuck);
    assert!(connection.answers().await);
}
