//! Attacks that rfab must refuse without harm.
pub(super) mod agent;
pub(super) mod folders;
pub(super) mod words;

use lab::{HostPlan, Lab, Plan, Sudo};

fn lab(tasks: &str) -> Lab {
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("testing1").role("web").sudo(Sudo::Free)));
    fabfile(&lab, tasks);
    let linked = |text: String| text.lines().filter(|l| !l.starts_with("linked")).map(|l| format!("{l}\n")).collect();
    lab.edit("fleets/testing1.toml", linked);
    lab
}

fn fabfile(lab: &Lab, tasks: &str) {
    let naming = "fn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\nfn on() { on(\"all\") }\n\
                  fn hi() { targets().each(|host| host.run(\"true\")); }\n";
    lab.edit("fabfile.rhai", |_| format!("{naming}{tasks}\n"));
}
