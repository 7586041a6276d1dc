//! The locks, balancers and state folders of one fleet, over ssh.
use super::{
    by_tool::ByTool,
    diagnosis::unasked,
    driver::{Driver, Socket},
    haproxy::Haproxy,
    keeper::{Keeper, SILENCE, Taken, held_by},
    socket::{UnixSocket, remote},
};
use crate::{
    command::Command,
    failure::{Failure, Reason},
    fleet::Fleet,
    host::{Host, Name},
    world::real::{Balancing, Holder, Job, Says, Transport},
};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How often a lock that somebody holds is asked for again.
const AGAIN: Duration = Duration::from_secs(2);
/// The most of a ledger that is read.
const LINES: usize = 20_000;

/// What is held of a fleet.
pub struct Desk {
    fleet: Arc<Fleet>,
    transport: Arc<dyn Transport>,
    /// By balancer, else by the host that stands for it.
    keepers: Mutex<BTreeMap<Name, Arc<Keeper>>>,
    readers: Mutex<BTreeMap<Name, Arc<dyn Driver>>>,
}

impl Desk {
    pub fn new(fleet: Arc<Fleet>, transport: Arc<dyn Transport>) -> Self {
        Self { fleet, transport, keepers: Mutex::default(), readers: Mutex::default() }
    }

    /// The machines that keep locks and ledgers, in name order, with their admin sockets.
    fn homes(&self) -> Vec<(Name, Host, Option<String>)> {
        let of = |b: &crate::fleet::Balancer| (b.name.clone(), b.host.clone(), b.socket.clone());
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

    /// Why a balancer cannot be asked; nothing where a person changes it.
    async fn unasked(&self, balancer: &Name) -> Option<Failure> {
        let (_, host, socket) = self.home(balancer).ok()?;
        Some(unasked(&*self.transport, balancer, &host, &socket?).await)
    }

    fn folder(&self) -> String {
        format!("{}/{}", self.fleet.state, self.fleet.name)
    }
}

#[async_trait]
impl Balancing for Desk {
    async fn lock(&self, holder: &Holder, wait: Option<&Says<'_>>, say: &Says<'_>) -> Result<(), Failure> {
        let mut keepers = self.keepers.lock().await;
        if !keepers.is_empty() {
            return Ok(());
        }
        let folder = self.folder();
        let (mut taken, mut told) = (BTreeMap::<Name, Arc<Keeper>>::new(), String::new());
        for (name, host, socket) in self.homes() {
            let failure = loop {
                let asked = Keeper::take(&*self.transport, &host, &folder, holder, socket.as_deref(), SILENCE);
                let busy = match asked.await {
                    Ok(Taken::Held(keeper)) => {
                        taken.insert(name, keeper);
                        break None;
                    }
                    Ok(Taken::Busy(who)) => held_by(&self.fleet.name, &who),
                    Err(failure) => break Some(failure),
                };
                let Some(wait) = wait else { break Some(busy) };
                if told != busy.message {
                    wait(&busy.message);
                    told.clone_from(&busy.message);
                }
                tokio::time::sleep(AGAIN).await;
            };
            if let Some(failure) = failure {
                for keeper in taken.values() {
                    keeper.release().await;
                }
                return Err(failure);
            }
        }
        for (name, keeper) in &taken {
            let detour = match keeper.detour().await {
                Err(failure) if failure.reason == Reason::Balancer => Err(self.unasked(name).await.unwrap_or(failure)),
                detour => detour,
            };
            if let Some(tool) = detour? {
                say(&format!("`{name}`: its sshd forwards no sockets, so it is asked by `{tool}` on its host"));
            }
        }
        *keepers = taken;
        Ok(())
    }

    async fn unlock(&self) {
        for keeper in std::mem::take(&mut *self.keepers.lock().await).into_values() {
            keeper.release().await;
        }
    }

    async fn driver(&self, balancer: &Name) -> Result<Arc<dyn Driver>, Failure> {
        if let Some(keeper) = self.keepers.lock().await.get(balancer) {
            return Ok(Arc::new(Haproxy { socket: keeper.clone(), name: balancer.to_string() }));
        }
        let mut readers = self.readers.lock().await;
        if let Some(driver) = readers.get(balancer) {
            return Ok(driver.clone());
        }
        let (_, host, socket) = self.home(balancer)?;
        let socket = socket
            .ok_or_else(|| Failure::failed(format!("`{balancer}` is changed by hand, and is told nothing else")))?;
        let mut asked: Option<Arc<dyn Socket>> = None;
        // Its sshd may forward nothing.
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
        let driver: Arc<dyn Driver> = Arc::new(Haproxy { socket: asked, name: balancer.to_string() });
        readers.insert(balancer.clone(), driver.clone());
        Ok(driver)
    }

    async fn note(&self, place: &Name, file: &str, line: &str) -> Result<(), Failure> {
        let keeper = self.keepers.lock().await.get(place).cloned();
        let keeper = keeper.ok_or_else(|| {
            Failure::new(Reason::Locked, format!("the ledger on `{place}` is written under the lock alone"))
        })?;
        keeper.note(file, &line.replace(crate::ledger::line::AT, &crate::ledger::line::now())).await
    }

    async fn read(&self, place: &Name, file: &str) -> Result<String, Failure> {
        let (_, host, _) = self.home(place)?;
        let text = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
[ -e "$folder/$file" ] || exit 0
[ -f "$folder/$file" ] && [ ! -L "$folder/$file" ] || exit 3
tail -n "$lines" "$folder/$file""#;
        let values = vec![
            ("folder".into(), self.folder()),
            ("file".into(), file.to_owned()),
            ("lines".into(), LINES.to_string()),
        ];
        let command = Command::line(text, values).expect("a good line");
        let job = Job { timeout: Some(Duration::from_secs(20)), keep: 64 << 20, ..Job::new(&command) };
        let ended = self.transport.run(&host, job).await?;
        if ended.status != 0 || ended.cut {
            let message = format!("the ledger on `{place}` cannot be read");
            return Err(Failure::new(Reason::Balancer, message).on(&host.name));
        }
        Ok(String::from_utf8_lossy(&ended.out).into_owned())
    }
}
