//! The locks, balancers and state folders of one fleet, over ssh.
use super::{
    books::{Books, LedgerPlace},
    by_tool::ByTool,
    diagnosis::unasked,
    haproxy::Haproxy,
    keeper_lines::lost,
    lock_session::{LockSession, SILENCE, Taken, held_by},
    socket::{ReadOnly, UnixSocket, remote},
};
use crate::{
    failure::{Cause, Failure, Reason},
    fleet::Fleet,
    host::{Host, Name},
    ledger::Book,
    port::{Coordinator, Driver, Holder, NoticeSink, Socket, Spending, SpendingTime, Transport, Waits},
};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// How often to ask again for a lock that another run holds.
const AGAIN: Duration = Duration::from_secs(2);
/// How often to check whether the run still wants to wait.
const WANTED: Duration = Duration::from_millis(100);

/// The locks that a run holds on a fleet, with what it reads under them.
pub struct SshCoordinator {
    fleet: Arc<Fleet>,
    transport: Arc<dyn Transport>,
    /// By balancer, or by the host that stands in for one.
    sessions: Mutex<BTreeMap<Name, Arc<LockSession>>>,
    /// By balancer, and whether its lock was lost.
    readers: Mutex<BTreeMap<(Name, bool), Arc<dyn Driver>>>,
    books: Books,
    /// Whether the login for the lock has begun.
    foreseen: AtomicBool,
}

impl SshCoordinator {
    pub fn new(fleet: Arc<Fleet>, transport: Arc<dyn Transport>) -> Self {
        Self {
            fleet,
            transport,
            sessions: Mutex::default(),
            readers: Mutex::default(),
            books: Books::default(),
            foreseen: AtomicBool::default(),
        }
    }

    /// Returns the machines that keep locks and ledgers, in name order, with their admin sockets.
    fn homes(&self) -> Vec<(Name, Host, Option<String>)> {
        let of = |b: &crate::fleet::Balancer| (b.name.clone(), b.host.clone(), b.driver.socket().map(str::to_owned));
        let mut homes: Vec<_> = self.fleet.balancers.iter().map(of).collect();
        if homes.is_empty() {
            homes.extend(
                self.fleet.hosts.iter().map(|h| (h.name.clone(), h.clone(), None)).min_by(|a, b| a.0.cmp(&b.0)),
            );
        }
        homes.sort_by(|a, b| a.0.cmp(&b.0));
        homes
    }

    fn home(&self, place: &Name) -> Result<(Name, Host, Option<String>), Failure> {
        let missing = || Failure::failed(format!("fleet `{}` has no balancer `{place}`", self.fleet.name));
        self.homes().into_iter().find(|h| h.0 == *place).ok_or_else(missing)
    }

    /// Returns why rfab can't ask a balancer; `None` if a person changes it.
    async fn unasked(&self, balancer: &Name) -> Option<Failure> {
        let (_, host, socket) = self.home(balancer).ok()?;
        Some(unasked(&*self.transport, balancer, &host, &socket?).await)
    }

    fn shelf<'a>(&'a self, place: &'a Name, host: &'a Host) -> LedgerPlace<'a> {
        LedgerPlace { transport: &*self.transport, place, host, folder: self.folder() }
    }

    fn folder(&self) -> String {
        self.fleet.state_folder()
    }
}

/// Returns when the run stops waiting; never, if it doesn't wait.
async fn given_up(waits: Option<Waits<'_>>) {
    let Some(Waits { stops, .. }) = waits else { return std::future::pending().await };
    while !stops() {
        tokio::time::sleep(WANTED).await;
    }
}

