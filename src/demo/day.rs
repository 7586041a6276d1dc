//! The day of a hotfix, on the demo's fleet.
use super::{
    app::SeenRequests,
    fleet::BALANCER,
    hosts::Hosts,
    load::{self, Account, DemoLoad},
    operator::{self, Operator},
    place,
    processes::Processes,
    project,
    signals::Signals,
};
use crate::{
    failure::{Exit, Failure},
    report::Palette,
    temporary::TemporaryFolder,
};
use std::{env, fmt::Write, path::Path, sync::Arc};

/// The commands of the day: the words of each, and what it does.
const COMMANDS: [(&str, &str); 5] = [
    ("prod proxy.group2", "group2 live, group1 out of the balancer"),
    ("prod:out deploy:stable", "the newest stable tag, to the hosts that are out"),
    ("prod proxy.flip", "group1 live with the new release, group2 out"),
    ("prod:out deploy:stable", "group2 too"),
    ("prod proxy.all", "all hosts live"),
];
/// The release that is served in the morning, and the hotfix.
const TAGS: [&str; 2] = ["v3.0.0", "v3.0.1"];
/// How long the name of the folder for temporary files may be, so that the paths of sockets in it aren't too long.
const SHORT: usize = 16;

/// How the demo is shown.
pub struct DemoStyle<'a> {
    /// Writes the text between the commands.
    pub tell: &'a dyn Fn(&str),
    pub palette: Palette,
    /// The flags of each command, before its words.
    pub flags: Vec<String>,
}

/// Shows the day; `Done` only if every command succeeded and no request failed.
pub fn run(style: DemoStyle<'_>) -> Result<Exit, Failure> {
    let failed = |what: &'static str| move |e: std::io::Error| Failure::failed(format!("{what}: {e}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(failed("no runtime"))?;
    // Must happen before there is anything to clean up.
    let mut signals = runtime.block_on(async { Signals::listen() }).map_err(failed("no signals"))?;
    let base = Some(env::temp_dir()).filter(|path| path.as_os_str().len() <= SHORT).unwrap_or("/tmp".into());
    let folder = TemporaryFolder::make_in(&base);
    let folder = folder.map_err(failed("no folder for the demo"))?;
    let processes = Processes::adopt().map_err(failed("no child can be adopted"))?;
    let shown = runtime.block_on(async {
        let demo = Demo::build(folder.path(), style.flags.clone()).await?;
        match signals.exit() {
            Some(exit) => Ok(exit),
            None => demo.play(&mut signals, &style).await,
        }
    });
    // Stops the servers first, then what they have started, and then removes the folder that they all use.
    drop(runtime);
    drop(processes);
    drop(folder);
    shown
}

/// The fleet under load, and the operator who works on it.
struct Demo {
    operator: Operator,
    load: DemoLoad,
    hosts: usize,
    /// The commits of the tags.
    commits: Vec<String>,
}

impl Demo {
    async fn build(root: &Path, flags: Vec<String>) -> Result<Demo, Failure> {
        let operator = Operator::make(root, flags)?;
        let mut hosts = Hosts::make(root)?;
        let repository = project::make(root, &operator, &hosts)?;
        let commits = TAGS.map(|tag| repository.release(tag)).into_iter().collect::<Result<Vec<_>, _>>()?;
        place::place(&repository, &commits[0], hosts.web(), root)?;
        let seen = Arc::new(SeenRequests::default());
        let shop = hosts.start(&operator.key, &seen).await?;
        Ok(Demo { operator, load: DemoLoad::start(shop, seen), hosts: hosts.web().count(), commits })
    }

    async fn play(self, signals: &mut Signals, style: &DemoStyle<'_>) -> Result<Exit, Failure> {
        let (tell, palette, [old, new]) = (style.tell, style.palette, TAGS);
        tell(&format!(
            "{} web hosts in two groups behind {BALANCER} serve {old}, at {} requests a second. {new} is tagged.",
            self.hosts,
            load::PER_SECOND
        ));
        let mut all_done = true;
        for (words, why) in COMMANDS {
            if signals.exit().is_some() {
                break;
            }
            let typed = format!("$ rfab {words:<25}");
            tell(&format!("\n{}  {}", palette.strong(&typed), palette.faint(&format!("# {why}"))));
            let status = self.operator.run(words, signals).await?;
            if !status.success() {
                tell(&format!("`rfab {words}` {}", operator::ending(status)));
                all_done = false;
                break;
            }
        }
        let account = self.load.end().await;
        tell(&format!("\n{}", summary(&account, &self.commits)));
        Ok(signals.exit().unwrap_or_else(|| exit(all_done, &account)))
    }
}

fn exit(all_done: bool, account: &Account) -> Exit {
    if all_done && account.failed.is_empty() { Exit::Done } else { Exit::Failed }
}

/// The most failed requests to list one by one.
const FEW: usize = 10;

fn summary(account: &Account, commits: &[String]) -> String {
    let mut text = String::new();
    for line in account.failed.iter().take(FEW) {
        let _ = writeln!(text, "{line}");
    }
    for (tag, commit) in TAGS.iter().zip(commits) {
        let responses: u64 = account.releases.iter().filter(|(r, _)| commit.starts_with(*r)).map(|(_, n)| n).sum();
        let _ = writeln!(text, "{responses} responses from {tag}");
    }
    let _ = write!(text, "{} requests, {} failed", account.sent, account.failed.len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_failed_is_told_counted_and_no_success() {
        let commits = ["aaaaaaaaaaaabbbb", "ccccccccccccdddd"].map(String::from);
        let releases = [("aaaaaaaaaaaa".to_owned(), 3), ("cccccccccccc".to_owned(), 4)].into();
        let mut account = Account { sent: 7, releases, ..Account::default() };
        assert_eq!(
            summary(&account, &commits),
            "3 responses from v3.0.0\n4 responses from v3.0.1\n7 requests, 0 failed"
        );
        assert_eq!((exit(true, &account), exit(false, &account)), (Exit::Done, Exit::Failed));
        account.sent += 12;
        account.failed = (0..12).map(|n| format!("request {n}: 502")).collect();
        let text = summary(&account, &commits);
        assert!(text.starts_with("request 0: 502\nrequest 1: 502\n"), "{text}");
        assert_eq!((text.lines().count(), text.lines().last()), (13, Some("19 requests, 12 failed")));
        assert_eq!(exit(true, &account), Exit::Failed);
    }
}
