//! Hosts that Capistrano deployed to are taken over, and deployed to.
mod made_up;

use made_up::{Shop, changes, done, failures, host};
use rfab::{
    event::{Event, What},
    failure::Exit,
    model::{Fact, Machine, Model, Release},
};

const OLD: &str = "/srv/shop/releases/20240101120000";

/// Hosts whose `current` is another tool's, and which serve by it.
fn foreign() -> (Shop, Model) {
    let shop = Shop::four("");
    let mut model = shop.known();
    for (key, machine) in &mut model.machines {
        if &*key.1 != "lb1" {
            let up_at = Fact::Told(Some(0));
            *machine = Machine { foreign: Some(OLD.to_owned()), up_at, ..Machine::bare() };
        }
    }
    (shop, model)
}

#[test]
fn a_setup_that_is_not_told_so_leaves_another_tools_folder_and_names_what_takes_it_over() {
    let (shop, model) = foreign();
    let run = shop.run("prod setup", model);
    assert_eq!((run.ended.exit, changes(&run.events)), (Exit::Failed, vec![]));
    assert!(failures(&run)[0].starts_with("host `web1`: this is another tool's layout"), "{:?}", failures(&run));
    let help = "`setup:adopt` takes it over as it is (`release::adopt(host)`); nothing was changed";
    assert_eq!(run.ended.failures[0].help.as_deref(), Some(help));
    let typo = shop.run("prod setup:adpot", foreign().1);
    assert!(failures(&typo)[0].starts_with("type setup, or setup:adopt; there is no setup:adpot"));
}

#[test]
fn adopted_hosts_are_deployed_to_group_by_group_and_status_names_what_they_serve_until_then() {
    let (shop, model) = foreign();
    let model = done(shop.run("prod setup:adopt", model));
    let status = shop.run("prod status", model.clone());
    let shown = |event: &Event| matches!(&event.what, What::Noted { text, .. } if text.contains(OLD));
    assert!(status.events.iter().any(shown), "{:?}", status.events);
    let model = shop.done("prod release:stable", model);
    let web1 = &model.machines[&rfab::model::key(&host(&model, "web1"))];
    let current = web1.current.get("").unwrap().as_ref().map(Release::to_string);
    assert_eq!((current, &web1.foreign), (Some(format!("0001-{}", &shop.stable[..12])), &None));
}
