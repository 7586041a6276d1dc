//! The balancer, its lock and its ledger behave the same in the lab and on the model.

use super::{four, settled};
use crate::sides::{Side, Sides, holder, line};
use lab::{Lab, needs_lab};
use rfab::{
    balancer::{AcquireLock, CutOff, Lock, ReadBalance, Reopen, ServerPlace, SetAdmin, SetWeight, WaitDrained, WaitUp},
    bookkeeping::{Mark, MarkState, ReadLedger, ReadMarks},
    effect::Admin,
    fleet::{Balancer, Fleet},
    host::Name,
    model::Fact,
    release::{CheckTree, RecordNumber},
};
use serde_json::Value;
use std::{io::Write, net::TcpStream, sync::Arc, time::Duration};

/// A lab, and its model.
struct Scene {
    sides: Sides,
    lab: Lab,
}

impl Scene {
    fn lock(&self, run: &str, take: bool) -> Lock {
        Lock { fleet: self.sides.fleet.clone(), holder: holder(run), take, wait: false }
    }

    fn set(&self, names: &[&str], to: Admin) -> SetAdmin {
        let hosts = names.iter().map(|name| self.sides.host(name)).collect();
        SetAdmin { fleet: self.sides.fleet.clone(), hosts, to, reason: "test".into(), typed: false }
    }

    fn balance(&self) -> ReadBalance {
        ReadBalance::of(self.sides.fleet.clone())
    }

    fn wait_drained(&self, name: &str, within: u64) -> WaitDrained {
        WaitDrained { fleet: self.sides.fleet.clone(), host: self.sides.host(name), within }
    }

    fn wait_up(&self, name: &str, within: u64) -> WaitUp {
        WaitUp { fleet: self.sides.fleet.clone(), host: self.sides.host(name), within }
    }

    fn nobody_uses_the_shop(&self) {
        self.sides.model(|model| {
            model.servers.values_mut().for_each(|s| (s.open, s.weight, s.configured) = (Fact::Told(0), 1, 1))
        });
    }

    fn a_held_lock_says_who_holds_it(&self, other: &Side) {
        other.perform(&self.lock("r0", true)).unwrap();
        self.sides.model(|model| model.states.get_mut("prod").unwrap().held_by = Some(holder("r0")));
        self.sides.fail(
            &self.lock("r1", true),
            "fleet `prod` is locked by anna@mac since 2026-11-24T10:00:00Z: `rfab prod deploy:stable` (run r0)",
        );
        self.sides.same(&self.lock("r1", false)).unwrap();
        self.sides.fail(&self.lock("r1", true), "(run r0)");
        other.perform(&self.lock("r0", false)).unwrap();
        self.sides.model(|model| model.states.get_mut("prod").unwrap().held_by = None);
        self.sides.same(&self.lock("r1", true)).unwrap();
        self.sides.same(&self.lock("r1", true)).unwrap();
        self.sides.same(&AcquireLock { fleet: self.sides.fleet.clone() }).unwrap();
    }

    fn hosts_are_drained_kept_in_maintenance_and_put_back(&self) {
        self.sides.alike(&self.balance(), settled).unwrap();
        self.sides.same(&self.set(&["web1", "web2"], Admin::Drain)).unwrap();
        self.sides.same(&self.set(&["web1"], Admin::Drain)).unwrap();
        self.sides.alike(&self.balance(), settled).unwrap();
        self.sides.same(&self.wait_drained("web1", 2_000)).unwrap();
        self.sides.same(&self.set(&["web1"], Admin::Maint)).unwrap();
        self.sides.alike(&self.balance(), settled).unwrap();
        // A host in maintenance gets no requests, so it counts as drained.
        self.sides.same(&self.set(&["web1"], Admin::Drain)).unwrap();
        self.sides.alike(&self.balance(), settled).unwrap();
        self.sides.same(&self.set(&["web1", "web2"], Admin::Ready)).unwrap();
        self.sides.same(&self.wait_up("web1", 5_000)).unwrap();
        self.sides.alike(&self.balance(), settled).unwrap();
    }

    fn a_weight_is_a_share_of_the_configured_one(&self) {
        let weight = |percent| SetWeight { fleet: self.sides.fleet.clone(), host: self.sides.host("web1"), percent };
        self.sides.fail(&weight(10), "10 % of the weight 1 of `lb1/bk_web/web1` rounds to zero");
        for percent in [0, 100] {
            self.sides.same(&weight(percent)).unwrap();
            self.sides.alike(&self.balance(), settled).unwrap();
        }
    }

