//! The answers of HAProxy on its admin socket, to those commands of its management guide, section 9.3, that rfab sends.
//!
//! The bytes are those of 2.6; `tests/program/demo` compares them with a real one.
use super::server::{DemoServer, FALL, LastCheck, Pool, RISE};
use crate::port::Admin;
use std::{
    process,
    time::{Duration, SystemTime},
};

/// The columns of `show stat` that it prints; HAProxy has more. Readers must find them by name.
const STAT: &str = "# pxname,svname,qcur,scur,stot,status,weight,act,bck,iid,sid,lbtot,type,check_status,check_code,\
check_rise,check_fall,check_health,addr,mode,";
const SERVERS_STATE: &str = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight \
srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state \
srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr \
srv_agent_addr srv_agent_port";
/// A backend's number, if one frontend comes before it.
const ID: u32 = 3;
/// The arguments of `show stat` for servers, and for all.
const SERVERS: u32 = 4;
const ALL: &str = "-1";

/// Carries out one command, and returns the answer with the empty line that ends it.
pub(super) fn answer(pool: &mut Pool, command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let told = match words[..] {
        ["show", "info", ..] => Ok(info(pool)),
        ["show", "servers", "state", ..] => servers_state(pool, words.get(3).copied()),
        ["show", "table", ..] => Ok(String::new()),
        ["show", "stat", ..] => stat(pool, &words[2..]),
        ["set", "server", ..] => set_server(pool, &words[2..]),
        ["get", "weight", ..] => server(pool, words.get(2)).map(|s| format!("{} (initial {})\n", s.weight, s.configured)),
        ["shutdown", "sessions", "server", ..] => server(pool, words.get(3)).map(|server| {
            server.cut.notify_waiters();
            String::new()
        }),
        _ => Err("Unknown command. Please enter one of the following commands only:\n  \
                  get weight <bk>/<srv>                   : report a server's current weight\n  \
                  set server <bk>/<srv> [opts]            : change a server's state, weight, address or ssl\n  \
                  show info [desc|json|typed|float]*      : report information about the running process\n  \
                  show servers state [<backend>]          : dump volatile server information (all or for a single backend)\n  \
                  show stat [desc|json|no-maint|typed|up]*: report counters for each proxy and server\n  \
                  help [<command>]                        : list matching or all commands\n  \
                  prompt                                  : toggle interactive mode with prompt\n  \
                  quit                                    : disconnect\n"
            .to_owned()),
    };
    format!("{}\n", told.unwrap_or_else(|refusal| refusal))
}

/// An answer, or a refusal; the client sees only text.
type AdminAnswer = Result<String, String>;

fn info(pool: &Pool) -> String {
    let up = pool.since.elapsed().unwrap_or(Duration::ZERO).as_secs();
    let start = pool.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let open: u32 = pool.servers.iter().map(|s| s.open).sum();
    format!(
        "Name: rfab --demo\nVersion: {}\nPid: {}\nUptime_sec: {up}\nCurrConns: {open}\nStopping: 0\n\
         Start_time_sec: {start}\n",
        env!("CARGO_PKG_VERSION"),
        process::id()
    )
}

fn servers_state(pool: &Pool, name: Option<&str>) -> AdminAnswer {
    if name.is_some_and(|name| name != pool.name) {
        return Err("Can't find backend.\n".to_owned());
    }
    let rows = pool.servers.iter().enumerate().map(|(n, server)| {
        let DemoServer { name, address, weight, configured, .. } = server;
        let state = if server.is_up() { 2 } else { 0 };
        // Bits: 1 forced maintenance, 8 forced drain. A check is enabled (4), configured (2), and may be paused (8).
        let (admin, check) = match server.admin {
            Admin::Ready => (0, 6),
            Admin::Drain => (8, 6),
            Admin::Maint => (1, 14),
        };
        let (status, result) = match server.last {
            LastCheck::Passed => (15, 3),
            LastCheck::Wrong(_) => (17, 2),
            LastCheck::Refused => (8, 2),
            LastCheck::Silent => (13, 2),
        };
        let (since, health) = (server.changed.elapsed().as_secs(), server.health);
        format!(
            "{ID} {} {} {name} {} {state} {admin} {weight} {configured} {since} {status} {result} {health} {check} \
             0 0 0 - {} - 0 0 - - 0\n",
            pool.name,
            n + 1,
            address.ip(),
            address.port()
        )
    });
    Ok(format!("1\n{SERVERS_STATE}\n{}", rows.collect::<String>()))
}

