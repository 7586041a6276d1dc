//! Asks a service again and again, and judges its answers.
use super::{Answer, Probe, Verdict, expected::Written, judged, target::Target};
use crate::{
    command::Command,
    effect::At,
    failure::Failure,
    fleet::Version,
    world::real::{Job, Site},
};
use std::sync::Arc;

/// One probe under way.
pub(super) struct Asking<'a> {
    probe: &'a Probe,
    at: At<'a>,
    site: Arc<Site>,
    target: Target,
    /// What ledgers say, once an answer made it worth while to look.
    written: Option<Written>,
    /// Whether the name in the URL resolves, once an answer did not come.
    resolves: bool,
}

impl<'a> Asking<'a> {
    pub async fn of(probe: &'a Probe, at: At<'a>) -> Result<Asking<'a>, Failure> {
        let site = at.real.site(&probe.host.fleet);
        let target = Target::of(&probe.url(), &site, &probe.through).await?;
        Ok(Asking { probe, at, site, target, written: None, resolves: false })
    }

    /// Asks once, and judges what was answered.
    pub async fn once(&mut self) -> Result<(Answer, Verdict), Failure> {
        let probe = self.probe;
        let answer = self.answer().await?;
        if self.written.is_none() && probe.expected.looks_up(&answer, probe.nameless) {
            self.written = Some(Written::of(probe, self.at).await?);
        }
        let written = self.written.clone().unwrap_or_else(Written::known);
        let verdict = judged(&answer, &probe.health, &probe.expected, &written, probe.nameless);
        Ok((answer, verdict))
    }

    /// Asks once.
    ///
    /// `Fabfile` when nothing can come of that, whatever the service does.
    pub async fn answer(&mut self) -> Result<Answer, Failure> {
        let probe = self.probe;
        let mut answer = self.target.ask(&probe.health).await?;
        if answer.status.is_none() && !self.resolves {
            self.resolve().await?;
        }
        if probe.health.version == Version::Process && answer.good() {
            answer.version = self.running().await?;
        }
        Ok(answer)
    }

    /// Looks whether the name in the URL resolves where the probe goes out.
    async fn resolve(&mut self) -> Result<(), Failure> {
        if let Some(name) = self.target.name() {
            let line = "command -v getent >/dev/null 2>&1 || exit 0\ngetent ahosts \"$name\" >/dev/null";
            let command = Command::line(line, vec![("name".into(), name.to_owned())]).expect("a good line");
            let job = Job { timeout: Some(super::ONE_ANSWER), ..Job::new(&command) };
            let ended = self.site.transport.run(&self.probe.through, job).await?;
            // By getent's manual: the key was not found.
            if ended.status == 2 {
                return Err(self.probe.unresolved(name));
            }
        }
        self.resolves = true;
        Ok(())
    }

    /// The one release that processes of the host run in; `None` if there are several or none.
    async fn running(&self) -> Result<Option<String>, Failure> {
        let line = r#"for p in /proc/[0-9]*/cwd; do d=$(readlink "$p" 2>/dev/null) || continue
case $d in "$path"/releases/*) d=${d#"$path"/releases/}; printf '%s\n' "${d%%/*}";; esac; done | sort -u"#;
        let command = Command::line(line, vec![("path".into(), self.probe.path.clone())]).expect("a good line");
        let job = Job { timeout: Some(super::ONE_ANSWER), ..Job::new(&command) };
        let ended = self.site.transport.run(&self.probe.host, job).await?;
        let text = String::from_utf8_lossy(&ended.out);
        let mut found = text.lines();
        Ok(match (found.next(), found.next()) {
            (Some(one), None) => Some(one.to_owned()),
            _ => None,
        })
    }
}
