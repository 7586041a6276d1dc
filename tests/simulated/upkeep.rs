//! Workers, folders, a maintenance page and cron jobs are kept up with the stdlib in the simulator.

use crate::made_up::{FOUR, Shop, changes, done, failures};
use rfab::{
    event::EventKind,
    failure::Exit,
    model::{Model, ModelOutput},
};

#[test]
fn workers_finish_what_they_have_in_hand_before_they_restart_and_who_does_not_is_not_restarted() {
    let quieted =
        FOUR.replace("[app.health]", "quiet = [\"quiet\", \"{unit}\"]\nidle = [\"idle\", \"{unit}\"]\n[app.health]");
    let task = "\nimport \"std/service\" as running;\nfn again() { targets().each(|host| running::restart(host)); }";
    let shop = Shop::of(&[("prod", &quieted)], task);
    let known = shop.known();
    let ran = shop.run("prod:jobs1 again", known.clone());
    assert_eq!(changes(&ran.events), ["jobs1: quiet shop-jobs", "jobs1: restart shop-jobs"]);
    let restarts = |model: &Model| model.machines[&("prod".into(), "jobs1".into())].restarts;
    assert_eq!(restarts(&done(ran)), restarts(&known) + 1);

    let mut busy = known;
    let said = ModelOutput { status: 1, ..ModelOutput::default() };
    busy.machines
        .get_mut(&("prod".into(), "jobs1".into()))
        .unwrap()
        .says
        .predict([("idle shop-jobs".to_owned(), said)].into());
    let stuck = shop.run("prod:jobs1 again", busy);
    assert_eq!(stuck.ended.exit, Exit::Failed);
    assert_eq!(changes(&stuck.events), ["jobs1: quiet shop-jobs"]);
    let why = "jobs1 still has unfinished work after 10m: its units take nothing new, and weren't restarted";
    assert_eq!(failures(&stuck), [format!("{why} [(\"fabfile.rhai\", 70)]")]);
}

#[test]
fn a_folder_is_below_the_one_before_and_a_file_in_it_is_where_it_is() {
    let task = "\nfn there() { targets().each(|host| host.cd(\"/srv\").cd(\"shop/x\").run(\"pwd\")); }\n\
                fn sneak() { targets().each(|host| host.cd(\"/srv/shop\").write(\"current/x\", \"y\")); }";
    let shop = Shop::four(task);
    let known = shop.known();
    let ran = shop.run("prod:web1 there", known.clone());
    assert_eq!(changes(&ran.events), ["web1: run `pwd` in /srv/shop/x"]);
    let sneak = shop.run("prod:web1 sneak", known);
    let why = "host `web1` is live in `lb1/bk_web`, so what it serves can't be changed";
    assert_eq!(failures(&sneak), [format!("{why} [(\"fabfile.rhai\", 70), (\"fabfile.rhai\", 70)]")]);
}

#[test]
fn a_maintenance_page_and_a_file_of_cron_jobs_are_made_from_templates_and_taken_away() {
    let tasks = r#"
import "std/maintenance" as pausing;
import "std/cron" as timing;
fn maintenance_on() { pausing::on("page.j2", #{ back: "18:00" }); }
fn maintenance_off() { pausing::off(); }
fn maintenance_shown() { pausing::status(); }
fn jobs() { targets().role("worker").each(|host| timing::install(host, "shop", "jobs.j2", #{ hour: 3 })); timing::show("shop"); }
fn jobs_away() { targets().role("worker").each(|host| timing::remove(host, "shop")); }
fn jobs_named(name) { targets().each(|host| timing::install(host, name, "jobs.j2", #{ hour: 3 })); }
"#;
    let shop = Shop::four(tasks);
    shop.write("page.j2", "back at {{ back }}, says {{ host.name }}\n");
    shop.write("jobs.j2", "0 {{ hour }} * * * shop /srv/shop/current/bin/tidy\n");
    let on = shop.run("prod:web1,jobs1 maintenance_on maintenance_shown jobs", shop.known());
    let page = "write /srv/shop/maintenance.html";
    assert_eq!(
        changes(&on.events),
        [format!("web1: {page}"), format!("jobs1: {page}"), "jobs1: write /etc/cron.d/shop".to_owned()]
    );
    let notes: Vec<String> = on
        .events
        .iter()
        .filter_map(|event| match &event.what {
            EventKind::Noted { host: Some(host), text } => Some(format!("{host}: {}", text.trim_end())),
            _ => None,
        })
        .collect();
    let shown = ["web1: shows the maintenance page", "jobs1: shows the maintenance page", "web1: no /etc/cron.d/shop"];
    assert_eq!(notes, [&shown[..], &["jobs1: 0 3 * * * shop /srv/shop/current/bin/tidy"]].concat());
    let model = done(on);
    let written = |name: &str, path: &str| {
        let file = model.machines[&("prod".into(), name.into())].files[path].get("").unwrap().clone();
        String::from_utf8(file.unwrap()).unwrap()
    };
    assert_eq!(written("web1", "/srv/shop/maintenance.html"), "back at 18:00, says web1\n");
    let off = shop.run("prod:web1,jobs1 maintenance_off jobs_away", model);
    let gone = "run `rm -f /srv/shop/maintenance.html`";
    assert_eq!(
        changes(&off.events),
        [format!("web1: {gone}"), format!("jobs1: {gone}"), "jobs1: run `rm -f /etc/cron.d/shop` as root".to_owned()]
    );
    for bad in ["shop.daily", ".x", "../x"] {
        let refused = shop.run(&format!("prod:jobs1 jobs_named:{bad}"), shop.known());
        let why = failures(&refused);
        assert!(why[0].starts_with(&format!("cron ignores a file named \"{bad}\"")), "{why:?}");
    }
}
