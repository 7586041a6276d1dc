//! Looks up parts of a fleet: hosts by name, group or role, and the pools that they're in.
use super::{
    Balancer, DriverSettings, Fleet, MinLive,
    hosts::{NameKind, WORDS},
};
use crate::{
    failure::{Cause, Failure},
    host::{Host, Name},
    misspelled::did_you_mean,
};
use std::collections::BTreeMap;

impl Balancer {
    /// Returns whether a person changes it, because rfab may not.
    pub fn by_hand(&self) -> bool {
        self.driver == DriverSettings::Manual
    }

    /// Lists the pools that a host is in.
    pub fn pools_of(&self, host: &Host) -> impl Iterator<Item = &Name> {
        self.pools.iter().filter(|(_, role)| host.roles.contains(role)).map(|(pool, _)| pool)
    }

    /// Returns whether a host is in one of its pools.
    pub fn has(&self, host: &Host) -> bool {
        self.pools_of(host).next().is_some()
    }
}

impl Fleet {
    /// Removes a pool, so that its balancer isn't asked about it. Lock and ledger stay on the balancer's machine.
    ///
    /// Fails with `Usage` if there is no such pool.
    pub fn leave_unasked(&mut self, pool: &str) -> Result<(), Failure> {
        let mut known: Vec<&Name> = self.balancers.iter().flat_map(|b| b.pools.keys()).collect();
        if !known.iter().any(|name| ***name == *pool) {
            known.sort();
            let there = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let help = did_you_mean(pool, known.iter().map(|name| &***name)).unwrap_or_else(|| {
                if known.is_empty() {
                    "the fleet has no balancers: leave the flag out".to_owned()
                } else {
                    format!("there are {there}")
                }
            });
            let message = format!("`--without-balancer {pool}`: `{}` has no such pool", self.name);
            return Err(Failure::new(Cause::Usage, message).help(help));
        }
        for balancer in &mut self.balancers {
            self.unasked.extend(balancer.pools.remove_entry(pool));
        }
        Ok(())
    }

    /// Lists the pools that a host was in before `leave_unasked` removed them.
    pub fn unasked(&self, host: &Host) -> Vec<&Name> {
        self.unasked.iter().filter(|(_, role)| host.roles.contains(role)).map(|(pool, _)| pool).collect()
    }

    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| &*host.name == name)
    }

    pub fn balancer(&self, name: &str) -> Option<&Balancer> {
        self.balancers.iter().find(|balancer| &*balancer.name == name)
    }

    /// Finds the hosts of a group, in the fleet's order.
    pub fn group(&self, name: &str) -> Vec<&Host> {
        self.hosts.iter().filter(|host| host.group.as_deref() == Some(name)).collect()
    }

    /// Finds the hosts that have a role, in the fleet's order.
    pub fn role(&self, name: &str) -> Vec<&Host> {
        self.hosts.iter().filter(|host| host.roles.iter().any(|role| &**role == name)).collect()
    }

    /// Lists the groups in the order of the hosts.
    pub fn groups(&self) -> Vec<&Name> {
        distinct(self.hosts.iter().filter_map(|host| host.group.as_ref()))
    }

    /// Lists the roles in the order of the hosts.
    pub fn roles(&self) -> Vec<&Name> {
        distinct(self.hosts.iter().flat_map(|host| &host.roles))
    }

    /// Returns what a name stands for in a selection, if anything. A task can't have such a name.
    pub fn named(&self, name: &str) -> Option<NameKind> {
        if WORDS.contains(&name) {
            Some(NameKind::Word)
        } else if self.host(name).is_some() {
            Some(NameKind::Host)
        } else if self.hosts.iter().any(|host| host.group.as_deref() == Some(name)) {
            Some(NameKind::Group)
        } else if self.hosts.iter().any(|host| host.roles.iter().any(|role| &**role == name)) {
            Some(NameKind::Role)
        } else {
            None
        }
    }

    /// Returns whether a host gets the fleet's app, if it has one.
    pub fn releases_to(&self, host: &Host) -> bool {
        self.app.as_ref().is_none_or(|app| app.is_on(host))
    }

    pub fn in_pool(&self, host: &Host) -> bool {
        self.balancers.iter().any(|balancer| balancer.has(host))
    }

    /// Finds the hosts that are a pool's servers, in the fleet's order. It's empty if there is no such pool.
    pub fn servers(&self, balancer: &Balancer, pool: &str) -> Vec<&Host> {
        balancer.pools.get(pool).map_or_else(Vec::new, |role| self.role(role))
    }

    /// Returns the name of the first balancer, otherwise of the first host, by name. It keeps the ledger and the lock.
    ///
    /// `None` only in a fleet without hosts, which can't be written in a file.
    pub fn home(&self) -> Option<&Name> {
        let balancer = self.balancers.iter().map(|balancer| &balancer.name).min();
        balancer.or_else(|| self.hosts.iter().map(|host| &host.name).min())
    }

    /// Returns the folder of the ledger, the marks and the lock on a host. It may start with `~/`.
    pub fn state_folder(&self) -> String {
        format!("{}/{}", self.state, self.name)
    }

    /// Counts the servers of a pool that must stay live; at least 1.
    ///
    /// The default is nine tenths of the pool's smallest group, or half of a pool without groups, rounded down. A share
    /// is rounded up.
    pub fn min_live(&self, balancer: &Balancer, pool: &str) -> usize {
        let servers = self.servers(balancer, pool);
        let least = match balancer.min_live {
            Some(MinLive::Count(count)) => count,
            Some(MinLive::Percent(percent)) => (servers.len() * usize::from(percent)).div_ceil(100),
            None => {
                let mut sizes: BTreeMap<&Name, usize> = BTreeMap::new();
                for group in servers.iter().filter_map(|host| host.group.as_ref()) {
                    *sizes.entry(group).or_default() += 1;
                }
                sizes.values().min().map_or(servers.len() / 2, |smallest| smallest * 9 / 10)
            }
        };
        least.max(1)
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a Name>) -> Vec<&'a Name> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

