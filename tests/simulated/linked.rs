//! Linked files before the first deploy: rfab names all that are missing, makes them for each host, and overwrites
//! none.

use crate::made_up;
use crate::made_up::{Shop, changes, done, failures, host};
use rfab::{
    failure::Exit,
    model::{Fact, Machine, Model},
};

const SETUP: &str = r#"
/// Makes folders, and the database's configuration with what differs by host.
fn setup_shared() {
    targets().parallel(|host| {
        release::set_up(host);
        release::share(host, "config/database.yml", `pool: ${host.vars.pool}`);
    });
}
"#;

/// Makes hosts without any release, in a fleet with linked names and a variable for each host.
fn fresh() -> (Shop, Model) {
    let fleet = made_up::FOUR
        .replace("keep = 3", "keep = 3\nlinked = [\"log\", \"config/database.yml\"]")
        .replace("roles = [\"web\"] }", "roles = [\"web\"], pool = 20 }")
        .replace("roles = [\"worker\"] }", "roles = [\"worker\"], pool = 5 }");
    let shop = Shop::of(&[("prod", &fleet)], SETUP);
    let mut model = shop.known();
    for (key, machine) in &mut model.machines {
        if &*key.1 != "lb1" {
            *machine = Machine::bare();
        }
    }
    (shop, model)
}

fn database(model: &Model, name: &str) -> Option<String> {
    let file = &model.machines[&rfab::model::key(&host(model, name))].files["/srv/shop/shared/config/database.yml"];
    file.get("").unwrap().clone().map(|text| String::from_utf8(text).unwrap())
}

#[test]
fn every_host_that_lacks_a_linked_file_is_named_before_anything_is_changed() {
    let (shop, mut model) = fresh();
    model.machines.get_mut(&("prod".into(), "web2".into())).unwrap().set_up = Fact::Told(true);
    let run = shop.run("prod deploy:stable", model);
    assert_eq!((run.ended.exit, changes(&run.events)), (Exit::Failed, vec![]));
    let folders = "the app's folders don't exist yet; ";
    let line = |name: &str, folders: &str| {
        format!("  host `{name}`: {folders}`shared/config/database.yml` is missing, but `linked` lists it")
    };
    let wanted = [
        "5 problems:".to_owned(),
        line("web1", folders),
        line("web2", ""),
        line("web3", folders),
        line("web4", folders),
        line("jobs1", folders),
    ];
    assert_eq!(run.ended.failures[0].message, wanted.join("\n"));
    assert_eq!(
        run.ended.failures[0].advice().as_deref(),
        Some(
            "nothing was changed; let a task make it with `release::share(host, \"config/database.yml\", …)`, or make it by \
             hand: `scp FILE web1:/srv/shop/shared/config/database.yml`"
        )
    );
}

#[test]
fn a_task_makes_it_with_what_differs_by_host_and_leaves_one_that_is_there() {
    let (shop, model) = fresh();
    let mut model = done(shop.run("prod setup_shared", model));
    assert_eq!(["web1", "jobs1"].map(|name| database(&model, name)), [20, 5].map(|n| Some(format!("pool: {n}"))));
    let by_hand = Fact::Told(Some(b"pool: 99".to_vec()));
    let web1 = model.machines.get_mut(&("prod".into(), "web1".into())).unwrap();
    web1.files.insert("/srv/shop/shared/config/database.yml".into(), by_hand);
    let again = done(shop.run("prod setup_shared", model));
    assert_eq!(database(&again, "web1"), Some("pool: 99".into()));
    let deployed = shop.run("prod:jobs1 deploy:stable", again);
    assert_eq!(deployed.ended.exit, Exit::Done, "{:?}", failures(&deployed));
}
