//! Releases and services behave the same in the lab and on the model, through the life of a host.

use super::{four, says, settled};
use crate::sides::Sides;
use lab::{Lab, needs_lab};
use rfab::{
    failure::{Failure, Reason},
    fleet::{Health, Version},
    health::{Expected, Inspect, Probe, ProbeOnce, Tried, TryProbe},
    host::Host,
    model::{ModelOutput, Release, key},
    release::{
        Activate, Adopt, BuildRequest, CheckOut, Home, PackBuilt, Prune, ReadBuilt, ReadManifest, ReadReleases, SetUp,
        Stage, Sweep, TakeArchive,
    },
    remote::Connect,
    service::{ChangeService, ReadService, ServiceChange, ServiceRead},
};
use serde_json::Value;
use std::{path::Path, time::Duration};

/// Checks that a folder with another tool's `current` is set up only by `Adopt`.
fn another_tools_folder_is_taken_over(lab: &Lab, sides: &Sides, home: &Home) {
    let old = "releases/20240101120000";
    lab.host("web3")
        .sh(&format!("cd /srv/shop && mv releases/* {old} && ln -s {old} .next && mv -T .next current"))
        .expect_ok();
    let web3 = sides.host("web3");
    let list = ReadReleases { host: web3.clone(), home: home.clone() };
    let listing = sides.learn(&list);
    assert_eq!((listing.foreign.as_deref(), &listing.current), (Some(old), &None));
    sides.fail(&SetUp { host: web3.clone(), home: home.clone() }, "this is another tool's layout");
    sides.same(&Adopt { host: web3.clone(), home: home.clone() }).unwrap();
    sides.same(&Adopt { host: web3, home: home.clone() }).unwrap();
    assert!(sides.same(&list).unwrap().set_up);
}

/// Checks that a healthy service passes each kind of probe that expects its answer, and no other probe.
fn each_kind_of_probe(sides: &Sides, probe: &Probe) {
    let page = "{\"status\":\"ok\"";
    sides.model(|model| model.page = Some((200, page.to_owned())));
    type Change<'a> = &'a dyn Fn(&mut Health);
    let kinds: [(bool, Change); 6] = [
        (true, &|health| health.body = Some(page.to_owned())),
        (false, &|health| health.body = Some("sick".to_owned())),
        (true, &|health| health.status = vec![(100, 199), (200, 204)]),
        (false, &|health| health.status = vec![(204, 204)]),
        (true, &|health| health.host = Some("shop.example.org".to_owned())),
        (true, &|health| (health.url, health.version) = ("tcp://{address}:8080".to_owned(), Version::None)),
    ];
    for (good, change) in kinds {
        let mut probe = probe.clone();
        change(&mut probe.health);
        assert_eq!(sides.same(&ProbeOnce(probe.clone())).unwrap(), good, "{:?}", probe.health);
        assert_eq!(sides.same(&Inspect(probe)).unwrap().right, good);
    }
    let mut nobody = probe.clone();
    (nobody.health.url, nobody.health.version) = ("tcp://{address}:9".to_owned(), Version::None);
    let seen = sides.real.perform(&Inspect(nobody)).unwrap();
    assert!(!seen.right && seen.said.ends_with(":9: connection refused"), "{seen:?}");
    sides.model(|model| model.page = None);
}

/// Leaves out how much was sent, which the model doesn't know.
fn unsent(outcome: Value) -> Value {
    if outcome.get("sent_bytes").is_some() { Value::Null } else { outcome }
}

