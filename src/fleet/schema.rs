//! The keys of a fleet file as plain data: what the readers know, `docs/fleet.md` tells, and editors complete.
mod json;

pub use json::json;

/// A table of a fleet file.
#[derive(Debug)]
pub struct Table {
    /// As people write it: `app.service`, `balancer.NAME`; nothing at the top.
    pub path: &'static str,
    pub keys: &'static [Key],
    /// Whether it may have other keys, too.
    pub open: bool,
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub is: Is,
    /// In Markdown; `needed` for one that must be there.
    pub default: &'static str,
    /// In Markdown, one sentence without its stop; nothing for a table, which has a heading of its own.
    pub what: &'static str,
}

/// What the value of a key is.
#[derive(Debug)]
pub enum Is {
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
    Table(&'static Table),
    /// Such a table, or names, each with one.
    OneOrByName(&'static Table),
    /// Names, each with such a table.
    TableByName(&'static Table),
}

const fn key(name: &'static str, is: Is, default: &'static str, what: &'static str) -> Key {
    Key { name, is, default, what }
}

const fn table(name: &'static str, is: Is) -> Key {
    key(name, is, "none", "")
}

/// The names of a table's keys.
pub(super) const fn names<const N: usize>(table: &Table) -> [&'static str; N] {
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
pub const TABLES: [&Table; 7] = [&FLEET, &APP, &SERVICE, &HEALTH, &HOST, &BALANCER, &ROLL];

const ACCEPT: &[&str] = &["stable", "tag", "branch", "commit", "archive"];

/// What stands before the first `[…]`, and the tables.
pub const FLEET: Table = Table {
    path: "",
    open: false,
    keys: &[
        key(
            "guarded",
            Is::YesNo,
            "`false`",
            "the first change of a run asks on the terminal; a yes holds 15 minutes for this user and terminal. Unattended it needs `--yes=NAME`, the fleet's name",
        ),
        key(
            "ssh",
            Is::Text,
            "none",
            "an ssh configuration beside this file, included before the user's: ports, keys, names",
        ),
        key(
            "accept",
            Is::Words(ACCEPT),
            r#"guarded: `["stable", "tag"]`; else also `"branch"`, `"commit"`, `"archive"` (one that is [of no commit](releases.md#an-archive))"#,
            "what may be deployed here",
        ),
        key(
            "via",
            Is::Text,
            "none",
            "jump hosts, `[USER@]HOST[:PORT]`, several with commas; an IPv6 address stands in brackets. A machine of the fleet that is a jump host itself is reached through those before it. Each is logged in on once, for all hosts behind it",
        ),
        key(
            "user",
            Is::Text,
            "as ssh says",
            "the login user on the fleet's machines, whatever your own ssh configuration says; only the file that `ssh` names comes before it. For one run: `--set user=anna`",
        ),
        key(
            "deploy_live",
            Is::YesNo,
            "`false`",
            "hosts may be deployed to while they take traffic: nothing is drained, and groups go one by one",
        ),
        key(
            "state",
            Is::Text,
            "`~/.local/state/rfab`",
            "the folder of ledger, marks and lock on the first balancer's machine, else on the first host; the fleet's name is put behind it. `~` is right only if all log in as `user`",
        ),
        table("app", Is::OneOrByName(&APP)),
        table("hosts", Is::TableByName(&HOST)),
        key(
            "hosts_from",
            Is::Texts,
            "none",
            "a program and its arguments, which prints hosts: [below](#hosts-that-a-program-prints)",
        ),
        table("balancer", Is::TableByName(&BALANCER)),
        table("roll", Is::Table(&ROLL)),
    ],
};

/// What is deployed.
pub const APP: Table = Table {
    path: "app",
    open: false,
    keys: &[
        key(
            "repository",
            Is::Text,
            "`.`",
            "a folder from the fabfile's on, or a URL that git reads; a URL with a password in it is refused",
        ),
        key("path", Is::Text, "needed", "the app's folder on the hosts"),
        key(
            "roles",
            Is::Texts,
            "all hosts; of [several apps](#several-apps) those with `units`",
            "the roles of the hosts that get the app; the others are there for tasks, and nothing is released to them",
        ),
        key(
            "user",
            Is::Text,
            "the login user",
            "owns the releases, and is reached by sudo; the services run as another user, who cannot write them",
        ),
        key(
            "keep",
            Is::Number,
            "`5`",
            "how many releases stay on a host; the current one, the one before it, what a rollback goes to, and running ones stay anyway",
        ),
        key("linked", Is::Texts, "none", "files and folders kept in `shared/` across releases"),
        key(
            "assets",
            Is::Texts,
            "none",
            "folders in which [files of other releases stay reachable](releases.md#assets-of-several-releases), such as `public/assets`",
        ),
        table("service", Is::Table(&SERVICE)),
        table("health", Is::Table(&HEALTH)),
    ],
};

/// Its units.
pub const SERVICE: Table = Table {
    path: "app.service",
    open: false,
    keys: &[
        key("units", Is::TextsByName, "needed", "by role, the names of the units"),
        key(
            "restart",
            Is::Command,
            "`systemctl restart {unit}`",
            "how a unit is restarted: a text is split into words and runs by sudo, an array of words runs without",
        ),
        key("start", Is::Command, "`systemctl start {unit}`", "likewise"),
        key("stop", Is::Command, "`systemctl stop {unit}`", "likewise"),
        key("status", Is::Command, "`systemctl status {unit}`", "likewise; status 0 means that it runs"),
        key(
            "logs",
            Is::Command,
            "`journalctl -u {unit} -n {lines} --no-pager`",
            "likewise; `{lines}` is how many are wanted",
        ),
        key("follow", Is::Command, "`journalctl -u {unit} -n 20 -f --no-pager`", "likewise; shows the log as it grows"),
        key(
            "quiet",
            Is::Command,
            "none",
            "likewise; asks a unit to take up nothing new, before `std/service` restarts it. A worker of jobs has such a signal: Sidekiq's is `TSTP`",
        ),
        key("idle", Is::Command, "needed with `quiet`", "likewise; status 0 means that the unit has nothing in hand"),
        key(
            "quiet_within",
            Is::Time,
            "`10m`",
            "how long that may take; a unit that is not idle by then is not restarted, and the deploy stops there",
        ),
        key(
            "install",
            Is::Command,
            "none",
            r#"likewise, for an app that is [a package](releases.md#a-package): `"apt-get install --yes shop={version}"`"#,
        ),
        key(
            "installed",
            Is::Command,
            "none",
            r#"what prints the version that is installed: `["dpkg-query", "-W", "-f", "${Version}", "shop"]`"#,
        ),
    ],
};

/// How a host proves that it serves.
pub const HEALTH: Table = Table {
    path: "app.health",
    open: false,
    keys: &[
        key(
            "url",
            Is::Text,
            "needed",
            "probed from the balancer's machine, else from the host itself: `http`, `https`, or `tcp://{address}:5432`, which only connects. `{address}` and `{name}` stand for the host's, `{n}` for the number at its end, and any other `{KEY}` for a variable of the host, such as `{port}`",
        ),
        key(
            "host",
            Is::Text,
            "the URL's",
            "the `Host` header, for a server that has several sites; placeholders as in `url`",
        ),
        key(
            "status",
            Is::Statuses,
            "`\"200..299\"`",
            "what a good answer's status is: a number, a range, or several, `[200, \"300..399\"]`",
        ),
        key("body", Is::Text, "none", "a text that a good answer's body has in it"),
        key(
            "server_name",
            Is::Text,
            "as `host`, else the URL's",
            "with `https` the name that the certificate has to be for; placeholders as in `url`",
        ),
        key(
            "ca",
            Is::Text,
            "this machine's authorities",
            "with `https` a PEM file beside this one: the authorities that may have signed the certificate",
        ),
        key(
            "version",
            Is::Text,
            "`none`",
            "where the served commit or tag is proven: `header:NAME`, `json:/POINTER`, `body`, `process` (the folder that the processes run in, which only their own user and root may see) or `none`; behind another colon a [pattern](#what-proves-a-release) may stand",
        ),
        key("good", Is::Number, "`3`", "good answers in a row …"),
        key("over", Is::Time, "`10s`", "… that span at least this …"),
        key("within", Is::Time, "`60s`", "… within this"),
        key(
            "settle",
            Is::Time,
            "as `over`, but at most `3s`",
            "how long hosts that were put back take traffic before they are looked at again: before the next ones go out, and before the run says `ok`",
        ),
    ],
};

/// A host; its other keys are variables.
pub const HOST: Table = Table {
    path: "hosts",
    open: true,
    keys: &[
        key("group", Is::Text, "none", "the hosts that go out of the balancer together"),
        key("roles", Is::Texts, "none", "what the host is for; pools and units are named by role"),
        key(
            "address",
            Is::Text,
            "the name",
            "where it is reached; of a range a pattern, `\"10.0.0.{n}\"`, with `{n}` for the number at the end of the host's name, `{name}` for that, or a variable",
        ),
    ],
};

/// A balancer.
pub const BALANCER: Table = Table {
    path: "balancer.NAME",
    open: false,
    keys: &[
        key(
            "driver",
            Is::Word(&["haproxy", "manual"]),
            "needed",
            "`haproxy`, or `manual`: a person changes it and is asked, see below",
        ),
        key(
            "host",
            Is::Text,
            "needed; with `manual` none",
            "the machine that it runs on, reached by ssh; lock and ledger are kept there",
        ),
        key(
            "socket",
            Is::Text,
            "needed; not with `manual`",
            "its admin socket there: a path, the master's too, or `127.0.0.1:9999`; [what it has to allow](haproxy.md#the-socket)",
        ),
        key("pools", Is::TextByName, "needed", "backend = the role whose hosts are its servers"),
        key(
            "server",
            Is::TextsOrByName,
            "`{name}`",
            "a server's name in its pools; several for hosts that are several servers, `[\"{name}-a\", \"{name}-b\"]`; or either by pool, `{ bk_web = \"{name}-web\" }`. `{n}` is the number at the end of the host's name, as `server-template` counts, and any other `{KEY}` a variable of the host",
        ),
        key("drain_within", Is::Time, "`60s`", "after that the drain has failed: the host is put back, and named"),
        key(
            "force_close",
            Is::YesNo,
            "`false`",
            "whether requests and connections that are open after `drain_within` are closed, which their clients see; the host is not put back then",
        ),
        key(
            "min_live",
            Is::Share,
            "nine tenths of the smallest group, rounded down; without groups half; never below 1",
            r#"the fewest servers of each pool that stay live, or a share such as `"80%"`"#,
        ),
    ],
};

/// The order of a deploy.
pub const ROLL: Table = Table {
    path: "roll",
    open: false,
    keys: &[key(
        "order",
        Is::Texts,
        "groups as they first appear, then the roles of hosts in no pool",
        "groups and roles in the order that they are deployed to; the first goes out first",
    )],
};

impl Table {
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
            let tables = ["app", "app.service", "app.health", "roll"];
            let head = |table: &str| match table == path {
                true => format!("[{table}]\nqqqqqqqqqqqqqqqq = 1\n"),
                false => format!("[{table}]\n"),
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