impl SshCoordinator {
    /// Takes the lock on one machine.
    async fn take(
        &self,
        (_, host, socket): &(Name, Host, Option<String>),
        holder: &Holder,
        waits: Option<Waits<'_>>,
    ) -> Result<Arc<LockSession>, Failure> {
        let (folder, mut told) = (self.folder(), String::new());
        loop {
            let asked = LockSession::take(&*self.transport, host, &folder, holder, socket.as_deref(), SILENCE);
            let busy = match asked.await? {
                Taken::Held(keeper) => return Ok(keeper),
                Taken::Busy(who) => held_by(&self.fleet.name, &who),
            };
            let Some(Waits { says, .. }) = waits else { return Err(busy) };
            if told != busy.message {
                says(&busy.message);
                told.clone_from(&busy.message);
            }
            let _time = SpendingTime::on(Spending::Demanded);
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// The keepers of a fleet's lock, by balancer.
type Keepers = BTreeMap<Name, Arc<LockSession>>;

impl SshCoordinator {
    /// Checks that each balancer answers, and says if that takes a tool on its host.
    async fn asked(&self, taken: &Keepers, say: &NoticeSink<'_>) -> Result<(), Failure> {
        for (name, keeper) in taken {
            let detour = match keeper.detour().await {
                Err(failure) if failure.reason() == Reason::Balancer => {
                    Err(self.unasked(name).await.unwrap_or(failure))
                }
                detour => detour,
            };
            if let Some(tool) = detour? {
                say(&format!(
                    "`{name}`: its sshd doesn't forward sockets, so rfab talks to it with `{tool}` on its host"
                ));
            }
        }
        Ok(())
    }

    /// Rotates the ledgers that are long. One that isn't rotated only takes longer to read.
    async fn rotated(&self, taken: &Keepers, say: &NoticeSink<'_>) -> Result<(), Failure> {
        for (name, host, _) in self.homes() {
            let rotated = self.books.rotate(&self.shelf(&name, &host), &taken[&name]).await;
            rotated.or_else(|failure| {
                if taken[&name].is_lost() {
                    Err(failure)
                } else {
                    say(&failure.message);
                    Ok(())
                }
            })?;
        }
        Ok(())
    }
}

#[async_trait]
impl Coordinator for SshCoordinator {
    async fn lock(&self, holder: &Holder, waits: Option<Waits<'_>>, say: &NoticeSink<'_>) -> Result<(), Failure> {
        let mut sessions = self.sessions.lock().await;
        if !sessions.is_empty() {
            return Ok(());
        }
        let mut taken = BTreeMap::<Name, Arc<LockSession>>::new();
        for home in self.homes() {
            let asked = tokio::select! {
                taken = self.take(&home, holder, waits) => taken,
                () = given_up(waits) => Err(Failure::new(Cause::Interrupted, "interrupted")),
            };
            match asked {
                Ok(keeper) => drop(taken.insert(home.0, keeper)),
                Err(failure) => {
                    for keeper in taken.values() {
                        keeper.release().await;
                    }
                    return Err(failure);
                }
            }
        }
        self.books.turned().await;
        let (asked, kept) = tokio::join!(self.asked(&taken, say), self.rotated(&taken, say));
        asked?;
        kept?;
        *sessions = taken;
        Ok(())
    }

    fn foresee(&self) {
        if !self.foreseen.swap(true, Relaxed) {
            self.homes().iter().for_each(|(_, host, _)| self.transport.foresee(host));
        }
    }

    async fn held(&self) -> Result<(), Failure> {
        let sessions: Vec<Arc<LockSession>> = self.sessions.lock().await.values().cloned().collect();
        try_join_all(sessions.iter().map(|keeper| keeper.held())).await.map(drop)
    }

    async fn unlock(&self) {
        for keeper in std::mem::take(&mut *self.sessions.lock().await).into_values() {
            keeper.release().await;
        }
        self.books.turned().await;
    }

    async fn driver(&self, balancer: &Name) -> Result<Arc<dyn Driver>, Failure> {
        let keeper = self.sessions.lock().await.get(balancer).cloned();
        if let Some(keeper) = keeper.as_ref().filter(|keeper| !keeper.is_lost()) {
            return Ok(Arc::new(Haproxy { socket: keeper.clone(), name: balancer.to_string() }));
        }
        let mut readers = self.readers.lock().await;
        if let Some(driver) = readers.get(&(balancer.clone(), keeper.is_some())) {
            return Ok(driver.clone());
        }
        let (_, host, socket) = self.home(balancer)?;
        let socket = socket.ok_or_else(|| {
            Failure::failed(format!("rfab can't send commands to `{balancer}`: its driver is `manual`"))
        })?;
        let mut asked: Option<Arc<dyn Socket>> = None;
        // Its sshd may refuse to forward.
        if let Ok(near) = self.transport.forward(&host, &remote(&socket)).await {
            let forwarded = UnixSocket::new(near, balancer);
            if forwarded.ask("show info").await.is_ok() {
                asked = Some(Arc::new(forwarded));
            }
        }
        let asked = match asked {
            Some(asked) => asked,
            None => {
                let by_tool = ByTool { transport: self.transport.clone(), host, socket, master: false };
                by_tool.found(balancer).await?
            }
        };
        // A run that lost the lock may only read.
        let asked: Arc<dyn Socket> = match keeper {
            Some(_) => Arc::new(ReadOnly { socket: asked, refusal: lost(balancer) }),
            None => asked,
        };
        let driver: Arc<dyn Driver> = Arc::new(Haproxy { socket: asked, name: balancer.to_string() });
        readers.insert((balancer.clone(), keeper.is_some()), driver.clone());
        Ok(driver)
    }

    async fn note_all(&self, place: &Name, file: &str, lines: &[&str]) -> Result<(), Failure> {
        let keeper = self.sessions.lock().await.get(place).cloned();
        let keeper = keeper.ok_or_else(|| {
            Failure::new(Cause::Locked, format!("the ledger on `{place}` is only written while the lock is held"))
        })?;
        let now = crate::ledger::line::now();
        let lines: Vec<String> = lines.iter().map(|line| line.replace(crate::ledger::line::AT, &now)).collect();
        if keeper.is_lost() {
            // It isn't sent, so nobody has to find out whether it was written.
            return Err(Failure { cause: Cause::Unlocked, ..lost(place) });
        }
        let written = keeper.note(file, &lines).await;
        let there = |at: usize| written.as_ref().is_ok_and(|written| written.get(at) == Some(&true));
        for (at, line) in lines.iter().enumerate() {
            self.books.wrote(place, line, there(at)).await;
        }
        if written?.iter().all(|there| *there) { Ok(()) } else { Err(keeper.unwritten()) }
    }

    async fn book(&self, place: &Name) -> Result<Arc<Book>, Failure> {
        let (_, host, _) = self.home(place)?;
        let locked = self.sessions.lock().await.get(place).is_some_and(|keeper| !keeper.is_lost());
        self.books.read(&self.shelf(place, &host), locked).await
    }
}
