//! HAProxy by its admin socket.
//!
//! What it answers was tried on 2.6; the commands are those of its management guide, section 9.3.
use super::driver::{Admin, Checked, Driver, Server, Socket};
use crate::failure::{Failure, Reason};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::Arc};

/// Translates, and nothing more.
pub struct Haproxy {
    pub socket: Arc<dyn Socket>,
    /// For people.
    pub name: String,
}

impl Haproxy {
    fn odd(&self, what: &str, answer: &str) -> Failure {
        let first = answer.trim().lines().next().unwrap_or("nothing");
        let shown: String = first.chars().take(200).collect();
        let message = format!("balancer `{}` answered `{what}` with `{}`", self.name, shown.escape_debug());
        Failure::new(Reason::Balancer, message)
    }

    /// Tells the balancer something: silence is success.
    async fn tell(&self, line: &str) -> Result<(), Failure> {
        let answer = self.socket.ask(line).await?;
        if answer.trim().is_empty() {
            return Ok(());
        }
        let failure = self.odd(line, &answer);
        Err(match answer.contains("Permission denied") {
            true => failure.help("its socket needs `level admin`"),
            false => failure,
        })
    }

    async fn admins(&self, pool: &str) -> Result<BTreeMap<String, Admin>, Failure> {
        let line = format!("show servers state {pool}");
        let answer = self.socket.ask(&line).await?;
        let mut lines = answer.lines().filter(|l| !l.trim().is_empty());
        if lines.next().map(str::trim) != Some("1") {
            return Err(self.odd(&line, &answer));
        }
        let header: Vec<&str> = lines.next().unwrap_or("").trim_start_matches("# ").split(' ').collect();
        let column = |name: &str| header.iter().position(|h| *h == name).ok_or_else(|| self.odd(&line, &answer));
        let (name, state) = (column("srv_name")?, column("srv_admin_state")?);
        let mut admins = BTreeMap::new();
        for row in lines {
            let cells: Vec<&str> = row.split(' ').collect();
            let (Some(name), Some(bits)) = (cells.get(name), cells.get(state).and_then(|b| b.parse::<u32>().ok()))
            else {
                return Err(self.odd(&line, &answer));
            };
            // Forced, inherited and configured maintenance, and that of a name that does not resolve; then drain.
            let admin = match bits {
                bits if bits & 0x27 != 0 => Admin::Maint,
                bits if bits & 0x18 != 0 => Admin::Drain,
                _ => Admin::Ready,
            };
            admins.insert(name.to_string(), admin);
        }
        Ok(admins)
    }
}

/// Names that may go to the socket.
fn name(name: &str) -> Result<&str, Failure> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if name.is_empty() || name.len() > 200 || !name.chars().all(good) {
        let message = format!("`{}` is no name of a pool or server", name.escape_debug());
        return Err(Failure::new(Reason::Refused, message).help("use letters, digits and _ . : -"));
    }
    Ok(name)
}

