//! The way to a host: the jump hosts before it, by ssh's configuration.
use super::{
    hop::Hop, patience::heard_within, proxy::calls_ssh, refusal::unreachable, ssh_answers::SshAnswers,
    ssh_options::SshOptions,
};
use crate::{
    failure::{Cause, Failure},
    host::Host,
};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, sync::Semaphore};

/// The most hosts on a way.
const MOST: usize = 8;
/// How long ssh may take to read its configuration.
const WITHIN: Duration = Duration::from_secs(30);
/// More of these at the same time would only wait for each other, and that isn't the configuration's fault.
static TURNS: Semaphore = Semaphore::const_new(8);

/// Finds the hosts on the way to a host, which is the last one; refuses a way that would bypass rfab's configuration.
pub(crate) async fn route(config: &Path, host: &Host, known: Option<&SshAnswers>) -> Result<Vec<Hop>, Failure> {
    let mut route = Vec::new();
    let mut ahead = vec![(host.address().to_owned(), None::<String>)];
    while let Some((place, via)) = ahead.pop() {
        if route.len() + ahead.len() >= MOST {
            let message = format!("has more than {MOST} hosts on the route to it");
            return Err(Failure::new(Cause::Unreachable, message).on(&host.name));
        }
        let mut hop = Hop { place, via, ..Hop::default() };
        hop.options = match known.and_then(|known| known.known(&hop)) {
            Some(options) => options,
            None => asked(config, host, &hop, known).await?,
        };
        check(host, &hop)?;
        hop.known_as = hop.options.known_as();
        hop.known_in = ["userknownhostsfile", "globalknownhostsfile"].map(|option| hop.options.files(option)).concat();
        // A jump host from a list already has the ones before it.
        if hop.via.is_none()
            && let Some(jumps) = hop.options.value("proxyjump").filter(|j| *j != "none" && *j != hop.place)
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

/// Asks ssh for the options that it has for one host.
async fn asked(config: &Path, host: &Host, hop: &Hop, known: Option<&SshAnswers>) -> Result<SshOptions, Failure> {
    let mut command = Command::new("ssh");
    command.arg("-F").arg(config).arg("-G").args(hop.arguments()).stdin(Stdio::null()).kill_on_drop(true);
    let failed = |why: &str| unreachable(host, why);
    let _turn = TURNS.acquire().await;
    match heard_within(WITHIN, command.output()).await {
        Some(Ok(out)) if out.status.success() => {
            let said = String::from_utf8_lossy(&out.stdout);
            if let Some(known) = known {
                known.learn(hop, &said);
            }
            Ok(SshOptions::of(&said))
        }
        Some(Ok(out)) => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().rfind(|l| !l.contains("Pseudo-terminal")).unwrap_or("ssh doesn't report why");
            Err(failed(last))
        }
        Some(Err(e)) => Err(failed(&format!("ssh can't be started: {e}")).help("install an ssh client")),
        None => Err(failed("`ssh -G` doesn't finish")),
    }
}

/// Refuses options that would bypass the checks of host keys.
fn check(host: &Host, hop: &Hop) -> Result<(), Failure> {
    let refused = |message: String| Failure::new(Cause::Unreachable, message).on(&host.name);
    if let Some(proxy) = hop.options.value("proxycommand").filter(|proxy| calls_ssh(proxy)) {
        let whose = if hop.place == host.address() {
            "its".to_owned()
        } else {
            format!("on the route to it, `{}`'s", hop.place)
        };
        let message =
            format!("{whose} `ProxyCommand {proxy}` calls ssh itself, which bypasses the checks of host keys");
        return Err(refused(message).help("write `ProxyJump` instead"));
    }
    for (option, wanted) in
        [("stricthostkeychecking", ["true", "yes"]), ("nohostauthenticationforlocalhost", ["no", "no"])]
    {
        if !hop.options.value(option).is_some_and(|value| wanted.contains(&value)) {
            return Err(refused(format!("ssh doesn't obey `{option}`")));
        }
    }
    Ok(())
}
