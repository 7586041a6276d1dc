//! The driver for HAProxy, by its admin socket.
//!
//! Its answers were tested with 2.6; the commands are those of its management guide, section 9.3.
mod table;
mod words;

use crate::{
    control::{brief, shown},
    failure::{Cause, Failure},
    port::{Admin, BalancerState, ChangeAnswer, Driver, Finding, Server, ServerPlace, Socket},
};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::Arc};
use table::Table;

/// How often to read a state until no reload falls between its parts.
const READINGS: usize = 5;

/// A driver that only translates.
pub struct Haproxy {
    pub socket: Arc<dyn Socket>,
    /// The balancer's name, for messages.
    pub name: String,
}

impl Haproxy {
    fn odd(&self, what: &str, answer: &str) -> Failure {
        let first = answer.trim().lines().next().unwrap_or("nothing");
        let message = format!("balancer `{}` answered `{what}` with `{}`", self.name, brief(first, 200));
        Failure::new(Cause::Balancer, message)
    }

    /// Sends the balancer a command that changes something.
    async fn tell(&self, line: &str) -> Result<(), Failure> {
        self.heard(line, &self.socket.ask(line).await?)
    }

    /// Reads the answer to a change: silence is success.
    fn heard(&self, line: &str, answer: &str) -> Result<(), Failure> {
        if answer.trim().is_empty() {
            return Ok(());
        }
        let failure = self.odd(line, answer);
        Err(if answer.contains("Permission denied") {
            failure.help("add `level admin` to its `stats socket` line in haproxy.cfg, and reload HAProxy")
        } else {
            failure
        })
    }

    /// Reads, from `show servers state`, what a pool's servers were told and their weights.
    fn told(&self, pool: &str, answer: &str) -> Result<BTreeMap<String, ServerStateLine>, Failure> {
        let odd = || self.odd(&format!("show servers state {pool}"), answer);
        let table = Table::servers_state(answer).ok_or_else(odd)?;
        let mut all = BTreeMap::new();
        for row in &table.rows {
            let number = |column| table.number(row, column).and_then(|n| u32::try_from(n).ok()).ok_or_else(odd);
            let name = table.cell(row, "srv_name").ok_or_else(odd)?;
            let bits = number("srv_admin_state")?;
            let (own, admin) = words::admin(bits).ok_or_else(|| self.unknown_bits(pool, name, bits))?;
            let (weight, configured) = (number("srv_uweight")?, number("srv_iweight")?);
            all.insert(name.to_owned(), ServerStateLine { own, admin, weight, configured });
        }
        Ok(all)
    }

    /// Reads the rest about a pool's servers from `show stat`.
    async fn servers(
        &self,
        pool: &str,
        mut told: BTreeMap<String, ServerStateLine>,
        answer: &str,
        tables: &str,
    ) -> Result<Vec<Server>, Failure> {
        let odd = || self.odd(&format!("show stat {pool} 6 -1"), answer);
        let table = Table::stat(answer);
        let is = |row: &[String], column, wanted: &[&str]| {
            table.cell(row, column).is_some_and(|cell| wanted.contains(&cell))
        };
        // Below `level operator`, HAProxy shows neither; but it refuses changes there anyway.
        let bound = |row: &[String]| {
            table.cell(row, "cookie").is_some_and(|cookie| !cookie.is_empty()) || is(row, "algo", &["rdp-cookie"])
        };
        let mut persistent = table.rows.iter().any(|row| bound(row));
        if !persistent && told.values().any(|told| told.admin == Admin::Drain) {
            persistent = self.has_stick_table(tables).await?;
        }
        let mut servers = Vec::new();
        for row in table.rows.iter().filter(|row| is(row, "type", &["2"])) {
            let number = |column| table.number(row, column).ok_or_else(odd);
            let name = table.cell(row, "svname").ok_or_else(odd)?.to_owned();
            let status = table.cell(row, "status").ok_or_else(odd)?;
            let ServerStateLine { own, admin, weight, configured } = told.remove(&name).ok_or_else(odd)?;
            let full = number("check_rise")? + number("check_fall")?;
            let falling = full > 0 && number("check_health")? + 1 < full;
            servers.push(Server {
                own,
                admin,
                health: words::health(status, falling),
                in_flight: number("scur")? + number("qcur")?,
                total: number("stot")?,
                weight,
                configured,
                backup: number("bck")? > 0,
                persistent,
                tcp: is(row, "mode", &["tcp"]),
                follows: table.cell(row, "tracked").filter(|tracked| !tracked.is_empty()).map(str::to_owned),
                raw: if words::is_known(status) {
                    status.to_owned()
                } else {
                    format!("{}, which rfab doesn't know", shown(status))
                },
                name,
            });
        }
        if !told.is_empty() {
            return Err(odd());
        }
        Ok(servers)
    }

