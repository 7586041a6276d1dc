//! Passwords for sudo, and the person who types them.
use super::call::{NOT_BEGUN, UNWRITTEN};
use crate::{
    command::Command,
    failure::{Cause, Failure},
    host::{Host, Name},
    port::{Ended, Job, Person, Transport},
    secret::Secret,
};
use std::{collections::BTreeMap, sync::Arc};

/// A person's answer for a host.
enum PasswordAnswer {
    Password {
        text: Secret,
        /// Whether the question was about the whole fleet.
        shared: bool,
    },
    /// A password that sudo didn't accept; nobody is asked again.
    Wrong,
}

/// A password for a host.
pub(super) struct Password {
    pub text: Secret,
    /// Whether it was typed for this host.
    pub own: bool,
    fresh: bool,
}

/// The passwords of a run, by host.
pub(super) struct Passwords {
    person: Arc<dyn Person>,
    answers: tokio::sync::Mutex<BTreeMap<Name, PasswordAnswer>>,
}

impl Passwords {
    /// Makes an empty set; unknown passwords are asked from `person`.
    pub(super) fn new(person: Arc<dyn Person>) -> Self {
        Self { person, answers: Default::default() }
    }

    /// Returns the known password, which may have been typed for the fleet on another host's question, unless `for_it`
    /// asks for this host's own; otherwise asks. Only one question is open at a time.
    pub(super) async fn password(
        &self,
        host: &Host,
        user: &Name,
        refused: &Ended,
        for_it: bool,
    ) -> Result<Password, Failure> {
        let mut passwords = self.answers.lock().await;
        match passwords.get(&host.name) {
            Some(PasswordAnswer::Password { text, .. }) => {
                return Ok(Password { text: text.clone(), own: true, fresh: false });
            }
            Some(PasswordAnswer::Wrong) => return Err(not_taken(host, user)),
            None => {}
        }
        let other = passwords.values().find_map(|answer| match answer {
            PasswordAnswer::Password { text, shared: true } if !for_it => Some(text.clone()),
            _ => None,
        });
        if let Some(text) = other {
            return Ok(Password { text, own: false, fresh: false });
        }
        let whose = if for_it {
            format!("which rejected the password of {}; it isn't sent to any other host", host.fleet)
        } else {
            format!("and for every other host of {} that asks", host.fleet)
        };
        let (person, question) = (self.person.clone(), format!("sudo password on {host} for {user}, {whose}"));
        let asked = tokio::task::spawn_blocking(move || person.ask(&question, true)).await.ok().flatten();
        let Some(text) = asked.map(Secret::new) else {
            let said = String::from_utf8_lossy(&refused.err).lines().last().unwrap_or_default().to_owned();
            let message = format!(
                "sudo wants a password for `{user}`, which requires a terminal, and rfab isn't running in one ({said})"
            );
            let help = "run this line in an interactive terminal, or allow the command in sudoers with NOPASSWD";
            return Err(Failure::new(Cause::Sudo, message).on(&host.name).help(help));
        };
        passwords.insert(host.name.clone(), PasswordAnswer::Password { text: text.clone(), shared: !for_it });
        Ok(Password { text, own: true, fresh: true })
    }

    /// Makes the failure of a call with a password that sudo didn't accept.
    pub(super) async fn wrong(&self, host: &Host, user: &Name, password: &Password) -> Failure {
        if password.fresh {
            self.answers.lock().await.insert(host.name.clone(), PasswordAnswer::Wrong);
        }
        not_taken(host, user)
    }
}

/// Removes the trace of a call that sudo refused: nothing began, whatever its status was.
pub(super) async fn untrace(transport: &dyn Transport, host: &Host, job: &Job<'_>) -> Result<(), Failure> {
    let Some(trace) = &job.trace else { return Ok(()) };
    let text = "case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac\nrm -f \"$folder/$id\"";
    let values = vec![("folder".into(), trace.folder.clone()), ("id".into(), trace.id.clone())];
    let command = Command::line(text, values).expect("a good line");
    transport.run(host, Job::new(&command)).await.map(drop)
}

