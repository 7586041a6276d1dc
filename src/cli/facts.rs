//! What is known of a run when it starts.
use super::request::Request;
use crate::{fabfile::Project, ledger::line::now, secret::Masks, session::Run};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{env, fs, sync::Arc};

/// Returns how many hosts to work on at the same time: no more than this process may open files for.
fn affordable(parallel: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = (FILES + FILES_OF_A_HOST * parallel as u64).min(maximum.unwrap_or(u64::MAX));
    let mut files = current.unwrap_or(u64::MAX);
    // A process may raise its limit, up to the hard limit.
    if files < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        files = wanted;
    }
    let hosts = files.saturating_sub(FILES) / FILES_OF_A_HOST;
    parallel.min(usize::try_from(hosts).unwrap_or(usize::MAX)).max(1)
}

/// The most files that a run opens without hosts, and for each host.
const FILES: u64 = 48;
const FILES_OF_A_HOST: u64 = 12;

/// Returns what is known of a run when it starts.
pub(super) fn facts(request: &Request, project: &Project, line: String) -> Run {
    let variable = |name: &str| env::var(name).ok().filter(|v| !v.is_empty());
    let name = rustix::system::uname();
    // Ordered by time: milliseconds since 1970, then random digits.
    let id = format!("{:011x}-{:06x}", jiff::Timestamp::now().as_millisecond(), rand::random::<u32>() & 0xff_ffff);
    Run {
        id: id.into(),
        attempt: 0,
        undoes: None,
        line,
        naming: String::new(),
        folder: project.script.folder.clone(),
        flags: request.flags(),
        who: variable("USER").or(variable("LOGNAME")).unwrap_or_else(account),
        on_behalf_of: variable("RFAB_ON_BEHALF_OF"),
        from: name.nodename().to_string_lossy().into_owned(),
        since: now(),
        allowed: request.allowed.clone(),
        passed: Default::default(),
        parallel: affordable(request.parallel),
        lines: Arc::default(),
        masks: Masks::default(),
    }
}

/// Returns the name of the account that this process runs as; its number if no database of users has it.
fn account() -> String {
    let id = rustix::process::geteuid().as_raw();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&users, id).or_else(asked).unwrap_or_else(|| format!("user {id}"))
}

/// Returns the name of the account with a number, from a file such as `/etc/passwd`.
fn named(users: &str, id: u32) -> Option<String> {
    let mut rows = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let row = rows.find(|row| row.get(2).is_some_and(|of| of.parse() == Ok(id)))?;
    row.first().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

/// Asks the system, which may keep its users elsewhere than in a file.
fn asked() -> Option<String> {
    let answer = std::process::Command::new("id").arg("-un").stderr(std::process::Stdio::null()).output().ok()?;
    let name = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
    (answer.status.success() && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_as_its_file_has_it() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n:x:7:7::/:\nbroken\n";
        let name = |id| named(users, id);
        assert_eq!((name(0).as_deref(), name(1000).as_deref()), (Some("root"), Some("ann")));
        assert_eq!((name(7), name(1), name(100)), (None, None, None));
    }
}