    /// Returns which process answers, by `show info`.
    fn epoch(&self, answer: &str) -> Result<String, Failure> {
        let field = |key: &str| answer.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(':')).map(str::trim);
        match (field("Pid"), field("Start_time_sec")) {
            (Some(pid), Some(start)) => Ok(format!("{pid}-{start}")),
            // Before 2.5 there is no start time: the process's number has to be enough.
            (Some(pid), None) => Ok(pid.to_owned()),
            _ => Err(self.odd("show info", answer)),
        }
    }

    fn unknown_bits(&self, pool: &str, server: &str, bits: u32) -> Failure {
        let message = format!(
            "balancer `{}` reports that the `srv_admin_state` of `{pool}/{server}` is {bits:#x}, which rfab doesn't \
             know",
            self.name
        );
        Failure::new(Cause::Balancer, message).unchanged().help("report it, with the version of HAProxy")
    }

    /// Returns whether one of the stick tables in a list binds clients to servers; its name doesn't tell for which pool.
    async fn has_stick_table(&self, tables: &str) -> Result<bool, Failure> {
        let named = |line: &str| {
            let name = line.strip_prefix("# table: ")?.split(',').next()?.trim().to_owned();
            let good = |c: char| c.is_ascii_alphanumeric() || "_.:-/".contains(c);
            name.chars().all(good).then_some(name)
        };
        // The filter matches no entry. HAProxy reports whether the table keeps servers.
        let asked = |table| format!("show table {table} data.server_id lt 0");
        let lines: Vec<String> = tables.lines().filter_map(named).map(asked).collect();
        if lines.is_empty() {
            return Ok(false);
        }
        let answers = self.socket.ask_all(&lines).await?;
        Ok(answers.iter().any(|answer| !answer.contains("Data type not stored in this table")))
    }

    /// Reads the answers to [`reading`]; `None` if the balancer was reloaded or restarted between them.
    async fn state_in(&self, pools: &[&str], answers: &[String]) -> Result<Option<BalancerState>, Failure> {
        let [before, pooled @ .., tables, after] = answers else { return Err(self.odd("show info", "")) };
        let epoch = self.epoch(before)?;
        if self.epoch(after)? != epoch {
            return Ok(None);
        }
        let mut state = BalancerState { epoch, pools: BTreeMap::new() };
        for (pool, answers) in pools.iter().zip(pooled.chunks(2)) {
            let told = self.told(pool, &answers[0])?;
            state.pools.insert((*pool).into(), self.servers(pool, told, &answers[1], tables).await?);
        }
        Ok(Some(state))
    }
}

/// Returns the lines that read some pools at one moment: the balancer's epoch comes first and last.
fn reading(pools: &[&str]) -> Result<Vec<String>, Failure> {
    let mut lines = vec!["show info".to_owned()];
    for pool in pools {
        let pool = name(pool)?;
        // 6 asks for backends, which have the cookies, and for servers.
        lines.extend([format!("show servers state {pool}"), format!("show stat {pool} 6 -1")]);
    }
    lines.extend(["show table", "show info"].map(str::to_owned));
    Ok(lines)
}

/// What `show servers state` reports of a server.
struct ServerStateLine {
    own: Admin,
    admin: Admin,
    weight: u32,
    configured: u32,
}

/// Refuses names that mustn't go to the socket.
fn name(name: &str) -> Result<&str, Failure> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if name.is_empty() || name.len() > 200 || !name.chars().all(good) {
        let message = format!("`{}` isn't a valid name of a pool or server", shown(name));
        return Err(Failure::new(Cause::Refused, message).help("use letters, digits and _ . : -"));
    }
    Ok(name)
}

