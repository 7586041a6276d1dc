//! All hosts: they are made, then given a release, then started.
use super::{
    app::SeenRequests,
    balancer::{self, DemoServer, Pool},
    fleet::{BALANCER, GROUPS, POOL, SOCKET},
    host::{DemoHost, new_key},
    ssh,
    unit::Units,
};
use crate::failure::Failure;
use russh::keys::PublicKey;
use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// The time between two health checks of the balancer.
const INTER: Duration = Duration::from_millis(100);
/// How long it may take until the balancer reports all apps as healthy.
const HEALTHY_WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Hosts {
    pub all: Vec<Arc<DemoHost>>,
    /// The listeners of their ssh servers: opened early, so that no other process takes a port.
    ssh: Vec<TcpListener>,
}

impl Hosts {
    /// Makes the hosts below `root`; none of them serves yet.
    pub(super) fn make(root: &Path) -> Result<Hosts, Failure> {
        let web = GROUPS.iter().flat_map(|(group, names)| names.iter().map(|name| (*name, Some(*group))));
        let names: Vec<_> = [(BALANCER, None)].into_iter().chain(web).collect();
        let addresses = addresses(names.len()).map_err(|e| {
            Failure::failed(format!("no addresses for the demo's hosts: {e}")).help("it needs the whole of 127.0.0.0/8")
        })?;
        let mut hosts = Hosts { all: Vec::new(), ssh: Vec::new() };
        for ((name, group), app) in names.into_iter().zip(addresses) {
            let made = make(root, name, group, app);
            let (host, ssh) = made.map_err(|e| Failure::failed(format!("host `{name}` can't be made: {e}")))?;
            hosts.all.push(Arc::new(host));
            hosts.ssh.push(ssh);
        }
        Ok(hosts)
    }

    pub(super) fn web(&self) -> impl Iterator<Item = &Arc<DemoHost>> {
        self.all.iter().filter(|host| host.group.is_some())
    }

    /// Starts ssh servers, apps and balancer; returns the shop's address when every app is healthy.
    pub(super) async fn start(
        &mut self,
        operator: &PublicKey,
        seen: &Arc<SeenRequests>,
    ) -> Result<SocketAddr, Failure> {
        let failed =
            |host: &DemoHost, e: io::Error| Failure::failed(format!("host `{}` doesn't start: {e}", host.name));
        for (host, listener) in self.all.iter().zip(std::mem::take(&mut self.ssh)) {
            let listener = tokio::net::TcpListener::from_std(listener).map_err(|e| failed(host, e))?;
            tokio::spawn(ssh::serve(host.clone(), listener, operator.clone()));
        }
        for host in self.web() {
            Units::start(host.clone(), seen.clone()).await.map_err(|e| failed(host, e))?;
        }
        let lb = self.all.iter().find(|host| host.name == BALANCER).expect("it is the first");
        let servers = self.web().map(|host| DemoServer::new(host.name, host.app, 100)).collect();
        let requests = tokio::net::TcpListener::bind(lb.app).await.map_err(|e| failed(lb, e))?;
        let pool = balancer::start(Pool::new(POOL, servers), requests, &lb.folder.join(SOCKET), INTER);
        if balancer::all_up(&pool.map_err(|e| failed(lb, e))?, HEALTHY_WITHIN).await {
            Ok(lb.app)
        } else {
            Err(Failure::failed("the demo's apps don't become healthy"))
        }
    }
}

fn make(
    root: &Path,
    name: &'static str,
    group: Option<&'static str>,
    app: SocketAddr,
) -> io::Result<(DemoHost, TcpListener)> {
    let folder = root.join(name);
    fs::create_dir_all(folder.join("bin"))?;
    let listener = TcpListener::bind((app.ip(), 0))?;
    listener.set_nonblocking(true)?;
    Ok((DemoHost { name, group, ssh: listener.local_addr()?, app, folder, key: new_key() }, listener))
}

/// Returns loopback addresses that share one port, which is free on each.
fn addresses(count: usize) -> io::Result<Vec<SocketAddr>> {
    let mut last = io::Error::other("none is free");
    for _ in 0..20 {
        let [a, b]: [u8; 2] = rand::random();
        let ip = |n: usize| Ipv4Addr::new(127, 64 + a % 128, b, 10 + n as u8);
        let free = TcpListener::bind((ip(0), 0)).and_then(|first| {
            let port = first.local_addr()?.port();
            let others = (1..count).map(|n| TcpListener::bind((ip(n), port)));
            others.collect::<io::Result<Vec<_>>>()?;
            Ok((0..count).map(|n| SocketAddr::from((ip(n), port))).collect())
        });
        match free {
            Ok(addresses) => return Ok(addresses),
            Err(error) => last = error,
        }
    }
    Err(last)
}