/// Checks that a build is staged under its commit's number, unless the host has that number with other content.
fn a_build_takes_the_place_of_a_tree(sides: &Sides, home: &Home, stable: &Release) {
    let (web1, web2) = (sides.host("web1"), sides.host("web2"));
    let app = sides.fleet.app.clone().unwrap();
    let (repository, commit) = (app.repository.clone(), stable.commit.to_string());
    let of =
        BuildRequest { repository: repository.clone(), commit: commit.clone(), part: ".".into(), rules: app.rules };
    let known = |value: Value| Value::from(value.is_string());
    assert_eq!(sides.alike(&ReadBuilt { of: of.clone(), own: false }, known).unwrap(), None);
    let folder =
        sides.alike(&CheckOut { repository: repository.clone(), commit, rules: Default::default() }, known).unwrap();
    std::fs::write(Path::new(&folder).join("built"), "yes").unwrap();
    let made = sides.alike(&PackBuilt { of, folder: folder.clone() }, known).unwrap();
    sides.same(&Sweep { repository, folder: folder.clone() }).unwrap();
    assert!(!Path::new(&folder).exists());
    let archives = tempfile::tempdir().unwrap();
    std::fs::write(archives.path().join("shop.tar"), [0; 1024]).unwrap();
    let take = |sha256: &str| TakeArchive {
        repository: app.repository.clone(),
        file: archives.path().join("shop.tar").display().to_string(),
        sha256: sha256.to_owned(),
        commit: stable.commit.clone(),
        part: ".".into(),
        linked: vec!["log".into()],
    };
    let empty = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    assert!(sides.alike(&take(empty), known).is_ok());
    let built = |host: &Host| Stage { built: Some(made.clone()), ..Stage::of(&sides.fleet, host, stable).unwrap() };
    let another = sides.alike(&built(&web1), |mut failed| {
        failed["message"] = failed["message"].as_str().and_then(|said| said.split(": its manifest").next()).into();
        failed
    });
    assert!(another.unwrap_err().message.contains("has different contents"));
    sides.alike(&built(&web2), unsent).unwrap();
    sides.alike(&built(&web2), unsent).unwrap();
    let manifest = |host: &Host| ReadManifest { host: host.clone(), release: stable.clone(), home: home.clone() };
    assert_eq!(sides.same(&manifest(&web2)).unwrap(), Some(made));
    assert!(sides.alike(&manifest(&web1), known).unwrap().is_some());
    assert_eq!(
        sides.same(&ReadManifest { release: Release { number: 9, ..stable.clone() }, ..manifest(&web1) }),
        Ok(None)
    );
}

/// Removes the unit's own words: only whether it runs counts.
fn runs(mut value: Value) -> Value {
    value["out"] = Value::Null;
    value
}

/// A lab, its model, and the release that is deployed to them.
struct Scene {
    sides: Sides,
    lab: Lab,
    home: Home,
    stable: Release,
}

impl Scene {
    fn list(&self, host: &str) -> ReadReleases {
        ReadReleases { host: self.sides.host(host), home: self.home.clone() }
    }

    fn stage(&self, host: &str, release: &Release) -> Stage {
        Stage::of(&self.sides.fleet, &self.sides.host(host), release).unwrap()
    }

    fn activate(&self, host: &str, release: &Release) -> Activate {
        Activate {
            host: self.sides.host(host),
            release: release.clone(),
            home: self.home.clone(),
            assets: vec!["public".into()],
            names: vec![],
        }
    }

    fn prune(&self, host: &str, keep: usize) -> Prune {
        Prune { host: self.sides.host(host), home: self.home.clone(), keep }
    }

    fn service(&self, host: &str, change: ServiceChange) -> ChangeService {
        ChangeService::of(&self.sides.fleet, &self.sides.host(host), &"shop".into(), change).unwrap()
    }

    fn status(&self, host: &str) -> ReadService {
        ReadService::of(&self.sides.fleet, &self.sides.host(host), &"shop".into(), ServiceRead::Status).unwrap()
    }

    fn probe(&self, host: &str, commit: &str) -> Probe {
        let expected = Expected::of(commit.into(), vec![]);
        let mut probe = Probe::of(&self.sides.fleet, &self.sides.host(host), expected).unwrap();
        probe.health.within = Duration::from_secs(3);
        probe
    }

    fn glance(&self, host: &str, commit: &str) -> ProbeOnce {
        ProbeOnce(self.probe(host, commit))
    }

    fn tried(&self) -> Result<Tried, Failure> {
        self.sides.same(&TryProbe(self.probe("web1", &self.stable.commit)))
    }

    /// Checks hosts that got their first release by hand, without rfab's folders.
    fn nothing_is_set_up_yet(&self) {
        let all = &self.sides.fleet.hosts;
        all.iter().for_each(|host| {
            self.sides.learn(&ReadReleases { host: host.clone(), home: self.home.clone() });
        });
        assert!(!self.sides.same(&self.list("web1")).unwrap().set_up);
    }

