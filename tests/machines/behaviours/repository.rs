//! The repository, the person and the clock behave the same in the lab and on the model.

use crate::sides::Sides;
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use rfab::{
    git::{Change, ChangeRepository, ReadLog, ReadNames, Resolve},
    ui::{Confirm, Consent, Now, Prompt, Wait},
};
use serde_json::Value;
use std::{thread, time::Duration};

#[test]
fn the_repository_the_person_and_the_clock() {
    if !needs_lab("the_repository_the_person_and_the_clock") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("prod").role("web").sudo(Sudo::Free)));
    let sides = Sides::of(&lab);
    let repository = lab.project.folder.display().to_string();
    // The simulator reads the repository as of the last fetch, and warns of that.
    let unwarned = |mut value: Value| {
        value["warnings"] = Value::Null;
        value
    };
    let resolve = |reference: &str| Resolve::of(&sides.fleet, reference).unwrap();
    for reference in ["stable", "v3.0.0", "my-branch", "main"] {
        sides.alike(&resolve(reference), unwarned).unwrap();
    }
    let unknown = sides.alike(&resolve("v3.0.9"), |v| v).unwrap_err();
    assert!(unknown.message.contains("there is no tag, branch or commit `v3.0.9`"), "{unknown:?}");
    let tags_only = Resolve { accept: vec![rfab::fleet::Accept::Tag], ..resolve("my-branch") };
    assert!(sides.alike(&tags_only, unwarned).is_err());
    sides.same(&ReadNames { repository: repository.clone() }).unwrap();
    let [old, new] = ["v3.0.0", "v3.0.1"].map(|tag| lab.project.resolve(tag));
    sides.same(&ReadLog { repository: repository.clone(), old, new: new.clone(), most: 10, tree: None }).unwrap();
    sides.fail(
        &ReadLog { repository: repository.clone(), old: "0".repeat(40), new: new.clone(), most: 10, tree: None },
        "",
    );
    for change in [
        Change::Tag { name: "v9".into(), commit: new, message: None },
        Change::Push { what: vec![rfab::git::Pushed::Tag("v9".into())] },
    ] {
        assert_eq!(sides.same(&ChangeRepository { repository: repository.clone(), change }), Ok(None));
    }

    sides.same(&Confirm { question: "sure?".into(), given: true }).unwrap();
    sides.same(&Confirm { question: "sure?".into(), given: false }).unwrap();
    sides.same(&Prompt { question: "why?".into() }).unwrap();
    let consent = |given: Option<Option<&str>>| Consent {
        of: None,
        fleet: "prod".into(),
        project: "/srv/shop".into(),
        question: "change it?".into(),
        given: given.map(|name| name.map(str::to_owned)),
    };
    for given in [None, Some(None), Some(Some("prod"))] {
        sides.same(&consent(given)).unwrap();
    }
    sides.fail(&consent(Some(Some("testing"))), "`--yes=testing` doesn't confirm changes to the fleet `prod`");
    sides.same(&Wait { time: 20 }).unwrap();
    let [before, after] = [(); 2].map(|()| {
        thread::sleep(Duration::from_millis(10));
        sides.made_up.perform(&Wait { time: 1_000 }).unwrap();
        sides.made_up.perform(&Now).unwrap()
    });
    assert_eq!(after - before, 1, "the made-up clock goes by what is waited for");
}
