//! Opens connections in this process: to a host, through the jump hosts before it.
use super::{
    connection::NativeConnection,
    key_check::{KeyCheck, OpenRefusals},
    known_host::{KeyVerdict, KnownHost},
    login::{Entered, enter},
    settings::LoginSettings,
    wire::{Greeting, Wire},
};
use crate::{
    duration::limit,
    host::{Host, Name},
    ssh::connection::{Hop, LOGIN_WITHIN, PAUSE, TURNED_AWAY_WITHIN, Unheard, is_turned_away},
};
use russh::{Error, client};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{sleep, timeout},
};

/// How many pieces of output wait in a connection before the host has to wait.
const WAITING: usize = 16;

/// Why no connection was opened in this process.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// OpenSSH's client is needed.
    Needs { why: String },
    /// A host on the way refused: its number on the way, and why.
    Unheard { at: usize, why: Unheard },
}

/// Why a login to one host failed.
enum Refusal {
    Needs(String),
    Unheard(Unheard),
}

impl Refusal {
    fn said(text: impl Into<String>) -> Refusal {
        Refusal::Unheard(Unheard::Said(text.into()))
    }
}

/// A shared connection to a jump host, as long as somebody uses it.
type SharedJump = Arc<tokio::sync::Mutex<Option<Arc<NativeConnection>>>>;

/// Opens connections in this process, and knows which hosts need OpenSSH's client.
pub(crate) struct NativeOpening {
    home: PathBuf,
    /// Whether a program or the network decides what the configuration says.
    is_fickle: bool,
    jumps: Mutex<HashMap<String, SharedJump>>,
    /// The hosts that need OpenSSH's client, with the reason; and whether the run said so.
    needing: Mutex<BTreeMap<Name, (String, bool)>>,
}

impl NativeOpening {
    pub(crate) fn new(home: &Path, is_fickle: bool) -> Self {
        Self { home: home.to_owned(), is_fickle, jumps: Mutex::default(), needing: Mutex::default() }
    }

    /// Returns the hosts that need OpenSSH's client and that weren't returned before.
    pub(crate) fn fallbacks(&self) -> Vec<(Name, String)> {
        let mut needing = self.needing.lock().unwrap();
        let fresh = needing.iter_mut().filter(|(_, (_, said))| !said);
        fresh
            .map(|(host, (why, said))| {
                *said = true;
                (host.clone(), why.clone())
            })
            .collect()
    }

    /// Opens a connection to the last host on a way.
    pub(crate) async fn open(&self, host: &Host, route: &[Hop]) -> Result<Arc<NativeConnection>, NotOpened> {
        let known = self.needing.lock().unwrap().get(&host.name).map(|(why, _)| why.clone());
        let needs = match known {
            None if self.is_fickle => Some("its ssh configuration has `Match exec` or `Match localnetwork`".to_owned()),
            known => known,
        };
        let opened = match needs {
            Some(why) => Err(NotOpened::Needs { why }),
            None => self.by_way(route).await,
        };
        if let Err(NotOpened::Needs { why }) = &opened {
            self.needing.lock().unwrap().entry(host.name.clone()).or_insert_with(|| (why.clone(), false));
        }
        opened
    }

    async fn by_way(&self, route: &[Hop]) -> Result<Arc<NativeConnection>, NotOpened> {
        let (last, jumps) = route.split_last().expect("a host is on the way to itself");
        let mut through = None;
        for (at, hop) in jumps.iter().enumerate() {
            let jump = self.jumps.lock().unwrap().entry(hop.key()).or_default().clone();
            let mut shared = jump.lock().await;
            let connection = match shared.as_ref().filter(|connection| connection.is_open()) {
                Some(connection) => connection.clone(),
                None => self.patiently(hop, through).await.map_err(|refusal| refusal.at(at))?,
            };
            *shared = Some(connection.clone());
            through = Some(connection);
        }
        self.patiently(last, through).await.map_err(|refusal| refusal.at(jumps.len()))
    }

    /// Logs in to a host; tries again while it turns logins away, as with too many in progress.
    async fn patiently(
        &self,
        hop: &Hop,
        through: Option<Arc<NativeConnection>>,
    ) -> Result<Arc<NativeConnection>, Refusal> {
        let until = Instant::now() + TURNED_AWAY_WITHIN;
        loop {
            let login = timeout(LOGIN_WITHIN, self.login(hop, through.clone())).await;
            let entered = login.unwrap_or_else(|_| {
                Err(Refusal::Unheard(Unheard::Why(format!("no login within {}", limit(LOGIN_WITHIN)))))
            });
            let pause = PAUSE.mul_f64(rand::random());
            match entered {
                Err(Refusal::Unheard(Unheard::Said(said)))
                    if is_turned_away(&said) && Instant::now() + pause < until => {}
                entered => return entered.map(Arc::new),
            }
            sleep(pause).await;
        }
    }