    fn folders_are_set_up(&self) {
        self.sides.fail(&self.stage("web1", &self.stable), "the app's folders don't exist");
        self.sides.fail(&self.prune("web1", 1), "the app's folders don't exist");
        for host in ["web1", "web2", "web4"] {
            self.sides.same(&SetUp { host: self.sides.host(host), home: self.home.clone() }).unwrap();
        }
        assert!(self.sides.same(&self.list("web1")).unwrap().set_up);
        another_tools_folder_is_taken_over(&self.lab, &self.sides, &self.home);
    }

    fn a_release_is_staged_and_activated(&self) {
        self.sides.fail(&self.activate("web1", &self.stable), "the release isn't staged");
        self.sides.alike(&self.stage("web1", &self.stable), unsent).unwrap();
        self.sides.alike(&self.stage("web1", &self.stable), unsent).unwrap();
        assert!(self.sides.same(&self.list("web1")).unwrap().of(&self.stable.commit).is_some());
        self.sides.same(&self.activate("web1", &self.stable)).unwrap();
        self.sides.same(&self.activate("web1", &self.stable)).unwrap();
        assert_eq!(self.sides.same(&self.list("web1")).unwrap().current.as_ref(), Some(&self.stable));
    }

    fn newer_ones_are_staged(&self) {
        for number in 3..7 {
            let newer = Release {
                number,
                commit: self.lab.colleague(&format!("c{number}")).release(&format!("v3.1.{number}")).as_str().into(),
            };
            self.lab.project.git(&["fetch", "-q", "origin"]).expect_ok();
            self.sides.alike(&self.stage("web1", &newer), unsent).unwrap();
        }
    }

    fn old_ones_are_pruned(&self) {
        assert_eq!(self.sides.same(&self.prune("web1", 2)).unwrap(), 2);
        assert_eq!(self.sides.same(&self.prune("web1", 2)).unwrap(), 0);
        assert_eq!(self.sides.same(&self.list("web1")).unwrap().releases.len(), 3);
    }

    fn a_full_disk_takes_no_release(&self) {
        let _ = self.lab.host("web4").sh("head -c 2000000 /dev/zero > /srv/full");
        let web4 = self.sides.host("web4");
        self.sides.model(|model| model.machine(&web4).unwrap().full = true);
        let full = self.sides.alike(&self.stage("web4", &self.stable), settled).unwrap_err();
        assert!(full.message.contains("the disk has"), "{full:?}");
        assert_eq!(self.sides.same(&self.list("web4")).unwrap().releases.len(), 0);
    }

    fn a_service_is_stopped_and_started(&self) {
        assert_eq!(self.sides.alike(&self.status("web2"), runs).unwrap().status, 0);
        self.sides.same(&self.service("web2", ServiceChange::Stop)).unwrap();
        assert_eq!(self.sides.alike(&self.status("web2"), runs).unwrap().status, 3);
        self.sides.same(&self.service("web2", ServiceChange::Start)).unwrap();
        self.sides.same(&self.service("web2", ServiceChange::Start)).unwrap();
        assert_eq!(self.sides.alike(&self.status("web2"), runs).unwrap().status, 0);
    }

    fn what_is_served_is_known_by_its_answer(&self) {
        // Activated but not restarted: it still serves the old release.
        let old = self.lab.project.resolve("v3.0.0");
        assert!(self.sides.same(&self.glance("web1", &old)).unwrap());
        assert_eq!(self.tried().unwrap(), Tried::Fits);
        self.lab.host("web1").unit("shop").says("ok");
        self.sides.model(|model| model.says = "ok".to_owned());
        assert!(matches!(self.tried().unwrap(), Tried::Nameless(words) if words.contains("is `ok`")));
        self.lab.host("web1").unit("shop").says("{commit}");
        self.sides.model(|model| model.says = "{commit}".to_owned());
        assert!(!self.sides.same(&self.glance("web1", &self.stable.commit)).unwrap());
        each_kind_of_probe(&self.sides, &self.probe("web1", &old));
        self.sides.alike(&self.probe("web1", &old), settled).unwrap();
        let served = self.sides.same(&self.probe("web1", &self.stable.commit)).unwrap_err();
        assert!(served.message.contains("serves version"), "{served:?}");
        self.sides.same(&self.service("web1", ServiceChange::Restart)).unwrap();
        assert!(self.sides.alike(&self.probe("web1", &self.stable.commit), settled).unwrap().version_proven);
    }

