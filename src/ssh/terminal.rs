//! The person's terminal, lent to a program on a host.
use super::{On, wrapper};
use crate::{
    command::Command,
    effect::*,
    failure::{Failure, Reason},
    model::{Model, Predicted},
};
use serde::Serialize;

/// Lends the person's terminal to a program of a host until it ends; its outcome is the program's exit status.
///
/// What is typed there is the person's own, as with ssh by hand: no lock is taken, and no ledger knows of it.
#[derive(Clone, Debug, Serialize)]
pub struct Terminal {
    pub on: On,
    /// The user's login shell if absent.
    pub command: Option<Command>,
}

/// Enters the folder and becomes the program; `$1` is the folder, `$2` the user, the rest the words.
const PROGRAM: &str = r#"dir=$1 user=$2
shift 2
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

impl Terminal {
    /// The line that the host is asked to run.
    fn line(&self) -> Result<String, Failure> {
        let mut words = self.command.as_ref().map(Command::argv).unwrap_or_default();
        // Behind sudo it would be there for every user of the host to see.
        if !self.on.env.is_empty() && self.on.user.is_some() {
            let message = "an environment cannot be given to another user's terminal";
            return Err(Failure::new(Reason::Fabfile, message).help("set it in that user's profile"));
        }
        if !self.on.env.is_empty() {
            let pairs = self.on.env.iter().map(|(name, value)| format!("{name}={}", value.reveal()));
            let shell = ["/bin/sh", "-c", "exec \"${SHELL:-/bin/sh}\""].map(str::to_owned);
            let rest = if words.is_empty() { shell.to_vec() } else { words };
            words = ["env".to_owned()].into_iter().chain(pairs).chain(rest).collect();
        }
        let (dir, user) = (self.on.cd.as_deref().unwrap_or(""), self.on.user.as_deref().unwrap_or(""));
        let args: Vec<&str> = [dir, user].into_iter().chain(words.iter().map(String::as_str)).collect();
        wrapper::bare(PROGRAM, &args)
    }

    fn shown(&self) -> String {
        match &self.command {
            Some(command) => self.on.shown(command),
            None => "a shell".to_owned(),
        }
    }
}

impl Effect for Terminal {
    type Outcome = i32;
    const NAME: &'static str = "terminal";
    /// A resumed run opens it anew.
    const KIND: Kind = Kind::Hold;

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
        let status = at.real.site(&host.fleet).transport.terminal(host, &self.line()?).await?;
        match status {
            // ssh's own status, and possibly the program's.
            255 => Err(Failure::failed(format!("{} ended with 255: its connection may have broken", self.shown()))
                .on(&host.name)),
            status => Ok(status),
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<i32> {
        let partial = model.partial;
        let shown = self.command.as_ref().map_or("sh".to_owned(), Command::shown);
        Ok(model.machine(&self.on.host)?.said(&shown, partial)?.map_or(0, |said| said.status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    fn ran(on: On, words: &[&str]) -> String {
        let command = Command::of(words.iter().map(|w| w.to_string()).collect()).ok();
        let line = Terminal { on, command }.line().unwrap();
        let out = std::process::Command::new("/bin/sh").args(["-c", &line]).env("SHELL", "/bin/true").output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    }

    #[test]
    fn a_program_gets_its_words_folder_and_environment_as_they_are() {
        let (address, group, roles, vars) = (None, None, Vec::new(), Default::default());
        let host = Host { fleet: "prod".into(), name: "web1".into(), address, group, roles, vars };
        let hostile = "a 'b' $(touch x) \"c\" \\0101 ü";
        let on = On { cd: Some("/usr".into()), env: [("X".to_owned(), hostile.into())].into(), ..host.clone().into() };
        assert_eq!(
            ran(on, &["/bin/sh", "-c", "pwd; printf '%s|%s' \"$X\" \"$1\"", "sh", hostile]),
            format!("/usr\n{hostile}|{hostile}")
        );
        assert_eq!(ran(host.clone().into(), &[]), "", "the login shell is the user's own");
        let on = On { cd: Some("/not/there".into()), ..host.clone().into() };
        assert!(ran(on, &["true"]).contains("/not/there"));
        // Behind sudo every user of the host could read it.
        let on = On { user: Some("shop".into()), env: [("X".to_owned(), "x".into())].into(), ..host.into() };
        let refused = Terminal { on, command: None }.line().unwrap_err();
        assert_eq!(refused.message, "an environment cannot be given to another user's terminal");
    }
}