/// Checks whether sudo refuses even `true` without a password; only then is a refused call repeated with one.
///
/// Fails if sudo refuses it for another reason: a password would be sent to the host in vain.
pub(super) async fn wants_password(transport: &dyn Transport, host: &Host, user: &Name) -> Result<bool, Failure> {
    let words = ["env", "LC_ALL=C", "sudo", "-n", "-u", user, "--", "true"].map(str::to_owned);
    let command = Command::of(words.to_vec()).expect("words");
    let ended = transport.run(host, Job::new(&command)).await?;
    if ended.status == 0 || asks(&ended) { Ok(ended.status != 0) } else { Err(runs_nothing(host, user, &ended)) }
}

/// Returns whether sudo itself may have ended a call: it prints only lines of its own, and the command prints none.
pub(super) fn refused(ended: &Ended) -> bool {
    let err = String::from_utf8_lossy(&ended.err);
    let own = err.lines().filter(|l| !l.trim().is_empty()).all(|l| l.starts_with("sudo:") || l.starts_with("Sorry, "));
    match ended.status {
        UNWRITTEN => true,
        1 | NOT_BEGUN => ended.out.is_empty() && !err.trim().is_empty() && own,
        _ => false,
    }
}

/// Returns whether a password may help: sudo prints `a password is required`, sudo-rs `interactive authentication is
/// required`. A sudo that prints nothing may want one, too.
fn asks(ended: &Ended) -> bool {
    let said = String::from_utf8_lossy(&ended.err);
    said.trim().is_empty() || said.contains(" is required")
}

fn runs_nothing(host: &Host, user: &Name, ended: &Ended) -> Failure {
    let said = String::from_utf8_lossy(&ended.err).lines().last().unwrap_or_default().to_owned();
    let help = if said.contains("must have a tty") {
        "rfab gives sudo no terminal: add `Defaults !requiretty` to sudoers there".to_owned()
    } else {
        format!("see what `ssh {} sudo -n -u {user} true` prints", host.address())
    };
    Failure::new(Cause::Sudo, format!("sudo runs nothing as `{user}` ({said})")).on(&host.name).help(help)
}

fn not_taken(host: &Host, user: &Name) -> Failure {
    let message = format!("sudo didn't accept the password for `{user}`, or doesn't allow the command");
    Failure::new(Cause::Sudo, message).on(&host.name).help("nothing was run; see what `sudo -l` prints there")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(err: &str) -> Ended {
        Ended { status: 1, out: Vec::new(), err: err.as_bytes().to_vec(), cut: false }
    }

    #[test]
    fn a_sudo_that_wants_a_password_is_told_from_one_that_runs_nothing() {
        // The second is from sudo-rs, which prompts despite all options: trifectatechfoundation/sudo-rs#1461.
        for wants in ["sudo: a password is required\n", "sudo: interactive authentication is required\n"] {
            assert!(refused(&said(wants)) && asks(&said(wants)), "{wants}");
        }
        assert!(asks(&said("")), "nobody knows why it failed");
        for never in [
            "sudo: sorry, you must have a tty to run sudo\n",
            "sudo: unknown user shop\nsudo: error initializing audit plugin sudoers_audit\n",
            "sudo: The \"no new privileges\" flag is set, which prevents sudo from running as root.\n",
            "sudo: account validation failure, is your account locked?\n",
            "sudo: Account or password is expired, reset your password and try again\n",
        ] {
            assert!(refused(&said(never)) && !asks(&said(never)), "{never}");
        }
        // What either prints about a wrong password is its own line, not the command's.
        for wrong in [
            "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n",
            "sudo: Authentication failed, try again.\nsudo: Authentication required but not attempted\n",
        ] {
            assert!(refused(&said(wrong)), "{wrong}");
        }
    }
}
