mod apps;
mod refused;
mod values;

use super::*;
use crate::host::{Host, Name};
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// The fleet of a shop: 43 hosts, two groups, a worker and a balancer.
pub(super) const SHOP: &str = r#"
guarded = true
accept    = ["stable", "tag"]
via       = "bastion.example.org"
user      = "deploy"
deploy_live = false
state     = "~/.local/state/rfab"

[app]
repository = "."
path       = "/srv/shop"
user       = "shop"
keep       = 5
linked     = ["public/uploads", "config/database.yml"]
[app.service]
units      = { web = ["shop"], worker = ["shop-jobs"] }
restart    = "systemctl restart {unit}"
status     = ["systemctl", "--user", "status", "{unit}"]
[app.health]
url        = "http://{address}:8080/health"
version    = "header:X-Release"
good       = 3
over       = "10s"
within     = "60s"

[hosts]
"web[01..21]" = { group = "group1", roles = ["web"] }
"web[22..42]" = { group = "group2", roles = ["web"] }
"jobs1"       = { roles = ["worker"], address = "10.0.0.9", queue = "mail" }

[balancer.lb1]
driver   = "haproxy"
host     = "lb1.example.org"
socket   = "/run/haproxy/admin.sock"
pools    = { bk_web = "web" }
server   = "{name}"
drain_within = "60s"
min_live = 18

[roll]
order = ["group1", "group2", "worker"]
"#;

pub(super) fn folders() -> Folders<'static> {
    Folders { project: Path::new("/home/anna/shop"), fleet: Path::new("/home/anna/shop/fleets") }
}

pub(crate) fn read_text(text: &str) -> Fleet {
    parse("fleets/prod.toml", "prod", text, folders(), &[]).unwrap_or_else(|wrong| panic!("{}", rendered(&wrong)))
}

fn rendered(wrong: &Wrong) -> String {
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(110)
        .render_report(&mut out, wrong)
        .unwrap();
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
