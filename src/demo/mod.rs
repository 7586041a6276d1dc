//! The embedded fleet: machines with ssh servers, apps and a balancer in one process, and the day of a hotfix on it.
//!
//! Nothing here is a stand-in for rfab: each command is a run of this program, with the project's own fabfile, over
//! real ssh to servers on loopback. All that is made is in one folder, and gone in the end.
mod app;
pub mod balancer;
mod day;
mod exec;
mod host;
mod http;
mod load;
mod place;
mod processes;
mod project;
mod repository;
mod signals;
mod ssh;
mod unit;

use crate::failure::{Exit, Failure};
use app::Seen;
use balancer::{Pool, Server};
use day::{COMMANDS, Operator};
use host::{BALANCER, Host};
use load::{Account, Load};
use processes::Processes;
use repository::{Repository, write};
use signals::Signals;
use std::{env, fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// The time between two checks of the balancer.
const INTER: Duration = Duration::from_millis(100);
/// How long a name of the folder for temporary files may be, so that sockets below have names short enough.
const SHORT: usize = 18;

/// Shows the day; `tell` writes what is said between the commands, which get these flags.
///
/// `Done` only if every command was done and no request failed.
pub fn run(flags: Vec<String>, tell: &dyn Fn(&str)) -> Result<Exit, Failure> {
    let failed = |what: &'static str| move |e: std::io::Error| Failure::failed(format!("{what}: {e}"));
    let base = Some(env::temp_dir()).filter(|path| path.as_os_str().len() <= SHORT).unwrap_or("/tmp".into());
    // Dropped from the last to the first: nothing that runs loses its folder.
    let folder = tempfile::Builder::new().prefix("rfab-demo-").tempdir_in(base);
    let folder = folder.map_err(failed("no folder for the demo"))?;
    let _processes = Processes::adopt().map_err(failed("no child can be adopted"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(failed("no runtime"))?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(failed("no signals"))?;
        let stage = Stage::build(folder.path(), flags).await?;
        stage.play(&mut signals, tell).await
    })
}

/// The fleet under load, and whoever works on it.
struct Stage {
    operator: Operator,
    load: Load,
    hosts: usize,
}

impl Stage {
    async fn build(root: &Path, flags: Vec<String>) -> Result<Stage, Failure> {
        let operator =
            Operator { home: root.join("home"), runtime: root.join("run"), project: root.join("shop"), flags };
        let (mut hosts, mut listeners) = (Vec::<Arc<Host>>::new(), Vec::new());
        for (host, listener) in Host::all(root)? {
            hosts.push(Arc::new(host));
            listeners.push(listener);
        }
        let key = host::new_key();
        let key_file = operator.home.join(".ssh/id_ed25519");
        write(&key_file, &host::text_of(&key))?;
        fs::create_dir(&operator.runtime).map_err(|e| Failure::failed(format!("a folder: {e}")))?;
        for private in [&key_file, &operator.runtime] {
            let mode = if private.is_dir() { 0o700 } else { 0o600 };
            let set = fs::set_permissions(private, fs::Permissions::from_mode(mode));
            set.map_err(|e| Failure::failed(format!("`{}`: {e}", private.display())))?;
        }
        let repository = Repository::make(&operator.project, &root.join("shop.git"), &operator.home)?;
        repository.write("fabfile.rhai", project::FABFILE)?;
        repository.write("fleets/prod.toml", &project::fleet(root, &hosts))?;
        repository.write("fleets/ssh_config", &project::ssh_config(&hosts, &key_file))?;
        repository.write("known_hosts", &project::known_hosts(&hosts))?;
        let first = repository.release("v3.0.0")?;
        place::place(&repository, &first, hosts.iter().map(|h| &**h).filter(|h| h.group.is_some()), root)?;
        repository.release("v3.0.1")?;
        let listening = |e: std::io::Error| Failure::failed(format!("the demo's fleet cannot be started: {e}"));
        for (host, listener) in hosts.iter().zip(listeners) {
            let listener = TcpListener::from_std(listener).map_err(listening)?;
            tokio::spawn(ssh::serve(host.clone(), listener, key.public_key().clone()));
        }
        let seen = Arc::new(Seen::default());
        for host in hosts.iter().filter(|host| host.group.is_some()) {
            unit::Units::start(host.clone(), seen.clone()).await.map_err(listening)?;
        }
        let (balancer, web): (Vec<_>, Vec<_>) = hosts.iter().partition(|host| host.name == BALANCER);
        let servers: Vec<Server> = web.iter().map(|host| Server::new(host.name, host.app, 100)).collect();
        let (front, socket) = (balancer[0].app, balancer[0].folder.join(project::SOCKET));
        let listener = TcpListener::bind(front).await.map_err(listening)?;
        let pool = balancer::start(Pool::new(project::POOL, servers), listener, &socket, INTER).map_err(listening)?;
        if !balancer::all_up(&pool, Duration::from_secs(10)).await {
            return Err(Failure::failed("the demo's fleet does not get healthy"));
        }
        Ok(Stage { operator, load: Load::start(front, seen), hosts: web.len() })
    }

    async fn play(self, signals: &mut Signals, tell: &dyn Fn(&str)) -> Result<Exit, Failure> {
        tell(&format!(
            "{} web hosts in two groups behind {BALANCER}, all with v3.0.0, and {} requests a second. \
             v3.0.1 is tagged.",
            self.hosts,
            load::PER_SECOND
        ));
        let mut exit = Exit::Done;
        for (words, why) in COMMANDS {
            if signals.exit().is_some() {
                break;
            }
            tell(&format!("\n$ {:<30}  # {why}", format!("rfab {words}")));
            let status = self.operator.run(words, signals).await?;
            if !status.success() {
                tell(&format!("`rfab {words}` {}", day::ending(status)));
                exit = Exit::Failed;
                break;
            }
        }
        let account = self.load.end().await;
        tell(&format!("\n{}", summary(&account)));
        if !account.failed.is_empty() {
            exit = Exit::Failed;
        }
        Ok(signals.exit().unwrap_or(exit))
    }
}

/// The most failed requests that are told one by one.
const FEW: usize = 10;

fn summary(account: &Account) -> String {
    let mut text = String::new();
    for line in account.failed.iter().take(FEW) {
        text += &format!("{line}\n");
    }
    for (release, answers) in &account.releases {
        text += &format!("{answers} answers from {release}\n");
    }
    text += &format!("{} requests, {} failed", account.sent, account.failed.len());
    text
}
