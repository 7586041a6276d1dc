//! What each effect does, in the lab and on the model: `predict` says what `carry_out` did, when it goes well and when
//! it does not.
mod balancer;
mod commands;
#[path = "../lab/mod.rs"]
mod lab;
mod releases;
mod repository;
#[path = "../sides/mod.rs"]
mod sides;

use lab::{HostPlan, Plan, Sudo};
use rfab::model::{Fact, ModelOutput};
use serde_json::Value;
use sides::Sides;

/// Two groups of two behind `lb1`.
fn four() -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    Plan::new()
        .serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group1"))
        .host(web("web3", "group2"))
        .host(web("web4", "group2").disk(1024))
        .balancer("lb1", &[("bk_web", "web")])
}

/// Tells the model how a command ends on a host.
fn says(sides: &Sides, host: &str, command: &str, said: ModelOutput) {
    let host = sides.host(host);
    sides.model(|model| {
        let machine = model.machine(&host).unwrap();
        let mut says = machine.says.get("").unwrap().clone();
        says.insert(command.to_owned(), said);
        machine.says = Fact::Told(says);
    });
}

/// The outcome without what depends on the moment: the numbers behind `the disk has`, epochs, how many requests came, how long a host was asked.
fn settled(mut value: Value) -> Value {
    if let Some(message) = value["message"].as_str()
        && let Some((before, _)) = message.split_once("the disk has")
    {
        value["message"] = format!("{before}the disk has").into();
    }
    if let Some(balancers) = value.get_mut("balancers").and_then(Value::as_object_mut) {
        for balancer in balancers.values_mut() {
            balancer["epoch"] = Value::Null;
            let pools = balancer["pools"].as_object_mut().into_iter().flat_map(|pools| pools.values_mut());
            let servers = pools.filter_map(Value::as_array_mut).flatten().filter_map(Value::as_object_mut);
            servers.for_each(|server| drop(server.remove("total")));
        }
    }
    if let Some(answers) = value.get_mut("answers") {
        *answers = Value::Null;
    }
    value
}