#[cfg(test)]
mod tests {
    use crate::fleet::{
        Fleet, NameKind,
        tests::{SHOP, read_text},
    };

    fn fleet(hosts: &str, min_live: &str) -> Fleet {
        read_text(&format!(
            "[hosts]\n{hosts}\n[balancer.lb1]\ndriver = \"haproxy\"\nhost = \"lb1\"\nsocket = \"/run/a.sock\"\n\
             pools = {{ bk_web = \"web\" }}\n{min_live}\n"
        ))
    }

    #[test]
    fn as_many_stay_live_as_the_rule_says() {
        let groups = |a: u32, b: u32| {
            let b = a + b;
            format!(
                "\"web[1..{a}]\" = {{ group = \"g1\", roles = [\"web\"] }}\n\
                 \"web[{}..{b}]\" = {{ group = \"g2\", roles = [\"web\"] }}",
                a + 1
            )
        };
        let alone = |n: u32| format!("\"web[1..{n}]\" = {{ roles = [\"web\"] }}");
        let mixed = format!("{}\nweb9 = {{ roles = [\"web\"] }}", groups(4, 4));
        let elsewhere = format!("{}\ndb1 = {{ group = \"g3\", roles = [\"db\"] }}", groups(21, 21));
        for (hosts, min_live, wanted) in [
            (groups(21, 21), "", 18),
            (groups(10, 21), "", 9),
            (groups(3, 3), "", 2),
            (groups(1, 1), "", 1),
            (groups(2, 21), "", 1),
            (elsewhere, "", 18),
            (mixed, "", 3),
            (alone(1), "", 1),
            (alone(2), "", 1),
            (alone(5), "", 2),
            (alone(6), "", 3),
            (groups(21, 21), "min_live = 1", 1),
            (groups(21, 21), "min_live = 40", 40),
            (alone(42), "min_live = \"80%\"", 34),
            (alone(5), "min_live = \"50%\"", 3),
            (alone(5), "min_live = \"1%\"", 1),
            (alone(5), "min_live = \"100%\"", 5),
        ] {
            let fleet = fleet(&hosts, min_live);
            assert_eq!(fleet.min_live(&fleet.balancers[0], "bk_web"), wanted, "{hosts} {min_live}");
        }
        let fleet = fleet("web1 = { roles = [\"web\"] }", "");
        assert_eq!(fleet.min_live(&fleet.balancers[0], "no such pool"), 1);
    }

    #[test]
    fn names_are_found_for_what_they_are() {
        let fleet = read_text(SHOP);
        assert_eq!(fleet.named("web01"), Some(NameKind::Host));
        assert_eq!(fleet.named("group2"), Some(NameKind::Group));
        assert_eq!(fleet.named("worker"), Some(NameKind::Role));
        assert_eq!(fleet.named("out"), Some(NameKind::Word));
        assert_eq!(fleet.named("deploy"), None);
        assert_eq!(fleet.host("jobs1").unwrap().address(), "10.0.0.9");
        assert!(fleet.host("web1").is_none());
        assert_eq!(fleet.groups().iter().map(|g| &***g).collect::<Vec<_>>(), ["group1", "group2"]);
        assert_eq!(fleet.roles().iter().map(|r| &***r).collect::<Vec<_>>(), ["web", "worker"]);
        assert_eq!((fleet.group("group2")[0].name.as_ref(), fleet.role("web").len()), ("web22", 42));
    }

    #[test]
    fn who_has_the_role_of_a_pool_is_in_it_and_the_first_balancer_keeps_the_state() {
        let fleet = read_text(
            "[hosts]\nweb1 = { roles = [\"web\", \"api\"], address = \"10.0.0.1\" }\njobs1 = { roles = [\"worker\"] }\n\
             [balancer.lb2]\ndriver = \"haproxy\"\nhost = \"a\"\nsocket = \"/run/a.sock\"\npools = { web = \"web\" }\n\
             [balancer.lb1]\ndriver = \"haproxy\"\nhost = \"web1\"\nsocket = \"/run/a.sock\"\n\
             pools = { web = \"web\", api = \"api\" }\nserver = \"s-{name}\"\n",
        );
        assert!(fleet.in_pool(&fleet.hosts[0]) && !fleet.in_pool(&fleet.hosts[1]));
        assert_eq!(fleet.home().map(|name| &**name), Some("lb1"));
        let alone = read_text("[hosts]\nweb2 = {}\nweb1 = {}");
        assert_eq!(alone.home().map(|name| &**name), Some("web1"));
    }
}