    /// Checks that no host is drained if another named one isn't a server of the pool.
    fn a_stranger_keeps_all_from_a_drain(&self) {
        let mut stranger = self.sides.host("web2");
        (stranger.name, stranger.address) = ("web9".into(), None);
        let unknown = SetAdmin { hosts: vec![self.sides.host("web1"), stranger], ..self.set(&[], Admin::Drain) };
        let failure = self.sides.real.perform(&unknown).unwrap_err();
        assert!(failure.message.starts_with("`lb1` has no server `web9` in its pool `bk_web`"), "{failure:?}");
        let predicted = self.sides.made_up.perform(&unknown).unwrap_err();
        assert_eq!((failure.reason(), &failure.host), (predicted.reason(), &predicted.host));
        assert!(failure.message.starts_with(&predicted.message), "{predicted:?}");
        self.sides.alike(&self.balance(), settled).unwrap();
    }

    /// Checks that a host isn't drained while requests to it are open.
    fn what_is_open_keeps_a_host_from_being_drained(&self) {
        let open = self.open_requests();
        self.sides.same(&self.set(&["web3"], Admin::Drain)).unwrap();
        let said = "host `web3` isn't drained: 2 requests are still open after 0.5 s";
        self.sides.fail(&self.wait_drained("web3", 500), said);
        self.who_is_bound_is_kept_off_meanwhile();
        drop(open);
        self.sides.model(|model| model.servers.values_mut().for_each(|server| server.open = Fact::Told(0)));
        self.sides.same(&self.set(&["web3"], Admin::Ready)).unwrap();
    }