    fn a_sick_service_is_never_healthy(&self) {
        self.lab.host("web1").unit("shop").sick(true);
        self.sides.model(|model| model.sick.insert(self.stable.commit.clone()));
        assert_eq!(self.tried().unwrap(), Tried::Silent);
        assert!(!self.sides.same(&self.glance("web1", &self.stable.commit)).unwrap());
        self.sides.fail(&self.probe("web1", &self.stable.commit), "doesn't become healthy within 3 s");
        self.sides.same(&self.service("web1", ServiceChange::Stop)).unwrap();
        self.sides.fail(&self.probe("web1", &self.stable.commit), "doesn't become healthy within 3 s");
        assert_eq!(self.tried().unwrap(), Tried::Silent);
    }

    fn a_name_that_does_not_resolve_is_a_mistake_in_the_project(&self) {
        let mut unknown = TryProbe(self.probe("web1", &self.stable.commit));
        unknown.0.health.url = "http://web1.invalid:8080/health".to_owned();
        let refused = self.sides.real.perform(&unknown).unwrap_err();
        let said = "`web1.invalid` doesn't resolve on `lb1`";
        assert!(refused.reason() == Reason::Fabfile && refused.message.starts_with(said), "{refused:?}");
    }

    fn a_unit_that_is_gone_is_not_restarted(&self) {
        self.lab
            .host("web3")
            .sh(&format!("mv {0} {0}.gone", self.lab.host("web3").unit("shop").folder().display()))
            .expect_ok();
        let gone = ModelOutput { status: 5, err: "unit shop isn't known here".into(), ..ModelOutput::default() };
        let restart = self.service("web3", ServiceChange::Restart);
        says(&self.sides, "web3", "lab-service restart shop", gone);
        assert_eq!(self.sides.same(&restart).unwrap_err().status, Some(5));
    }

    fn a_host_without_ssh_is_unreachable(&self) {
        self.lab.host("web3").stop_sshd();
        let web3 = self.sides.host("web3");
        self.sides.model(|model| model.dead.insert(key(&web3)));
        let dead = self.sides.real.perform(&self.list("web3")).unwrap_err();
        assert_eq!(
            (dead.reason(), self.sides.made_up.perform(&self.list("web3")).unwrap_err().reason()),
            (Reason::Unreachable, Reason::Unreachable)
        );
    }
}

#[test]
fn releases_and_services() {
    if !needs_lab("releases_and_services") {
        return;
    }
    let lab = Lab::start(four());
    let sides = Sides::of(&lab);
    let home = Home::of(&sides.fleet, &sides.host("web1")).unwrap();
    let all = sides.fleet.hosts.clone();
    sides.same(&Connect { fleet: sides.fleet.clone(), hosts: all, at_once: 8, changes: false, single: false }).unwrap();
    let stable = Release { number: 2, commit: lab.project.resolve("v3.0.1").as_str().into() };
    let scene = Scene { sides, lab, home, stable };
    scene.nothing_is_set_up_yet();
    scene.folders_are_set_up();
    scene.a_release_is_staged_and_activated();
    scene.newer_ones_are_staged();
    a_build_takes_the_place_of_a_tree(&scene.sides, &scene.home, &scene.stable);
    scene.old_ones_are_pruned();
    scene.a_full_disk_takes_no_release();
    scene.a_service_is_stopped_and_started();
    scene.what_is_served_is_known_by_its_answer();
    scene.a_sick_service_is_never_healthy();
    scene.a_name_that_does_not_resolve_is_a_mistake_in_the_project();
    scene.a_unit_that_is_gone_is_not_restarted();
    scene.a_host_without_ssh_is_unreachable();
}
