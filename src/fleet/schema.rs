//! The keys of a fleet file as plain data: what the readers know, `docs/fleet.md` tells, and editors complete.
mod gate;
mod json;

pub use gate::GATE;
pub use json::json;

/// A table of a fleet file.
#[derive(Debug)]
pub struct SchemaTable {
    /// As people write it: `app.service`, `balancer.NAME`; nothing at the top.
    pub path: &'static str,
    pub keys: &'static [SchemaKey],
    /// Whether it may have other keys, too.
    pub open: bool,
}

/// A key of a table.
#[derive(Debug)]
pub struct SchemaKey {
    pub name: &'static str,
    pub is: ValueKind,
    /// In Markdown; `needed` for one that must be there.
    pub default: &'static str,
    /// In Markdown, without the last full stop; empty for a table, which has its own heading.
    pub what: &'static str,
}

/// What the value of a key is.
#[derive(Debug)]
pub enum ValueKind {
    YesNo,
    Text,
    /// A whole number from 1 on.
    Number,
    /// Such as `60s`.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words.
    Words(&'static [&'static str]),
    Texts,
    /// A text, or an array of words.
    Command,
    /// A number, or a share such as `80%`.
    Share,
    /// A status of HTTP, a range such as `200..399`, or several of either.
    Statuses,
    /// Names, each with a text.
    TextByName,
    /// Names, each with texts.
    TextsByName,
    /// A text, texts, or names, each with either.
    TextsOrByName,
    Table(&'static SchemaTable),
    /// Such a table, or names, each with one.
    OneOrByName(&'static SchemaTable),
    /// Names, each with such a table.
    TableByName(&'static SchemaTable),
}

const fn key(name: &'static str, is: ValueKind, default: &'static str, what: &'static str) -> SchemaKey {
    SchemaKey { name, is, default, what }
}

const fn table(name: &'static str, is: ValueKind) -> SchemaKey {
    key(name, is, "none", "")
}

/// The names of a table's keys.
pub(super) const fn names<const N: usize>(table: &SchemaTable) -> [&'static str; N] {
    assert!(table.keys.len() == N, "the table has another number of keys");
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = table.keys[at].name;
        at += 1;
    }
    names
}

/// Every table, in the order of the page.
pub const TABLES: [&SchemaTable; 8] = [&FLEET, &APP, &SERVICE, &HEALTH, &HOST, &BALANCER, &ROLL, &GATE];

const ACCEPT: &[&str] = &["stable", "tag", "branch", "commit", "archive"];

/// What stands before the first `[…]`, and the tables.
pub const FLEET: SchemaTable = SchemaTable {
    path: "",
    open: false,
    keys: &[
        key(
            "guarded",
            ValueKind::YesNo,
            "`false`",
            "whether rfab asks for confirmation on the terminal before a run's first change. A confirmation is valid for 15 minutes, for this user and terminal. An unattended run needs `--yes=NAME` with the fleet's name",
        ),
        key(
            "ssh",
            ValueKind::Text,
            "none",
            "an ssh configuration file with ports, keys and host names. Its path is relative to this file's folder. ssh reads it before your own configuration",
        ),
        key(
            "persist",
            ValueKind::Time,
            "`10m`",
            "how long a connection stays open after its last use, so that the next run doesn't log in again. With `0s`, no connection outlives the run. For one run: `--no-persist`",
        ),
        key(
            "transport",
            ValueKind::Word(&["openssh", "native"]),
            "`\"openssh\"`",
            "the ssh client that reaches the hosts: OpenSSH's, or [rfab's own](transport.md), which logs in faster and closes its connections after the run. For one run: `--transport`",
        ),
        key(
            "accept",
            ValueKind::Words(ACCEPT),
            r#"if guarded: `["stable", "tag"]`; otherwise those and `"branch"`, `"commit"`, `"archive"` (an archive [without a commit](releases.md#an-archive))"#,
            "what you can deploy to this fleet",
        ),
        key(
            "via",
            ValueKind::Text,
            "none",
            "the jump hosts, as `[USER@]HOST[:PORT]`, separated by commas. Write an IPv6 address in brackets. If a machine of the fleet is itself a jump host, rfab reaches it through the jump hosts listed before it. rfab logs in to each jump host once, for all hosts behind it",
        ),
        key(
            "user",
            ValueKind::Text,
            "ssh decides",
            "the login user on the fleet's machines. It overrides your own ssh configuration, but not the file that `ssh` names. For one run: `--set user=anna`",
        ),
        key(
            "deploy_live",
            ValueKind::YesNo,
            "`false`",
            "whether rfab can deploy to hosts while they take requests. If so, it doesn't drain them, but still deploys group by group",
        ),
        key(
            "state",
            ValueKind::Text,
            "`~/.local/state/rfab`",
            "the folder for the ledger, the lock, and the marks of steps that run once, such as a migration. It is on the first balancer's machine, or on the first host if there is no balancer. rfab appends the fleet's name. `~` works only if everyone logs in as the same user",
        ),
        table("app", ValueKind::OneOrByName(&APP)),
        table("hosts", ValueKind::TableByName(&HOST)),
        key(
            "hosts_from",
            ValueKind::Texts,
            "none",
            "a program that [prints the hosts](#hosts-that-a-program-prints), and its arguments",
        ),
        table("balancer", ValueKind::TableByName(&BALANCER)),
        table("roll", ValueKind::Table(&ROLL)),
        table("gate", ValueKind::Table(&GATE)),
    ],
};

/// What is deployed.
pub const APP: SchemaTable = SchemaTable {
    path: "app",
    open: false,
    keys: &[
        key(
            "repository",
            ValueKind::Text,
            "`.`",
            "the app's git repository: a folder, relative to the fabfile's folder, or a URL that git can read. rfab refuses a URL that contains a password",
        ),
        key(
            "tags",
            ValueKind::Text,
            "`vX.Y.Z` and `X.Y.Z`",
            "a pattern for the tags of the app's releases, with a `*` for the version, such as `shop-v*`. `stable` is the newest of these tags ([more](#tags-of-an-app))",
        ),
        key(
            "tree",
            ValueKind::Text,
            "all of it",
            "the folder of the repository to release, such as `services/web`, if the repository has [several apps](#an-app-in-a-folder-of-its-repository)",
        ),
        key(
            "export_subst",
            ValueKind::YesNo,
            "`false`",
            "whether rfab replaces [`$Format:…$`](release-format.md#placeholders) in files",
        ),
        key("path", ValueKind::Text, "needed", "the app's folder on the hosts"),
        key(
            "roles",
            ValueKind::Texts,
            "all hosts; with [several apps](#several-apps), those with `units`",
            "the roles of the hosts that get the app. The other hosts don't get releases, but tasks can still reach them",
        ),
        key(
            "user",
            ValueKind::Text,
            "the login user",
            "the user who owns the releases. rfab becomes this user with sudo. The services run as another user, who can't write to the releases",
        ),
        key(
            "keep",
            ValueKind::Number,
            "`5`",
            "how many releases rfab keeps on a host. It always keeps the current release, the one before it, the one that a rollback returns to, and those that are still running",
        ),
        key("linked", ValueKind::Texts, "none", "files and folders that rfab keeps in `shared/` across releases"),
        key(
            "assets",
            ValueKind::Texts,
            "none",
            "folders such as `public/assets`, where [files of other releases stay available](releases.md#assets-of-several-releases)",
        ),
        table("service", ValueKind::Table(&SERVICE)),
        table("health", ValueKind::Table(&HEALTH)),
        table("gate", ValueKind::Table(&GATE)),
    ],
};

/// Its units.
pub const SERVICE: SchemaTable = SchemaTable {
    path: "app.service",
    open: false,
    keys: &[
        key("units", ValueKind::TextsByName, "needed", "the names of the units, by role"),
        key(
            "restart",
            ValueKind::Command,
            "`systemctl restart {unit}`",
            "the command that restarts a unit. rfab splits a string into words, and runs it with sudo. It runs an array of words without sudo",
        ),
        key(
            "start",
            ValueKind::Command,
            "`systemctl start {unit}`",
            "the command that starts a unit, in the same format as `restart`",
        ),
        key(
            "stop",
            ValueKind::Command,
            "`systemctl stop {unit}`",
            "the command that stops a unit, in the same format as `restart`",
        ),
        key(
            "status",
            ValueKind::Command,
            "`systemctl status {unit}`",
            "the command that checks a unit, in the same format as `restart`. Exit status 0 means that the unit runs",
        ),
        key(
            "logs",
            ValueKind::Command,
            "`journalctl -u {unit} -n {lines} --no-pager`",
            "the command that shows a unit's log, in the same format as `restart`. `{lines}` is the number of lines",
        ),
        key(
            "follow",
            ValueKind::Command,
            "`journalctl -u {unit} -n 20 -f --no-pager`",
            "the command that shows a unit's log as it grows, in the same format as `restart`",
        ),
        key(
            "quiet",
            ValueKind::Command,
            "none",
            "the command that tells a unit to stop taking new work, in the same format as `restart`. `std/service` runs it before it restarts the unit. Job workers have a signal for this: Sidekiq's is `TSTP`",
        ),
        key(
            "idle",
            ValueKind::Command,
            "needed with `quiet`",
            "the command that checks whether a unit still has work, in the same format as `restart`. Exit status 0 means that the unit is idle",
        ),
        key(
            "quiet_within",
            ValueKind::Time,
            "`10m`",
            "how long a unit can take to finish its work. If it isn't idle by then, rfab doesn't restart it, and the deploy stops there",
        ),
        key(
            "install",
            ValueKind::Command,
            "none",
            r#"if the app is [a package](releases.md#a-package), the command that installs it, in the same format as `restart`: `"apt-get install --yes shop={version}"`"#,
        ),
        key(
            "installed",
            ValueKind::Command,
            "none",
            r#"if the app is a package, the command that prints the installed version: `["dpkg-query", "-W", "-f", "${Version}", "shop"]`"#,
        ),
    ],
};

/// How a host proves that it serves.
pub const HEALTH: SchemaTable = SchemaTable {
    path: "app.health",
    open: false,
    keys: &[
        key(
            "url",
            ValueKind::Text,
            "needed",
            "the URL to probe: `http`, `https`, or `tcp://{address}:5432`, which only connects. rfab probes from the balancer's machine, or from the host itself if there is no balancer. `{address}` and `{name}` are the host's address and name, and `{n}` is the number at the end of the name. Any other `{KEY}` is a variable of the host, such as `{port}`",
        ),
        key(
            "host",
            ValueKind::Text,
            "the URL's",
            "the `Host` header, for a server that hosts several sites. It can contain the same placeholders as `url`",
        ),
        key(
            "status",
            ValueKind::Statuses,
            "`\"200..299\"`",
            r#"the statuses of a good response: a number, a range, or a list of them, such as `[200, "300..399"]`"#,
        ),
        key("body", ValueKind::Text, "none", "a string that the body of a good response must contain"),
        key(
            "server_name",
            ValueKind::Text,
            "same as `host`, or else the URL's",
            "with `https`, the name that the certificate must be for. It can contain the same placeholders as `url`",
        ),
        key(
            "ca",
            ValueKind::Text,
            "your machine's authorities",
            "with `https`, a PEM file, relative to this file's folder. An authority in it must have signed the certificate",
        ),
        key(
            "version",
            ValueKind::Text,
            "`none`",
            "where the service reports the commit or tag that it serves: `header:NAME`, `json:/POINTER`, `body`, \
             `process` or `none`. `process` means the folder that its processes run in, which only their own user and \
             root can see. After another colon, you can add a [pattern](#what-proves-a-release)",
        ),
        key("good", ValueKind::Number, "`3`", "how many good responses in a row prove that a host serves"),
        key("over", ValueKind::Time, "`10s`", "the minimum time that these responses must span"),
        key("within", ValueKind::Time, "`60s`", "how long the proof can take"),
        key(
            "settle",
            ValueKind::Time,
            "same as `over`, but at most `3s`",
            "how long hosts that rfab put back take requests before rfab checks them again. It checks them before the next hosts go out, and before the run reports `ok`",
        ),
    ],
};

/// A host; its other keys are variables.
pub const HOST: SchemaTable = SchemaTable {
    path: "hosts",
    open: true,
    keys: &[
        key(
            "group",
            ValueKind::Text,
            "none",
            "the host's group. rfab takes the hosts of a group out of the balancer together",
        ),
        key("roles", ValueKind::Texts, "none", "what the host is for. Pools and units refer to hosts by role"),
        key(
            "address",
            ValueKind::Text,
            "the name",
            r#"the address of the host. For a range, write a pattern such as `"10.0.0.{n}"`. `{n}` is the number at the end of the host's name, `{name}` is the whole name, and any other `{KEY}` is a variable of the host"#,
        ),
    ],
};

/// A balancer.
pub const BALANCER: SchemaTable = SchemaTable {
    path: "balancer.NAME",
    open: false,
    keys: &[
        key(
            "driver",
            ValueKind::Word(&["haproxy", "manual"]),
            "needed",
            "`haproxy`, or `manual` for [a balancer that a person changes](#a-balancer-that-a-person-changes)",
        ),
        key(
            "host",
            ValueKind::Text,
            "needed, except with `manual`",
            "the machine that the balancer runs on. rfab reaches this machine over ssh, and keeps the lock and the ledger there",
        ),
        key(
            "socket",
            ValueKind::Text,
            "needed; not allowed with `manual`",
            "HAProxy's admin socket or master socket on that machine: a path, or `127.0.0.1:9999`. See [what it must allow](haproxy.md#the-socket)",
        ),
        key("pools", ValueKind::TextByName, "needed", "each backend, and the role of the hosts that are its servers"),
        key(
            "server",
            ValueKind::TextsOrByName,
            "`{name}`",
            r#"the name of a host's server in its pools. For a host that is several servers, list their names: `["{name}-a", "{name}-b"]`. If the names differ by pool, write `{ bk_web = "{name}-web" }`. `{n}` is the number at the end of the host's name, as `server-template` counts, and any other `{KEY}` is a variable of the host"#,
        ),
        key(
            "drain_within",
            ValueKind::Time,
            "`60s`",
            "how long a drain can take. After that, the drain fails: rfab puts the host back, and the error names it",
        ),
        key(
            "force_close",
            ValueKind::YesNo,
            "`false`",
            "whether rfab closes requests and connections that are still open after `drain_within`. Their clients see the connection break. The host then stays out, and the deploy continues",
        ),
        key(
            "min_live",
            ValueKind::Share,
            "nine tenths of the smallest group, rounded down; without groups, half; never below 1",
            r#"the fewest hosts of each pool that must stay live, as a number or a share such as `"80%"`"#,
        ),
    ],
};

/// The order of a deploy.
pub const ROLL: SchemaTable = SchemaTable {
    path: "roll",
    open: false,
    keys: &[key(
        "order",
        ValueKind::Texts,
        "groups in the order of the file, then the roles of hosts that aren't in a pool",
        "the groups and roles, in the order in which rfab deploys to them",
    )],
};

impl SchemaTable {
    /// Its keys as a table of Markdown; those that are tables have headings of their own.
    pub fn markdown(&self) -> String {
        let rows = self.keys.iter().filter(|key| !key.what.is_empty());
        let rows: String = rows.map(|key| format!("| `{}` | {} | {} |\n", key.name, key.default, key.what)).collect();
        format!("| key | default | what |\n|---|---|---|\n{rows}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Folders, section::listed, written::parse};
    use miette::Diagnostic;
    use std::path::Path;

    #[test]
    fn every_reader_knows_the_keys_of_its_table_and_no_other() {
        let fleet = |path: &str| {
            let tables = ["app", "app.service", "app.health", "roll", "gate"];
            let head = |table: &str| {
                if table == path { format!("[{table}]\nqqqqqqqqqqqqqqqq = 1\n") } else { format!("[{table}]\n") }
            };
            tables.map(head).concat()
        };
        for table in TABLES.into_iter().filter(|table| !table.open) {
            let text = match table.path {
                "" => "qqqqqqqqqqqqqqqq = 1\n[hosts]\nweb1 = {}\n".to_owned(),
                "balancer.NAME" => "[hosts]\nweb1 = {}\n[balancer.lb1]\nqqqqqqqqqqqqqqqq = 1\n".to_owned(),
                path => format!("{}[hosts]\nweb1 = {{}}\n", fleet(path)),
            };
            let folders = Folders { project: Path::new("/"), fleet: Path::new("/") };
            let wrong = parse("fleet.toml", "fleet", &text, folders, &[]).unwrap_err();
            let names: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
            let mut said = wrong.problems.iter().filter_map(|problem| problem.help());
            assert!(said.any(|help| help.to_string() == format!("known here: {}", listed(&names))), "{wrong:?}");
        }
    }
}