#[async_trait]
impl Driver for Haproxy {
    async fn state(&self, pools: &[&str]) -> Result<BalancerState, Failure> {
        let lines = reading(pools)?;
        for _ in 0..READINGS {
            let answers = self.socket.ask_all(&lines).await?;
            if let Some(state) = self.state_in(pools, &answers).await? {
                return Ok(state);
            }
        }
        let message = format!("balancer `{}` keeps reloading or restarting", self.name);
        Err(Failure::new(Cause::Balancer, message)
            .help("wait until its processes keep running, then type the line again"))
    }

    async fn set_admin(&self, servers: &[(&str, &str)], to: Admin, shown: &[&str]) -> Result<ChangeAnswer, Failure> {
        let state = match to {
            Admin::Ready => "ready",
            Admin::Drain => "drain",
            Admin::Maint => "maint",
        };
        let mut lines = Vec::new();
        for (pool, server) in servers {
            lines.push(format!("set server {}/{} state {state}", name(pool)?, name(server)?));
        }
        let all = [&*lines, &reading(shown)?].concat();
        let answers = self.socket.ask_all(&all).await?;
        let Some((told, read)) = answers.split_at_checked(lines.len()) else { return Err(self.odd("show info", "")) };
        let results = lines.iter().zip(told).map(|(line, answer)| self.heard(line, answer)).collect();
        let state = match self.state_in(shown, read).await {
            Ok(Some(state)) => Ok(state),
            Ok(None) => self.state(shown).await,
            Err(failure) => Err(failure),
        };
        Ok(ChangeAnswer { results, state })
    }

    async fn set_weight(&self, pool: &str, server: &str, percent: u8) -> Result<(), Failure> {
        self.tell(&format!("set server {}/{} weight {}%", name(pool)?, name(server)?, percent.min(100))).await
    }

    async fn force_close(&self, pool: &str, server: &str) -> Result<(), Failure> {
        self.tell(&format!("shutdown sessions server {}/{}", name(pool)?, name(server)?)).await
    }

    async fn check(&self, ours: &[ServerPlace]) -> Result<Vec<Finding>, Failure> {
        let mut found = Vec::new();
        // This server doesn't exist: HAProxy reports that, or `Permission denied` if the socket is read-only.
        let lines = ["set server rfab-none/rfab-none state ready", "show stat -1 4 -1"].map(str::to_owned);
        let answers = self.socket.ask_all(&lines).await?;
        let [answer, stat] = &*answers else { return Err(self.odd("show stat", "")) };
        if answer.contains("Permission denied") {
            found.push(Finding::Forbids {
                message: format!("the socket of `{}` is read-only: it doesn't have `level admin`", self.name),
                help: "add `level admin` to its `stats socket` line in haproxy.cfg, and reload HAProxy".to_owned(),
            });
        }
        let servers = Table::stat(stat);
        found.extend(beside(&servers, ours).into_iter().map(Finding::Warns));
        Ok(found)
    }
}