/// Answers `show stat [PROXY TYPES SERVER]`, with the rows of servers only.
fn stat(pool: &Pool, words: &[&str]) -> AdminAnswer {
    let [proxy, types, id] = [0, 1, 2].map(|n| words.get(n).copied().unwrap_or(ALL));
    if proxy != ALL && proxy != pool.name && proxy != ID.to_string() {
        return Err("No such proxy.\n".to_owned());
    }
    let wanted = types == ALL || types.parse::<u32>().is_ok_and(|bits| bits & SERVERS != 0);
    let rows = pool.servers.iter().zip(1..).filter(|(_, n)| wanted && (id == ALL || id == n.to_string()));
    let rows = rows.map(|(server, n)| {
        let DemoServer { name, address, weight, open, total, health, .. } = server;
        let checked = match server.last {
            _ if server.admin == Admin::Maint => [""; 2].map(String::from),
            LastCheck::Passed => ["L7OK", "200"].map(String::from),
            LastCheck::Wrong(status) => ["L7STS".to_owned(), status.to_string()],
            LastCheck::Refused => ["L4CON", ""].map(String::from),
            LastCheck::Silent => ["L7TOUT", ""].map(String::from),
        };
        let counted = match server.admin {
            Admin::Maint => ",,".to_owned(),
            _ => format!("{RISE},{FALL},{health}"),
        };
        let (status, checked) = (server.status(), checked.join(","));
        format!(
            "{},{name},0,{open},{total},{status},{weight},1,0,{ID},{n},{total},2,{checked},{counted},{address},http,\n",
            pool.name
        )
    });
    Ok(format!("{STAT}\n{}", rows.collect::<String>()))
}

fn set_server(pool: &mut Pool, words: &[&str]) -> AdminAnswer {
    let server = server(pool, words.first())?;
    match words[1..] {
        ["state", ..] => match words.get(2) {
            Some(&"ready") => server.set(Admin::Ready),
            Some(&"drain") => server.set(Admin::Drain),
            Some(&"maint") => server.set(Admin::Maint),
            _ => return Err("'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n".to_owned()),
        },
        ["weight"] => return Err("Require <weight> or <weight%>.\n".to_owned()),
        ["weight", text, ..] => server.weight = weight(server, text)?,
        _ => {
            return Err("usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | \
                        check-addr | check-port | fqdn | health | ssl | state | weight\n"
                .to_owned());
        }
    }
    Ok(String::new())
}

fn server<'a>(pool: &'a mut Pool, place: Option<&&str>) -> Result<&'a mut DemoServer, String> {
    let (backend, name) =
        place.and_then(|place| place.split_once('/')).ok_or("Require 'backend/server'.\n".to_owned())?;
    if backend != pool.name {
        return Err("No such backend.\n".to_owned());
    }
    pool.find(name).ok_or("No such server.\n".to_owned())
}

/// Reads a weight: from 0 to 256, or a percentage of the configured one.
fn weight(server: &DemoServer, text: &str) -> Result<u32, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let Ok(number) = text[..digits].parse::<u32>() else {
        return Err("Empty weight string empty or preceded by garbage".to_owned());
    };
    match &text[digits..] {
        "%" => Ok((server.configured * number.min(25_600) / 100).min(256)),
        _ if number > 256 => Err("Absolute weight can only be between 0 and 256 inclusive.\n".to_owned()),
        "" => Ok(number),
        _ => Err("Trailing garbage in weight string".to_owned()),
    }
}
