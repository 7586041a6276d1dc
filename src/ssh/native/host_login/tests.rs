//! Servers that are silent, never end or send nonsense, and one that asks a client for what it must not give.
use super::{
    super::test_login::{line, login, new_key, put},
    *,
};
use russh::{
    Channel, ChannelId, ChannelMsg, MethodKind, MethodSet,
    keys::{PrivateKey, PublicKey},
    server::{self, Auth, VerifiedPublicKey},
};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::timeout,
};

fn said(refused: Result<NativeConnection, Refusal>) -> String {
    match refused {
        Ok(_) => panic!("it is logged in"),
        Err(Refusal::Login(LoginFailure::Refused(text) | LoginFailure::Silent(text)) | Refusal::Needs(text)) => text,
    }
}

/// Returns why there's no login at a server that sends only this, and how long that took.
async fn refused(first: &[u8], endless: &'static [u8]) -> (String, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let (near, mut far) = duplex(1 << 16);
    far.write_all(first).await.unwrap();
    tokio::spawn(async move {
        while !endless.is_empty() && far.write_all(endless).await.is_ok() {}
        far.read_to_end(&mut Vec::new()).await
    });
    let begun = Instant::now();
    (said(login(folder.path(), "").over(near).await), begun.elapsed())
}

#[test]
fn a_proof_counts_by_the_kind_of_its_signature_and_one_that_is_torn_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let known = login(folder.path(), "").known;
    let sent = |text: &str| [&(text.len() as u32).to_be_bytes(), text.as_bytes(), b"more"].concat();
    let key = sent("ssh-ed25519");
    for (signature, is_sound) in [
        (sent("ssh-ed25519"), true),
        (sent("rsa-sha2-256"), false),
        (sent("ssh-rsa"), false),
        (sent(""), false),
        (sent("ssh-ed25519")[..14].to_vec(), false),
        (Vec::new(), false),
        (vec![0xff; 4], false),
    ] {
        assert_eq!(is_soundly_signed(&key, &signature, &known), is_sound, "{signature:?}");
    }
    let certificate = sent("ssh-ed25519-cert-v01@openssh.com");
    assert!(!is_soundly_signed(&certificate, &sent("ssh-ed25519"), &known), "it allows no certificate");
}

#[tokio::test]
async fn a_server_that_is_silent_never_ends_or_sends_nonsense_is_given_up() {
    let (silent, took) = refused(b"", b"").await;
    assert_eq!(silent, "Connection timed out during banner exchange");
    assert!(took >= Duration::from_secs(1), "{took:?}");
    for (first, endless) in [
        (&b""[..], &b"hello\r\n"[..]),
        (b"", b"x"),
        (b"SSH-1.5-old\r\n", b"old\r\n"),
        (b"SSH-2.0-huge\r\n\xff\xff\xff\xff", b"\xff"),
        (b"SSH-2.0-none\r\n\0\0\0\x0c\x0a\x14", b"\0"),
    ] {
        let (why, took) = refused(first, endless).await;
        assert!(!why.is_empty() && took < Duration::from_secs(20), "{first:?}: {why} after {took:?}");
    }
}

/// A server that accepts one key, and asks each client for its agent. It runs a few commands.
struct Greedy {
    operator: PublicKey,
    asked: Arc<Mutex<Option<bool>>>,
    /// The channels without a command.
    channels: Vec<Channel<server::Msg>>,
}

impl Greedy {
    /// Runs a command: `print SIZE` prints so many bytes on stderr, `take SIZE` reads so many, and says so.
    async fn run(channel: Channel<server::Msg>, command: String) -> Option<()> {
        let (word, size) = command.split_once(' ')?;
        let size: usize = size.parse().ok()?;
        let (mut reading, writing) = channel.split();
        if word == "print" {
            tokio::spawn(async move { while reading.wait().await.is_some() {} });
            for _ in 0..size / 1024 {
                writing.extended_data_bytes(1, vec![b'x'; 1024]).await.ok()?;
            }
            return Some(());
        }
        let mut taken = 0;
        while taken < size {
            if let ChannelMsg::Data { data } = reading.wait().await? {
                taken += data.len();
            }
        }
        writing.data_bytes("taken").await.ok()?;
        writing.eof().await.ok()
    }
}

