//! Compares each effect in the lab and on the model: `predict` returns what `carry_out` does, whether it succeeds or
//! fails.
mod balancer;
mod commands;
mod releases;
mod repository;

use crate::sides::Sides;
use lab::{HostPlan, Plan, Sudo};
use rfab::model::{Fact, ModelOutput};
use serde_json::Value;

/// Plans two groups of two behind `lb1`.
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

/// Sets how a command ends on a host of the model.
fn says(sides: &Sides, host: &str, command: &str, said: ModelOutput) {
    let host = sides.host(host);
    sides.model(|model| {
        let machine = model.machine(&host).unwrap();
        let mut says = machine.says.get("").unwrap().clone();
        says.insert(command.to_owned(), said);
        machine.says = Fact::Told(says);
    });
}

/// Removes what depends on the moment: free space on the disk, epochs, counts of requests, how long a host was asked.
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
