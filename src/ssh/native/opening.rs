//! Opens connections in this process: to a host, through the jump hosts before it.
use super::{
    connection::NativeConnection,
    host_login::{HostLogin, Refusal},
    known_host::KnownHost,
    settings::LoginSettings,
    tcp::tcp,
};
use crate::{
    duration::limit,
    host::{Host, Name},
    ssh::connection::{Hop, LOGIN_WITHIN, LoginFailure, PAUSE, TURNED_AWAY_WITHIN, heard_within, is_turned_away},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Why no connection was opened in this process.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// OpenSSH's client is needed.
    Needs { why: String },
    /// A host on the way refused: its number on the way, and why.
    Login { at: usize, why: LoginFailure },
}

/// Why a host needs OpenSSH's client where rfab can't tell what the configuration says.
const FICKLE: &str =
    "its ssh configuration has `Match exec`, `Match localnetwork`, or an `Include` of files that only ssh can resolve";

/// How long a jump host that refused isn't tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// A jump host that all hosts behind it share: the connection to it, or why there was none and when.
type SharedJump = Arc<tokio::sync::Mutex<Option<Result<Arc<NativeConnection>, (Instant, Refusal)>>>>;

/// Opens connections in this process, and knows which hosts need OpenSSH's client.
pub(crate) struct NativeOpening {
    home: PathBuf,
    /// Whether only ssh can tell what the configuration says.
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
            None if self.is_fickle => Some(FICKLE.to_owned()),
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
            if let Some(Ok(connection)) = &*shared
                && !connection.answers().await
            {
                *shared = None;
            }
            let connection = match &*shared {
                Some(Ok(connection)) => Ok(connection.clone()),
                Some(Err((when, refusal))) if when.elapsed() < AGAIN => Err(refusal.clone()),
                _ => {
                    let opened = self.patiently(hop, through).await;
                    *shared = Some(opened.clone().map_err(|refusal| (Instant::now(), refusal)));
                    opened
                }
            };
            through = Some(connection.map_err(|refusal| refusal.at(at, Some(hop)))?);
        }
        self.patiently(last, through).await.map_err(|refusal| refusal.at(jumps.len(), None))
    }

    /// Logs in to a host; tries again while it turns logins away, as with too many in progress.
    async fn patiently(
        &self,
        hop: &Hop,
        through: Option<Arc<NativeConnection>>,
    ) -> Result<Arc<NativeConnection>, Refusal> {
        let until = Instant::now() + TURNED_AWAY_WITHIN;
        loop {
            let login = heard_within(LOGIN_WITHIN, self.login(hop, through.clone())).await;
            let entered = login.unwrap_or_else(|| {
                Err(Refusal::Login(LoginFailure::Silent(format!("no login within {}", limit(LOGIN_WITHIN)))))
            });
            let pause = PAUSE.mul_f64(rand::random());
            match entered {
                Err(Refusal::Login(LoginFailure::Refused(said)))
                    if is_turned_away(&said) && Instant::now() + pause < until => {}
                entered => return entered.map(Arc::new),
            }
            sleep(pause).await;
        }
    }

    async fn login(&self, hop: &Hop, through: Option<Arc<NativeConnection>>) -> Result<NativeConnection, Refusal> {
        let settings = LoginSettings::of(hop, &self.home).map_err(Refusal::Needs)?;
        let known = KnownHost::of(hop, settings.host_keys.clone()).map_err(Refusal::Needs)?;
        if let Some(why) = known.uncheckable() {
            return Err(Refusal::Needs(why));
        }
        let login = HostLogin { settings, known: Arc::new(known), through };
        match &login.through {
            Some(jump) => {
                let channel = jump.onward(&login.settings.hostname, login.settings.port).await;
                login.over(channel.map_err(Refusal::said)?).await
            }
            None => {
                let stream = tcp(&login.settings).await.map_err(Refusal::said)?;
                login.over(stream).await
            }
        }
    }
}

impl Refusal {
    fn at(self, at: usize, jump: Option<&Hop>) -> NotOpened {
        match (self, jump) {
            (Refusal::Needs(why), Some(jump)) => {
                let name = jump.options.value("hostname").unwrap_or(&jump.place);
                NotOpened::Needs { why: format!("for its jump host `{name}`, {why}") }
            }
            (Refusal::Needs(why), None) => NotOpened::Needs { why },
            (Refusal::Login(why), _) => NotOpened::Login { at, why },
        }
    }
}
