//! A pool's servers, as plain data.
use crate::port::Admin;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Instant, SystemTime},
};
use tokio::sync::Notify;

/// How many good checks in a row bring a server up.
pub(super) const RISE: u8 = 2;
/// How many bad checks in a row take it down.
pub(super) const FALL: u8 = 3;
/// The health of a server that has passed for a while.
pub(super) const FULL: u8 = RISE + FALL - 1;

/// A backend.
pub struct Pool {
    pub name: String,
    pub servers: Vec<DemoServer>,
    /// When it was made.
    pub since: SystemTime,
}

/// The balancer's one pool, shared by all its parts.
pub(super) type SharedPool = Arc<Mutex<Pool>>;

/// A server of the pool.
pub struct DemoServer {
    pub name: String,
    pub address: SocketAddr,
    pub admin: Admin,
    /// From 0 to `FULL`; the server is up from `RISE` on.
    pub health: u8,
    pub last: LastCheck,
    /// 0 to 256.
    pub weight: u32,
    /// The weight that it was configured with.
    pub configured: u32,
    /// How many requests are open on it.
    pub open: u32,
    /// How many requests it was ever given.
    pub total: u64,
    /// When it last went up or down, or its state was set.
    pub changed: Instant,
    /// Notified to make everyone with a request open on it give up.
    pub cut: Arc<Notify>,
    /// The share of requests that it is owed, in weights.
    owed: i64,
}

/// The result of a server's last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastCheck {
    Passed,
    /// It answered with this status.
    Wrong(u16),
    /// It refused the connection.
    Refused,
    /// It didn't answer, or not with HTTP.
    Silent,
}

impl DemoServer {
    /// Returns a server that counts as up until its first check, as in HAProxy.
    pub fn new(name: &str, address: SocketAddr, weight: u32) -> DemoServer {
        DemoServer {
            name: name.to_owned(),
            address,
            admin: Admin::Ready,
            health: RISE,
            last: LastCheck::Passed,
            weight,
            configured: weight,
            open: 0,
            total: 0,
            changed: Instant::now(),
            cut: Arc::default(),
            owed: 0,
        }
    }

    pub fn is_up(&self) -> bool {
        self.health >= RISE
    }

    /// Takes in a check. A server in maintenance isn't checked.
    pub fn check(&mut self, checked: LastCheck) {
        if self.admin == Admin::Maint {
            return;
        }
        let was_up = self.is_up();
        self.last = checked;
        self.health = match (checked, was_up) {
            (LastCheck::Passed, true) => FULL,
            (LastCheck::Passed, false) if self.health + 1 >= RISE => FULL,
            (LastCheck::Passed, false) => self.health + 1,
            (_, true) if self.health > RISE => self.health - 1,
            _ => 0,
        };
        if self.is_up() != was_up {
            self.changed = Instant::now();
        }
    }

    /// Sets its state. A server that leaves maintenance is up before any check, as in HAProxy.
    pub fn set(&mut self, to: Admin) {
        if to == self.admin {
            return;
        }
        if to == Admin::Maint {
            self.health = 0;
        } else if self.admin == Admin::Maint {
            self.health = RISE;
        }
        self.admin = to;
        self.changed = Instant::now();
    }

    /// Returns its word in `show stat`.
    pub fn status(&self) -> String {
        let (up, down) = match self.admin {
            Admin::Maint => return "MAINT".to_owned(),
            Admin::Drain => ("DRAIN", "DOWN"),
            Admin::Ready => ("UP", "DOWN"),
        };
        match self.health {
            FULL => up.to_owned(),
            0 => down.to_owned(),
            health if health >= RISE => format!("{up} {}/{FALL}", health - RISE + 1),
            health => format!("{down} {health}/{RISE}"),
        }
    }
}

impl Pool {
    pub fn new(name: &str, servers: Vec<DemoServer>) -> Pool {
        Pool { name: name.to_owned(), servers, since: SystemTime::now() }
    }

    pub fn find(&mut self, name: &str) -> Option<&mut DemoServer> {
        self.servers.iter_mut().find(|server| server.name == name)
    }

    /// Returns the server for the next request: one that is ready and up, chosen in proportion to the weights.
    pub fn choose(&mut self) -> Option<usize> {
        let fit = |s: &DemoServer| s.admin == Admin::Ready && s.is_up() && s.weight > 0;
        let mut sum = 0;
        for server in self.servers.iter_mut().filter(|s| fit(s)) {
            server.owed += i64::from(server.weight);
            sum += i64::from(server.weight);
        }
        let fit = self.servers.iter().enumerate().filter(|(_, s)| fit(s));
        let (chosen, _) = fit.max_by_key(|(n, s)| (s.owed, std::cmp::Reverse(*n)))?;
        let server = &mut self.servers[chosen];
        server.owed -= sum;
        server.open += 1;
        server.total += 1;
        Some(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        let server = |n: u8| DemoServer::new(&format!("web{n}"), ([127, 0, 0, n], 80).into(), 100);
        Pool::new("bk_web", (1..=3).map(server).collect())
    }

    fn chosen(pool: &mut Pool, times: usize) -> Vec<Option<usize>> {
        (0..times).map(|_| pool.choose()).collect()
    }

    #[test]
    fn requests_go_round_to_those_that_are_ready_and_up_by_weight() {
        let mut pool = pool();
        assert_eq!(chosen(&mut pool, 6), [0, 1, 2, 0, 1, 2].map(Some));
        pool.servers[0].set(Admin::Drain);
        pool.servers[1].weight = 50;
        let six = chosen(&mut pool, 6);
        assert_eq!([0, 1, 2].map(|n| six.iter().filter(|c| **c == Some(n)).count()), [0, 2, 4]);
        for server in &mut pool.servers {
            server.set(Admin::Maint);
        }
        assert_eq!(pool.choose(), None);
        assert_eq!(pool.servers.iter().map(|s| s.open).sum::<u32>(), 12);
    }

    #[test]
    fn a_server_rises_after_two_good_checks_and_falls_after_three_bad_ones() {
        let mut server = pool().servers.remove(0);
        let mut say = |checked| {
            server.check(checked);
            server.status()
        };
        assert_eq!(say(LastCheck::Passed), "UP");
        assert_eq!([LastCheck::Refused; 4].map(&mut say), ["UP 2/3", "UP 1/3", "DOWN", "DOWN"]);
        assert_eq!([LastCheck::Passed; 2].map(&mut say), ["DOWN 1/2", "UP"]);
        assert_eq!([LastCheck::Wrong(503), LastCheck::Passed].map(&mut say), ["UP 2/3", "UP"]);
    }

    #[test]
    fn drain_obeys_checks_and_maintenance_forgets_them() {
        let mut server = pool().servers.remove(0);
        server.check(LastCheck::Passed);
        server.set(Admin::Drain);
        assert_eq!(server.status(), "DRAIN");
        server.check(LastCheck::Refused);
        assert_eq!(server.status(), "DRAIN 2/3");
        for _ in 0..2 {
            server.check(LastCheck::Refused);
        }
        server.set(Admin::Ready);
        assert_eq!(server.status(), "DOWN");
        server.set(Admin::Maint);
        server.check(LastCheck::Passed);
        assert_eq!(server.status(), "MAINT");
        server.set(Admin::Ready);
        assert_eq!(server.status(), "UP 1/3");
    }
}