    /// Opens two slow requests to each host.
    fn open_requests(&self) -> Vec<TcpStream> {
        let address = self.lab.balancer("lb1").frontend("bk_web");
        let open = (0..8)
            .map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(b"GET /slow?ms=4000 HTTP/1.1\r\nHost: shop\r\n\r\n").unwrap();
                stream
            })
            .collect();
        self.lab.balancer("lb1").wait_for("bk_web", "web3", "scur", "2");
        self.sides.model(|model| model.servers.values_mut().for_each(|server| server.open = Fact::Told(2)));
        open
    }

    /// Keeps the open requests of the model open.
    fn still_open(&self) {
        self.sides.model(|model| {
            let now = model.now;
            model.servers.values_mut().for_each(|server| server.since = now);
        });
    }

    /// Checks that rfab closes open requests if the fleet file says so.
    fn who_is_bound_is_kept_off_meanwhile(&self) {
        let fleet = &self.sides.fleet;
        let closing = Fleet {
            balancers: vec![Balancer { force_close: true, ..fleet.balancers[0].clone() }],
            ..(**fleet).clone()
        };
        let host = self.sides.host("web3");
        let cut_off =
            |fleet: &Arc<Fleet>| CutOff { fleet: fleet.clone(), host: host.clone(), bound: true, within: 300 };
        self.still_open();
        self.sides.fail(&cut_off(fleet), "host `web3` isn't drained: 2 requests are still open after 0.3 s");
        self.still_open();
        self.sides.alike(&self.balance(), settled).unwrap();
        let places = vec![ServerPlace { balancer: "lb1".into(), pool: "bk_web".into(), server: "web3".into() }];
        let reopen = Reopen { fleet: fleet.clone(), host: self.sides.host("web3"), places: places.clone() };
        self.sides.same(&reopen).unwrap();
        self.sides.same(&reopen).unwrap();
        self.lab.balancer("lb1").wait_for("bk_web", "web3", "status", "DRAIN");
        self.sides.alike(&self.balance(), settled).unwrap();
        self.still_open();
        assert_eq!(self.sides.same(&cut_off(&closing.into())).unwrap(), places);
        self.sides.alike(&self.balance(), settled).unwrap();
        self.sides.same(&self.wait_drained("web3", 100)).unwrap();
        self.sides.same(&reopen).unwrap();
    }

    fn a_host_whose_service_is_down_is_not_put_back(&self) {
        let web4 = self.sides.host("web4");
        self.lab.host("web4").unit("shop").tell("stop");
        self.lab.balancer("lb1").wait_for("bk_web", "web4", "status", "DOWN");
        self.sides.model(|model| model.machine(&web4).unwrap().up_at = Fact::Told(None));
        self.sides
            .fail(&self.wait_up("web4", 400), "host `web4` isn't up for its balancer after 0.4 s: it reports `DOWN`");

        self.sides.same(&self.set(&["web4"], Admin::Maint)).unwrap();
        let mut hasty = (*self.sides.fleet).clone();
        hasty.balancers[0].drain_within = Duration::from_secs(1);
        let ready = SetAdmin { fleet: hasty.into(), ..self.set(&["web4"], Admin::Ready) };
        self.sides.fail(
            &ready,
            "host `web4` isn't healthy, so rfab leaves it out: its balancer reports `DOWN`; all others are unchanged",
        );
        self.sides.alike(&self.balance(), settled).unwrap();
    }

    fn a_commit_gets_a_number_of_its_own(&self, commit: &Name) {
        let number = |highest| RecordNumber {
            fleet: self.sides.fleet.clone(),
            commit: commit.clone(),
            name: "v3.0.1".into(),
            names: vec!["v3.0.1".into()],
            known: None,
            renumbered: false,
            content: None,
            highest,
            line: line("r1"),
        };
        assert_eq!(self.sides.same(&number(1)).unwrap(), 2);
        assert_eq!(self.sides.same(&number(7)).unwrap(), 2, "a known commit keeps its own");
        assert_eq!(
            self.sides.same(&RecordNumber { renumbered: true, ..number(7) }).unwrap(),
            8,
            "but for one that is made anew"
        );
        assert_eq!(self.sides.same(&number(7)).unwrap(), 8);
        self.lab
            .project
            .git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/lib")])
            .expect_ok();
        self.lab.project.git(&["commit", "-q", "-m", "a submodule"]).expect_ok();
        let app = self.sides.fleet.app.as_ref().expect("an app");
        let check = |commit: &str| CheckTree {
            repository: app.repository.clone(),
            commit: commit.into(),
            rules: app.rules.clone(),
            fleet: "prod".into(),
        };
        assert_eq!(self.sides.same(&check(commit)).unwrap(), None);
        self.sides.fail(&check(&self.lab.project.resolve("HEAD")), "");
        let next = RecordNumber { commit: self.lab.project.resolve("HEAD").as_str().into(), ..number(8) };
        assert_eq!(self.sides.same(&next).unwrap(), 9);
        let made_up = RecordNumber { known: Some(999_999_998), renumbered: true, ..number(999_999_999) };
        assert_eq!(self.sides.same(&made_up).unwrap(), 10, "one that somebody made up on a host doesn't count");
    }

    fn a_marks_state_is_the_last_that_was_written(&self, commit: &Name) {
        let marks = ReadMarks { fleet: self.sides.fleet.clone(), name: "migrate".into(), commit: commit.clone() };
        assert_eq!(self.sides.same(&marks).unwrap(), MarkState::NeverBegun);
        for state in [MarkState::Begun, MarkState::Failed, MarkState::Begun, MarkState::Done] {
            let mark = Mark {
                fleet: self.sides.fleet.clone(),
                name: "migrate".into(),
                commit: commit.clone(),
                state,
                line: line("r1"),
            };
            self.sides.same(&mark).unwrap();
            assert_eq!(self.sides.same(&marks).unwrap(), state);
        }
    }

    fn the_ledger_has_a_line_of_each(&self) {
        let undated = |mut value: Value| {
            value["lines"].as_array_mut().unwrap().iter_mut().for_each(|line| line["at"] = Value::Null);
            value
        };
        assert_eq!(self.sides.alike(&ReadLedger { fleet: self.sides.fleet.clone() }, undated).unwrap().lines.len(), 10);
    }

    fn a_lock_is_let_go_also_after_a_reload(&self) {
        self.lab.balancer("lb1").reload();
        self.sides.model(|model| model.forget(&self.sides.fleet.name, &"lb1".into()));
        self.lab.balancer("lb1").wait_for("bk_web", "web1", "status", "UP");
        assert_eq!(self.sides.same(&self.lock("r1", false)).map(drop), Ok(()));
    }
}

#[test]
fn the_balancer_its_lock_and_its_ledger() {
    if !needs_lab("the_balancer_its_lock_and_its_ledger") {
        return;
    }
    let lab = Lab::start(four());
    let sides = Sides::of(&lab);
    let scene = Scene { sides, lab };
    scene.nobody_uses_the_shop();
    let other = Side::real(&scene.lab, "r0");
    scene.a_held_lock_says_who_holds_it(&other);
    scene.hosts_are_drained_kept_in_maintenance_and_put_back();
    scene.a_weight_is_a_share_of_the_configured_one();
    scene.a_stranger_keeps_all_from_a_drain();
    scene.what_is_open_keeps_a_host_from_being_drained();
    scene.a_host_whose_service_is_down_is_not_put_back();
    let commit: Name = scene.lab.project.resolve("v3.0.1").as_str().into();
    scene.a_commit_gets_a_number_of_its_own(&commit);
    scene.a_marks_state_is_the_last_that_was_written(&commit);
    scene.the_ledger_has_a_line_of_each();
    scene.a_lock_is_let_go_also_after_a_reload();
}