impl server::Handler for Greedy {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let known = key.public_key.key_data() == self.operator.key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<server::Msg>,
        reply: server::ChannelOpenHandle,
        _: &mut server::Session,
    ) -> Result<(), russh::Error> {
        self.channels.push(channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        line: &[u8],
        session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(id)?;
        if let Some(at) = self.channels.iter().position(|channel| channel.id() == id) {
            let line = String::from_utf8_lossy(line).into_owned();
            tokio::spawn(Self::run(self.channels.remove(at), line));
        }
        Ok(())
    }

    async fn auth_succeeded(&mut self, session: &mut server::Session) -> Result<(), russh::Error> {
        let (handle, asked) = (session.handle(), self.asked.clone());
        tokio::spawn(async move {
            let opened = handle.channel_open_agent().await;
            *asked.lock().unwrap() = Some(opened.is_ok());
        });
        Ok(())
    }
}

fn serve(stream: DuplexStream, key: PrivateKey, operator: PublicKey) -> Arc<Mutex<Option<bool>>> {
    let asked = Arc::new(Mutex::new(None));
    let greedy = Greedy { operator, asked: asked.clone(), channels: Vec::new() };
    let methods = MethodSet::from(&[MethodKind::PublicKey][..]);
    let config = server::Config { keys: vec![key], methods, ..server::Config::default() };
    tokio::spawn(async move {
        if let Ok(session) = server::run_stream(Arc::new(config), stream, greedy).await {
            let _ = session.await;
        }
    });
    asked
}

#[tokio::test]
async fn a_server_gets_nothing_that_it_asks_for_and_an_unknown_one_gets_no_login() {
    let folder = tempfile::tempdir().unwrap();
    let (key, host) = (new_key(), new_key());
    put(&key, folder.path());
    let enter = async |known: &str, operator: &PrivateKey| {
        let (near, far) = duplex(1 << 16);
        let asked = serve(far, host.clone(), operator.public_key().clone());
        (login(folder.path(), known).over(near).await, asked)
    };
    let (entered, asked) = enter(&line(&host), &key).await;
    let connection = match entered {
        Ok(connection) => connection,
        refused => panic!("the key is known on both sides: {}", said(refused)),
    };
    while asked.lock().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(*asked.lock().unwrap(), Some(false), "the client gives no agent");
    assert!(connection.is_open());
    for (known, operator, why) in [
        (String::new(), &key, "No ED25519 host key is known for web1"),
        (line(&new_key()), &key, "Host key for web1 has changed"),
        (line(&host), &new_key(), "deploy@web1: Permission denied (publickey"),
    ] {
        let (entered, asked) = enter(&known, operator).await;
        let said = said(entered);
        assert!(said.contains(why), "{said}");
        assert_eq!(*asked.lock().unwrap(), None);
    }
}

const SOON: Duration = Duration::from_secs(120);

/// Uploads more than a window, and returns what the server says about it.
async fn uploaded(connection: &NativeConnection) -> String {
    let size = 3 << 20;
    let mut child = connection.spawn(&format!("take {size}")).await.unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let feeding = tokio::spawn(async move {
        stdin.write_all(&vec![b'x'; size]).await.unwrap();
        stdin
    });
    let mut said = String::new();
    stdout.read_to_string(&mut said).await.unwrap();
    feeding.await.unwrap();
    said
}

#[tokio::test]
async fn a_stream_that_nobody_reads_holds_up_no_other_command_and_ends_with_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (key, host) = (new_key(), new_key());
    put(&key, folder.path());
    // Both ends are russh, which doesn't read while it can't write: each direction has room for what is on its way.
    let (near, far) = duplex(8 << 20);
    serve(far, host.clone(), key.public_key().clone());
    let Ok(connection) = login(folder.path(), &line(&host)).over(near).await else { panic!("it isn't logged in") };
    // A window of output waits here.
    let unread = connection.spawn(&format!("print {}", 1 << 20)).await.unwrap();
    assert_eq!(timeout(SOON, uploaded(&connection)).await.unwrap(), "taken");
    drop(unread);
    // More than that stops the connection, in the middle of another command's upload, until it's no longer wanted.
    let flood = connection.spawn(&format!("print {}", 1 << 30)).await.unwrap();
    let mut uploading = Box::pin(uploaded(&connection));
    let mut uploads = 0;
    while timeout(Duration::from_secs(1), &mut uploading).await.is_ok() {
        uploads += 1;
        assert!(uploads < 60, "the flood takes no more than its room");
        uploading = Box::pin(uploaded(&connection));
    }
    drop(flood);
    assert_eq!(timeout(SOON, uploading).await.expect("the channel is closed from here"), "taken");
    assert!(connection.answers().await);
}
