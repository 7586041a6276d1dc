//! The person's terminal, lent to a program on a host.
use super::On;
use crate::{
    command::Command,
    effect::*,
    failure::{Cause, Failure},
    model::{Model, Predicted},
    port::{Input, Job, Transport},
    ssh::wrapper,
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// Lends the person's terminal to a program on a host until it ends; the outcome is the program's exit status.
///
/// What the person types there is their own affair, as with plain ssh: no lock is taken, and no ledger records it.
#[derive(Clone, Debug, Serialize)]
pub struct LendTerminal {
    pub on: On,
    /// The user's login shell if absent.
    pub command: Option<Command>,
}

/// Enters the folder and becomes the program; `$1` is the folder, `$2` the user, `$3` where its environment comes from,
/// and the rest the words.
const PROGRAM: &str = r#"dir=$1 user=$2 given=$3
shift 3
if [ -n "$given" ]; then
    n=0
    until [ -p "$given/env" ] && [ -O "$given" ]; do
        n=$((n + 1))
        [ "$n" -lt 100 ] || { echo "rfab: its environment did not arrive" >&2; exit 254; }
        sleep 0.1
    done
    IFS= read -r rfab_given < "$given/env" && eval "$(printf %b "$rfab_given")" && unset rfab_given || exit 254
fi
if [ "$#" = 0 ]; then
    if [ -z "$user" ]; then set -- "${SHELL:-/bin/sh}" -l
    elif [ -z "$dir" ]; then exec sudo -u "$user" -i
    else set -- /bin/sh -c 'cd "$1" && exec "${SHELL:-/bin/sh}"' sh "$dir"; fi
elif [ -n "$user" ] && [ -n "$dir" ]; then
    set -- /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$dir" "$@"
fi
if [ -n "$user" ]; then exec sudo -u "$user" -- "$@"; fi
if [ -n "$dir" ]; then cd "$dir" || exit; fi
exec "$@""#;

/// Passes its stdin once to the program on the terminal, through a private folder; nothing is written to a disk.
const GIVE: &str = r#"umask 077
mkdir "$folder" || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 129' HUP INT TERM PIPE
mkfifo "$folder/env" && cat > "$folder/env""#;

/// The time limit for the program on the terminal to read its environment.
const GIVEN_WITHIN: Duration = Duration::from_secs(20);

/// The exit status of a program that got no environment.
const NOT_GIVEN: i32 = 254;

impl LendTerminal {
    /// Returns the line that the host runs; `given` is the folder that the environment comes from.
    fn line(&self, given: &str) -> Result<String, Failure> {
        let words = self.command.as_ref().map(Command::argv).unwrap_or_default();
        // With sudo, every user of the host could see it.
        if !self.on.env.is_empty() && self.on.user.is_some() {
            let message = "another user's terminal can't get environment variables";
            return Err(Failure::new(Cause::Fabfile, message).help("set it in that user's profile"));
        }
        let (dir, user) = (self.on.cd.as_deref().unwrap_or(""), self.on.user.as_deref().unwrap_or(""));
        let args: Vec<&str> = [dir, user, given].into_iter().chain(words.iter().map(String::as_str)).collect();
        wrapper::bare(PROGRAM, &args)
    }

    /// Sends the program its environment on a connection's stdin: every user of both machines could read an argument.
    fn give(&self, transport: Arc<dyn Transport>, folder: &str) -> JoinHandle<Result<(), Failure>> {
        let host = self.on.host.clone();
        let command = Command::line(GIVE, vec![("folder".to_owned(), folder.to_owned())]).expect("a good line");
        let bytes = wrapper::given(&self.on.job(&command));
        tokio::spawn(async move {
            let job = Job { stdin: Input::Bytes(&bytes), timeout: Some(GIVEN_WITHIN), ..Job::new(&command) };
            transport.run(&host, job).await.map(drop)
        })
    }

    fn shown(&self) -> String {
        match &self.command {
            Some(command) => self.on.shown(command),
            None => "a shell".to_owned(),
        }
    }
}

impl Effect for LendTerminal {
    type Outcome = i32;
    const NAME: &'static str = "terminal";
    /// A resumed run opens the terminal again.
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("open {} on the terminal", self.shown())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<i32, Failure> {
        let host = &self.on.host;
        let transport = at.real.site(&host.fleet).transport.clone();
        let given =
            if self.on.env.is_empty() { String::new() } else { format!("/tmp/.rfab-{:016x}", rand::random::<u64>()) };
        let line = self.line(&given)?;
        let giving = (!given.is_empty()).then(|| self.give(transport.clone(), &given));
        let status = transport.terminal(host, &line).await;
        if let Some(giving) = giving {
            // It ends when the environment was read, or at its time limit.
            let gave = giving.await.map_err(|e| Failure::failed(format!("the environment wasn't given: {e}")))?;
            if status.as_ref().is_ok_and(|status| *status == NOT_GIVEN) {
                gave?;
            }
        }
        match status? {
            NOT_GIVEN if !given.is_empty() => {
                Err(Failure::failed(format!("{} didn't get its environment", self.shown())).on(&host.name))
            }
            // ssh's own status, and possibly the program's.
            255 => Err(Failure::failed(format!("{} ended with 255: its connection may have broken", self.shown()))
                .on(&host.name)),
            status => Ok(status),
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<i32> {
        self.line("")?;
        let shown = self.command.as_ref().map_or("sh".to_owned(), Command::shown);
        Ok(model.machine(&self.on.host)?.said(&shown)?.map_or(0, |said| said.status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    fn ran(on: On, words: &[&str]) -> String {
        let command = Command::of(words.iter().map(|w| w.to_string()).collect()).ok();
        let terminal = LendTerminal { on, command };
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().join("given").display().to_string();
        let given = if terminal.on.env.is_empty() { String::new() } else { given };
        let line = terminal.line(&given).unwrap();
        let mut giver = (!given.is_empty()).then(|| {
            let give = Command::line(GIVE, vec![("folder".into(), given.clone())]).unwrap().argv();
            let mut child = std::process::Command::new(&give[0])
                .args(&give[1..])
                .stdin(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let bytes = wrapper::given(&terminal.on.job(&Command::of(vec!["true".into()]).unwrap()));
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), &bytes).unwrap();
            child
        });
        let out = std::process::Command::new("/bin/sh").args(["-c", &line]).env("SHELL", "/bin/true").output().unwrap();
        if let Some(giver) = &mut giver {
            giver.wait().unwrap();
            assert!(!std::path::Path::new(&given).exists(), "nothing is left of it");
            assert!(terminal.on.env.values().all(|value| !line.contains(value.reveal())), "{line}");
        }
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    }

    #[test]
    fn a_program_gets_its_words_folder_and_environment_as_they_are() {
        let (address, group, roles, vars) = (None, None, Vec::new(), Default::default());
        let host = Host { fleet: "prod".into(), name: "web1".into(), address, group, roles, vars };
        let hostile = "s3cret a 'b' $(touch x) \"c\" \\0101 ü";
        let on = On { cd: Some("/usr".into()), env: [("X".to_owned(), hostile.into())].into(), ..host.clone().into() };
        assert_eq!(
            ran(on, &["/bin/sh", "-c", "pwd; printf '%s|%s' \"$X\" \"$1\"", "sh", "a $b"]),
            format!("/usr\n{hostile}|a $b")
        );
        assert_eq!(ran(host.clone().into(), &[]), "", "the login shell is the user's own");
        let on = On { cd: Some("/not/there".into()), ..host.clone().into() };
        assert!(ran(on, &["true"]).contains("/not/there"));
        // With sudo, every user of the host could read it.
        let on = On { user: Some("shop".into()), env: [("X".to_owned(), "x".into())].into(), ..host.into() };
        let refused = LendTerminal { on, command: None }.line("").unwrap_err();
        assert_eq!(refused.message, "another user's terminal can't get environment variables");
    }
}