    async fn login(&self, hop: &Hop, through: Option<Arc<NativeConnection>>) -> Result<NativeConnection, Refusal> {
        let settings = LoginSettings::of(hop, &self.home).map_err(Refusal::Needs)?;
        let known = KnownHost::of(hop, settings.signed_by.clone()).map_err(Refusal::Needs)?;
        if let Some(why) = known.uncheckable(&settings.host_keys) {
            return Err(Refusal::Needs(why));
        }
        let login = HostLogin { settings, known: Arc::new(known), through };
        match &login.through {
            Some(jump) => {
                let channel = jump.onward(&login.settings.hostname, login.settings.port).await;
                let channel = channel.map_err(Refusal::said)?;
                login.over(channel.into_stream()).await
            }
            None => {
                let stream = tcp(&login.settings).await?;
                login.over(stream).await
            }
        }
    }
}

impl Refusal {
    fn at(self, at: usize) -> NotOpened {
        match self {
            Refusal::Needs(why) => NotOpened::Needs { why },
            Refusal::Unheard(why) => NotOpened::Unheard { at, why },
        }
    }
}

/// A login to one host.
struct HostLogin {
    settings: LoginSettings,
    known: Arc<KnownHost>,
    through: Option<Arc<NativeConnection>>,
}

impl HostLogin {
    /// Logs in over a stream to the host's sshd.
    async fn over(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<NativeConnection, Refusal> {
        let (wire, stop, greeting) = Wire::new(stream);
        let (verdict, refusals) = (Arc::new(Mutex::new(None)), OpenRefusals::default());
        let check = KeyCheck { known: self.known.clone(), verdict: verdict.clone(), refusals: refusals.clone() };
        let connecting = client::connect_stream(Arc::new(self.config()), wire, check);
        let greeted = async {
            sleep(self.settings.connect_within).await;
            if greeting.has_come() {
                std::future::pending::<()>().await;
            }
        };
        let connected = tokio::select! {
            connected = connecting => connected,
            () = greeted => return Err(Refusal::said("Connection timed out during banner exchange")),
        };
        let mut handle = match (connected, verdict.lock().unwrap().take()) {
            (_, Some(KeyVerdict::Refused(said))) => return Err(Refusal::said(said)),
            (_, Some(KeyVerdict::Undecided(why))) => return Err(Refusal::Needs(why)),
            (Ok(handle), Some(KeyVerdict::Known)) => handle,
            (Ok(_), None) => return Err(Refusal::said("Host key verification failed.")),
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
        preferred.key = Cow::Owned(self.known.kinds(&self.settings.host_keys));
        if self.known.has_authority() {
            preferred.host_key_certificates = preferred.key.clone();
        }
        client::Config {
            preferred,
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
                Refusal::Needs(format!("this client has no {kind:?} algorithm of its sshd"))
            }
            _ if !greeting.has_come() => Refusal::said("kex_exchange_identification: Connection closed by remote host"),
            Error::Disconnect | Error::HUP => self.closed(),
            Error::IO(e) => Refusal::said(reason(e)),
            e => Refusal::said(e.to_string()),
        }
    }
}

/// Connects to the first address of a host that answers.
async fn tcp(settings: &LoginSettings) -> Result<TcpStream, Refusal> {
    let LoginSettings { hostname, port, .. } = settings;
    let unresolved = |why: String| Refusal::said(format!("ssh: Could not resolve hostname {hostname}: {why}"));
    let found = timeout(settings.connect_within, lookup_host((hostname.as_str(), *port))).await;
    let addresses = found.map_err(|_| unresolved("no answer".to_owned()))?.map_err(|e| unresolved(resolving(&e)))?;
    let mut failed = None;
    for address in addresses.filter(|address| settings.only_ipv4.is_none_or(|only| only == address.is_ipv4())) {
        match timeout(settings.connect_within, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(e)) => failed = Some(reason(&e)),
            Err(_) => failed = Some("Connection timed out".to_owned()),
        }
    }
    let why = failed.unwrap_or_else(|| "it has no such address".to_owned());
    Err(Refusal::said(format!("ssh: connect to host {hostname} port {port}: {why}")))
}

/// Returns the system's words for an error, without its number.
fn reason(e: &io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn resolving(e: &io::Error) -> String {
    let text = reason(e);
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}
