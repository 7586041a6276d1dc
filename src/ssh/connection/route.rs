//! The way to a host: the jump hosts before it, by ssh's configuration.
use super::{hop::Hop, proxy::calls_ssh, refusal::unreachable};
use crate::{
    failure::{Cause, Failure},
    host::Host,
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// The most hosts on a way.
const MOST: usize = 8;
/// How long ssh may take to read its configuration.
const WITHIN: Duration = Duration::from_secs(5);

/// Finds the hosts on the way to a host, which is the last one; refuses a way that would bypass rfab's configuration.
pub(crate) async fn route(config: &Path, host: &Host) -> Result<Vec<Hop>, Failure> {
    let mut route = Vec::new();
    let mut ahead = vec![(host.address().to_owned(), None::<String>)];
    while let Some((place, via)) = ahead.pop() {
        if route.len() + ahead.len() >= MOST {
            let message = format!("has more than {MOST} hosts on the way to it");
            return Err(Failure::new(Cause::Unreachable, message).on(&host.name));
        }
        let mut hop = Hop { place, via, known_as: String::new(), known_in: Vec::new() };
        let read = SshOptions::read(config, host, &hop).await?;
        read.check(host, &hop)?;
        hop.known_as = read.known_as();
        hop.known_in = ["userknownhostsfile", "globalknownhostsfile"].map(|option| read.files(option)).concat();
        // A jump host from a list already has the ones before it.
        if hop.via.is_none()
            && let Some(jumps) = read.value("proxyjump").filter(|j| *j != "none" && *j != hop.place)
        {
            let jumps: Vec<&str> = jumps.split(',').collect();
            for at in 0..jumps.len() {
                let before = (at > 0).then(|| jumps[..at].join(","));
                ahead.push((jumps[at].to_owned(), before));
            }
        }
        route.insert(0, hop);
    }
    Ok(route)
}

/// The options that ssh has for one host.
struct SshOptions(String);

impl SshOptions {
    async fn read(config: &Path, host: &Host, hop: &Hop) -> Result<SshOptions, Failure> {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(config).arg("-G").args(hop.arguments()).stdin(Stdio::null()).kill_on_drop(true);
        let failed = |why: &str| unreachable(host, why);
        match timeout(WITHIN, command.output()).await {
            Ok(Ok(out)) if out.status.success() => Ok(SshOptions(String::from_utf8_lossy(&out.stdout).into_owned())),
            Ok(Ok(out)) => {
                let said = String::from_utf8_lossy(&out.stderr);
                let last = said.lines().rfind(|l| !l.contains("Pseudo-terminal")).unwrap_or("ssh doesn't report why");
                Err(failed(last))
            }
            Ok(Err(e)) => Err(failed(&format!("ssh can't be started: {e}")).help("install an ssh client")),
            Err(_) => Err(failed("`ssh -G` doesn't finish")),
        }
    }

    fn value(&self, option: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(option)?.strip_prefix(' '))
    }

    /// Returns the files that an option names. ssh puts spaces between them, without quotes.
    fn files(&self, option: &str) -> Vec<PathBuf> {
        paths(self.value(option).unwrap_or_default(), std::env::var_os("HOME").map(PathBuf::from).as_deref())
    }

    fn known_as(&self) -> String {
        match (self.value("hostkeyalias"), self.value("hostname"), self.value("port")) {
            (Some(alias), ..) => alias.to_lowercase(),
            (None, Some(name), Some("22") | None) => name.to_lowercase(),
            (None, name, Some(port)) => format!("[{}]:{port}", name.unwrap_or_default().to_lowercase()),
            (None, None, None) => String::new(),
        }
    }

    fn check(&self, host: &Host, hop: &Hop) -> Result<(), Failure> {
        let refused = |message: String| Failure::new(Cause::Unreachable, message).on(&host.name);
        if let Some(proxy) = self.value("proxycommand").filter(|proxy| calls_ssh(proxy)) {
            let whose =
                if hop.place == host.address() { "its".to_owned() } else { format!("on the way, `{}`'s", hop.place) };
            let message =
                format!("{whose} `ProxyCommand {proxy}` calls ssh itself, which bypasses the checks of host keys");
            return Err(refused(message).help("write `ProxyJump` instead"));
        }
        for (option, wanted) in
            [("stricthostkeychecking", ["true", "yes"]), ("nohostauthenticationforlocalhost", ["no", "no"])]
        {
            if !self.value(option).is_some_and(|value| wanted.contains(&value)) {
                return Err(refused(format!("ssh doesn't obey `{option}`")));
            }
        }
        Ok(())
    }
}

/// Splits a list at spaces into files, which may have spaces in their names; files that don't exist are left out.
fn paths(list: &str, home: Option<&Path>) -> Vec<PathBuf> {
    let words: Vec<&str> = list.split(' ').collect();
    let (mut paths, mut at) = (Vec::new(), 0);
    while at < words.len() {
        let file = |end: usize| {
            let text = words[at..end].join(" ");
            let below = text.strip_prefix("~/").and_then(|rest| Some(home?.join(rest)));
            Some(below.unwrap_or_else(|| text.into())).filter(|path| path.is_file()).map(|path| (path, end))
        };
        match (at + 1..=words.len()).rev().find_map(file) {
            Some((path, end)) => {
                paths.push(path);
                at = end;
            }
            None => at += 1,
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_also_where_names_have_spaces() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, "").unwrap();
            file
        };
        let (own, spaced, other) = (file("own"), file("two words"), file("other"));
        let list = format!("~/own {} /nowhere/x {}", spaced.display(), other.display());
        assert_eq!(paths(&list, Some(folder.path())), [own, spaced, other]);
        assert_eq!(paths("", None), Vec::<PathBuf>::new());
    }
}
