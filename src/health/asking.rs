//! Asks a service repeatedly and judges its answers.
use super::{
    Probe, ProbeAnswer,
    target::{ONE_ANSWER, Target},
    verdict::{Verdict, judged, looks_up},
    written::WrittenNames,
};
use crate::{
    command::Command,
    effect::At,
    failure::{Cause, Failure},
    fleet::Version,
    port::{FleetConnections, Job},
};
use std::sync::Arc;

/// A probe under way.
pub(super) struct Asking<'a> {
    probe: &'a Probe,
    at: At<'a>,
    site: Arc<FleetConnections>,
    target: Target,
    /// The names in the ledgers, read when an answer first needs them.
    written: Option<WrittenNames>,
    /// Whether the name in the URL was found to resolve; checked when there is no response.
    resolves: bool,
}

impl<'a> Asking<'a> {
    /// Prepares a probe without asking anything.
    pub(super) async fn of(probe: &'a Probe, at: At<'a>) -> Result<Asking<'a>, Failure> {
        let site = at.real.site(&probe.host.fleet);
        let target = Target::of(probe, &site).await?;
        Ok(Asking { probe, at, site, target, written: None, resolves: false })
    }

    /// Asks once and judges the answer.
    pub(super) async fn once(&mut self) -> Result<(ProbeAnswer, Verdict), Failure> {
        let probe = self.probe;
        let answer = self.answer().await?;
        if self.written.is_none() && looks_up(&probe.expected, &answer, probe.nameless) {
            self.written = Some(WrittenNames::of(probe, self.at).await?);
        }
        let written = self.written.clone().unwrap_or_else(WrittenNames::known);
        let verdict = judged(&answer, &probe.health, &probe.expected, &written, probe.nameless);
        Ok((answer, verdict))
    }

    /// Asks once.
    ///
    /// Fails with `Fabfile` if the probe can't work, no matter what the service does.
    pub(super) async fn answer(&mut self) -> Result<ProbeAnswer, Failure> {
        let probe = self.probe;
        let mut answer = match self.target.port() {
            Some((name, port)) => self.connect(name, port).await?,
            None => self.target.ask(&probe.health).await?,
        };
        if answer.status.is_none() && !answer.good && !self.resolves {
            self.resolve().await?;
        }
        if probe.health.version == Version::Process && answer.good {
            let releases = self.running().await?;
            answer.runs(&releases);
        }
        Ok(answer)
    }

    /// Tries to connect to a port from the machine that the probe goes out from.
    ///
    /// ssh accepts a forwarded connection on this side before the other side connects, so only the other side can tell.
    async fn connect(&self, name: &str, port: u16) -> Result<ProbeAnswer, Failure> {
        let line = r#"if command -v bash >/dev/null 2>&1; then
    exec timeout 4 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$name" "$port" 2>&1
elif command -v nc >/dev/null 2>&1; then
    exec nc -z -w 4 "$name" "$port" 2>&1
fi
exit 99"#;
        let values = vec![("name".into(), name.to_owned()), ("port".into(), port.to_string())];
        let command = Command::line(line, values).expect("a good line");
        let job = Job { timeout: Some(ONE_ANSWER), ..Job::new(&command) };
        let ended = self.site.transport.run(&self.probe.through, job).await?;
        Ok(match ended.status {
            0 => ProbeAnswer::connected(),
            99 => return Err(self.no_program()),
            124 => ProbeAnswer::none("no connection within 4 s".to_owned()),
            _ => {
                let said = String::from_utf8_lossy(&ended.out);
                let why = said.lines().last().and_then(|line| line.rsplit(": ").next());
                ProbeAnswer::none(why.filter(|why| !why.is_empty()).unwrap_or("no connection").to_lowercase())
            }
        })
    }

    fn no_program(&self) -> Failure {
        let through = &self.probe.through;
        let message = format!(
            "`{through}` has neither bash nor nc, and rfab needs one of them to try the port in `{}`",
            self.probe.url()
        );
        Failure::new(Cause::Fabfile, message).on(&through.name).help("install one of them there, or probe with `http`")
    }

    /// Checks that the name in the URL resolves on the machine that the probe goes out from.
    async fn resolve(&mut self) -> Result<(), Failure> {
        if let Some(name) = self.target.name() {
            let line = "command -v getent >/dev/null 2>&1 || exit 0\ngetent ahosts \"$name\" >/dev/null";
            let command = Command::line(line, vec![("name".into(), name.to_owned())]).expect("a good line");
            let job = Job { timeout: Some(ONE_ANSWER), ..Job::new(&command) };
            let ended = self.site.transport.run(&self.probe.through, job).await?;
            // From getent's manual: the key was not found.
            if ended.status == 2 {
                return Err(self.probe.unresolved(name));
            }
        }
        self.resolves = true;
        Ok(())
    }

    /// Lists the releases that the host's processes run in, from the processes that the login user can see.
    async fn running(&self) -> Result<Vec<String>, Failure> {
        let line = r#"for p in /proc/[0-9]*/cwd; do d=$(readlink "$p" 2>/dev/null) || continue
case $d in "$path"/releases/*) d=${d#"$path"/releases/}; printf '%s\n' "${d%%/*}";; esac; done | sort -u"#;
        let command = Command::line(line, vec![("path".into(), self.probe.path.clone())]).expect("a good line");
        let job = Job { timeout: Some(ONE_ANSWER), ..Job::new(&command) };
        let ended = self.site.transport.run(&self.probe.host, job).await?;
        Ok(String::from_utf8_lossy(&ended.out).lines().map(str::to_owned).collect())
    }
}