/// Returns servers of other backends at the address of one of ours: draining ours doesn't drain them.
fn beside(servers: &Table, ours: &[ServerPlace]) -> Vec<String> {
    let is = |row: &[String], place: &&ServerPlace| {
        servers.cell(row, "pxname") == Some(&place.pool) && servers.cell(row, "svname") == Some(&place.server)
    };
    let address = |row: &[String]| servers.cell(row, "addr").filter(|addr| !addr.is_empty()).map(str::to_owned);
    let mut at: BTreeMap<String, &ServerPlace> = BTreeMap::new();
    for row in &servers.rows {
        if let Some(place) = ours.iter().find(|place| is(row, place))
            && let Some(address) = address(row)
        {
            at.entry(address).or_insert(place);
        }
    }
    let mut found = Vec::new();
    for row in servers.rows.iter().filter(|row| !ours.iter().any(|place| is(row, &place))) {
        if let Some(place) = address(row).and_then(|address| at.get(&address))
            && let (Some(pool), Some(server)) = (servers.cell(row, "pxname"), servers.cell(row, "svname"))
        {
            found.push(format!(
                "`{}/{}` has the same address as `{}/{}`, but is in no pool of the fleet file: it keeps getting \
                 requests while that host is switched. \
                 Add `{}` to `pools`",
                shown(pool),
                shown(server),
                place.pool,
                place.server,
                shown(pool)
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    #[test]
    fn a_name_that_could_be_more_than_a_name_is_refused() {
        for bad in
            ["", "web1 state ready;set server web/web2 state maint", "a\nb", "a'b", "../x", "ü", &"x".repeat(201)]
        {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(name("web-1_a.b:8080").is_ok());
    }

    /// A HAProxy that is reloaded after every `each` answers.
    struct Reloaded {
        asked: AtomicU32,
        each: u32,
        exchanges: AtomicU32,
    }

    #[async_trait]
    impl Socket for Reloaded {
        async fn ask_all(&self, lines: &[String]) -> Result<Vec<String>, Failure> {
            self.exchanges.fetch_add(1, Relaxed);
            Ok(lines.iter().map(|line| self.answer(line)).collect())
        }
    }

    impl Reloaded {
        fn answer(&self, line: &str) -> String {
            let process = self.asked.fetch_add(1, Relaxed) / self.each;
            // The first process has drained the server; the others have forgotten that.
            let bits = if process == 0 { 8 } else { 0 };
            match line {
                "show info" => format!("Pid: {process}\nStart_time_sec: 1\n"),
                "show servers state www" => {
                    format!("1\n# srv_name srv_admin_state srv_uweight srv_iweight\nweb1 {bits} 1 1\n")
                }
                "show stat www 6 -1" => {
                    let columns = "pxname,svname,type,status,check_rise,check_fall,check_health,scur,qcur,stot,bck";
                    format!("# {columns}\nwww,web1,2,UP,2,3,4,0,0,0,0\n")
                }
                _ => String::new(),
            }
        }
    }

    fn reloaded(each: u32) -> (Arc<Reloaded>, Haproxy) {
        let [asked, exchanges] = [0; 2].map(AtomicU32::new);
        let socket = Arc::new(Reloaded { asked, each, exchanges });
        (socket.clone(), Haproxy { socket, name: "lb1".to_owned() })
    }

    #[tokio::test]
    async fn servers_are_told_and_seen_in_one_exchange_and_seen_again_if_a_reload_comes() {
        for each in [1000, 3] {
            let (socket, haproxy) = reloaded(each);
            let told = haproxy.set_admin(&[("www", "web1")], Admin::Drain, &["www"]).await.expect("an answer");
            assert!(matches!(&*told.results, [Ok(())]), "{told:?}");
            match (each, told.state) {
                (1000, state) => {
                    assert_eq!(state.expect("a state").pools["www"][0].own, Admin::Drain);
                    assert_eq!(socket.exchanges.load(Relaxed), 1);
                }
                // Each reading falls into two processes, so nothing is known.
                (_, state) => assert!(state.unwrap_err().message.contains("keeps reloading")),
            }
        }
    }

    #[tokio::test]
    async fn a_state_and_its_epoch_are_of_one_process_whenever_a_reload_comes() {
        for each in 1..=12 {
            let state = reloaded(each).1.state(&["www"]).await;
            let Ok(state) = state else {
                assert!(each < 5, "reloaded after {each} answers: {state:?}");
                assert!(state.unwrap_err().message.contains("keeps reloading"));
                continue;
            };
            let admin = if state.epoch == "0-1" { Admin::Drain } else { Admin::Ready };
            assert_eq!(state.pools["www"][0].admin, admin, "reloaded after {each} answers: {state:?}");
        }
    }

    #[test]
    fn a_server_of_another_backend_at_the_same_address_is_named() {
        let text = "# pxname,svname,addr,\nwww,web1,10.0.0.1:80,\nwww,sorry,10.0.0.9:80,\nws,web1,10.0.0.1:80,\n\
                    ws,sorry,10.0.0.9:80,\nadmin,web1,10.0.0.1:81,\nunix,web1,,\napi,w1,10.0.0.1:80,\n";
        let place =
            |pool: &str, server: &str| ServerPlace { balancer: "lb1".into(), pool: pool.into(), server: server.into() };
        let found = beside(&Table::stat(text), &[place("www", "web1"), place("api", "w1")]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("`ws/web1` has the same address as `www/web1`"), "{found:?}");
        assert!(found[0].ends_with("Add `ws` to `pools`"), "{found:?}");
        // Below `level operator`, HAProxy shows no address.
        assert_eq!(
            beside(&Table::stat("# pxname,svname,addr,\nwww,web1,,\nws,web1,,\n"), &[place("www", "web1")]),
            [""; 0]
        );
    }
}