#[async_trait]
impl Driver for Haproxy {
    async fn epoch(&self) -> Result<String, Failure> {
        let answer = self.socket.ask("show info").await?;
        let field = |key: &str| answer.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(':')).map(str::trim);
        match (field("Pid"), field("Start_time_sec")) {
            (Some(pid), Some(start)) => Ok(format!("{pid}-{start}")),
            // Before 2.5 there is no start time: the process alone tells.
            (Some(pid), None) => Ok(pid.to_owned()),
            _ => Err(self.odd("show info", &answer)),
        }
    }

    async fn list(&self, pool: &str) -> Result<Vec<Server>, Failure> {
        let pool = name(pool)?;
        let admins = self.admins(pool).await?;
        let line = format!("show stat {pool} 4 -1");
        let answer = self.socket.ask(&line).await?;
        let mut rows = answer.lines().filter(|l| !l.trim().is_empty());
        let header: Vec<&str> = rows.next().unwrap_or("").trim_start_matches("# ").split(',').collect();
        let column = |name: &str| header.iter().position(|h| *h == name).ok_or_else(|| self.odd(&line, &answer));
        let (svname, status) = (column("svname")?, column("status")?);
        let (scur, qcur) = (column("scur")?, column("qcur")?);
        let weights = self.weights(pool).await?;
        let mut servers = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let cell = |at: usize| cells.get(at).copied().ok_or_else(|| self.odd(&line, &answer));
            let number = |at: usize| {
                let text = cell(at)?;
                if text.is_empty() { Ok(0) } else { text.parse::<u64>().map_err(|_| self.odd(&line, &answer)) }
            };
            let name = cell(svname)?.to_owned();
            let raw = cell(status)?.to_owned();
            let admin = *admins.get(&name).ok_or_else(|| self.odd(&line, &answer))?;
            let in_flight = number(scur)? + number(qcur)?;
            let (weight, configured) = *weights.get(&name).ok_or_else(|| self.odd(&line, &answer))?;
            servers.push(Server { health: checked(&raw), name, admin, in_flight, weight, configured, raw });
        }
        if servers.len() != admins.len() {
            return Err(self.odd(&line, &answer));
        }
        Ok(servers)
    }

    async fn set_admin(&self, pool: &str, server: &str, to: Admin) -> Result<(), Failure> {
        let state = match to {
            Admin::Ready => "ready",
            Admin::Drain => "drain",
            Admin::Maint => "maint",
        };
        self.tell(&format!("set server {}/{} state {state}", name(pool)?, name(server)?)).await
    }

    async fn set_weight(&self, pool: &str, server: &str, percent: u8) -> Result<(), Failure> {
        self.tell(&format!("set server {}/{} weight {}%", name(pool)?, name(server)?, percent.min(100))).await
    }

    async fn force_close(&self, pool: &str, server: &str) -> Result<(), Failure> {
        self.tell(&format!("shutdown sessions server {}/{}", name(pool)?, name(server)?)).await
    }

    async fn check(&self) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        // A server that nobody has: whoever may change says so, whoever may not says `Permission denied`.
        let answer = self.socket.ask("set server rfab-none/rfab-none state ready").await?;
        if answer.contains("Permission denied") {
            found.push(format!("the socket of `{}` may only read: it needs `level admin`", self.name));
        }
        Ok(found)
    }
}

impl Haproxy {
    /// Weights, and those that the configuration gives.
    async fn weights(&self, pool: &str) -> Result<BTreeMap<String, (u32, u32)>, Failure> {
        let line = format!("show servers state {pool}");
        let answer = self.socket.ask(&line).await?;
        let mut lines = answer.lines().filter(|l| !l.trim().is_empty()).skip(1);
        let header: Vec<&str> = lines.next().unwrap_or("").trim_start_matches("# ").split(' ').collect();
        let column = |name: &str| header.iter().position(|h| *h == name).ok_or_else(|| self.odd(&line, &answer));
        let (name, now, configured) = (column("srv_name")?, column("srv_uweight")?, column("srv_iweight")?);
        let mut weights = BTreeMap::new();
        for row in lines {
            let cells: Vec<&str> = row.split(' ').collect();
            let number = |at: usize| cells.get(at).and_then(|c| c.parse::<u32>().ok());
            if let (Some(name), Some(now), Some(configured)) = (cells.get(name), number(now), number(configured)) {
                weights.insert(name.to_string(), (now, configured));
            }
        }
        Ok(weights)
    }
}

/// What a status says of health. `DRAIN` is draining and passing; anything with a fraction is between.
fn checked(status: &str) -> Checked {
    match status {
        "UP" | "DRAIN" | "no check" => Checked::Up,
        "DOWN" | "NOLB" => Checked::Down,
        status if status.starts_with("MAINT") => Checked::Unknown,
        status if status.contains('/') => Checked::Changing,
        status if status.starts_with("DOWN") => Checked::Down,
        _ => Checked::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_up_draining_and_passing_or_unchecked_is_up() {
        for (status, wanted) in [
            ("UP", Checked::Up),
            ("DRAIN", Checked::Up),
            ("no check", Checked::Up),
            ("UP 1/2", Checked::Changing),
            ("DRAIN 1/2", Checked::Changing),
            ("DOWN 1/3", Checked::Changing),
            ("DOWN", Checked::Down),
            ("DOWN (agent)", Checked::Down),
            ("NOLB", Checked::Down),
            ("MAINT", Checked::Unknown),
            ("MAINT (via x/y)", Checked::Unknown),
            ("new word", Checked::Unknown),
        ] {
            assert_eq!(checked(status), wanted, "{status}");
        }
    }

    #[test]
    fn a_name_that_could_be_more_than_a_name_is_refused() {
        for bad in
            ["", "web1 state ready;set server web/web2 state maint", "a\nb", "a'b", "../x", "ü", &"x".repeat(201)]
        {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(name("web-1_a.b:8080").is_ok());
    }
}
