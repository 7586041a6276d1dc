//! A person's yes to a guarded fleet.
use crate::{
    effect::*,
    failure::{Cause, Failure},
    host::Name,
    model::{Model, Predicted},
    port::{Spending, SpendingTime},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// Requires a yes that names the fleet, or a person's yes, which stays valid for a while, for this user and terminal.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    pub fleet: Name,
    /// The fleet that this fleet is an app of: a yes to that one is a yes to this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Name>,
    /// The fabfile's folder: a fleet with the same name in another project is another fleet.
    #[serde(skip)]
    pub project: PathBuf,
    pub question: String,
    /// The value of `--yes`: absent, a yes without a name, or a fleet's name.
    pub given: Option<Option<String>>,
}

const HOLDS: Duration = Duration::from_secs(15 * 60);

impl Effect for Consent {
    type Outcome = ();
    const NAME: &'static str = "consent";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("ask whether {} may be changed", self.fleet)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        if self.named()? {
            return Ok(());
        }
        let terminal = at.real.person.terminal();
        let kept = at.real.cache.join("consents");
        let file = |fleet: &Name| terminal.as_ref().map(|terminal| kept.join(self.kept_as(fleet, terminal)));
        if self.names().filter_map(file).any(|file| fresh(&file)) {
            return Ok(());
        }
        let file = file(&self.fleet);
        let (person, question) = (at.real.person.clone(), self.question.clone());
        let _time = SpendingTime::on(Spending::Person);
        match tokio::task::spawn_blocking(move || person.confirm(&question)).await.ok().flatten() {
            Some(true) => {
                if let Some(file) = file {
                    // Without the file, the next run only asks again.
                    let _ = keep(&file);
                }
                Ok(())
            }
            Some(false) => {
                Err(Failure::new(Cause::Declined, format!("nobody confirmed the change to `{}`", self.fleet))
                    .unchanged())
            }
            None => Err(Failure::new(
                Cause::Unconfirmed,
                format!(
                    "confirming a change to the guarded fleet `{}` requires a terminal, and rfab isn't running in one",
                    self.fleet
                ),
            )
            .help(format!("pass `--yes={}`", self.fleet))
            .unchanged()),
        }
    }

    /// The simulated person says yes.
    fn predict(&self, _: &mut Model) -> Predicted<()> {
        self.named()?;
        Ok(())
    }
}

impl Consent {
    /// Returns whether a yes named this fleet; refuses a yes that names another one.
    fn named(&self) -> Result<bool, Failure> {
        match &self.given {
            Some(Some(name)) if self.names().any(|fleet| **fleet == **name) => Ok(true),
            Some(Some(name)) => {
                let message = format!("`--yes={name}` doesn't confirm changes to the fleet `{}`", self.fleet);
                Err(Failure::new(Cause::Unconfirmed, message).help(format!("pass `--yes={}`", self.fleet)))
            }
            _ => Ok(false),
        }
    }

    /// Returns the file name under which a yes to a fleet of this project is kept.
    fn kept_as(&self, fleet: &Name, terminal: &str) -> String {
        let terminal: String = terminal.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let project = hex::encode(Sha256::digest(self.project.as_os_str().as_encoded_bytes()));
        format!("{fleet}{terminal}-{}", &project[..16])
    }

    /// Returns the fleets for which a yes is accepted.
    fn names(&self) -> impl Iterator<Item = &Name> {
        [&self.fleet].into_iter().chain(&self.of)
    }
}

fn fresh(file: &PathBuf) -> bool {
    let age = fs::symlink_metadata(file)
        .and_then(|m| m.modified())
        .ok()
        .and_then(|t| SystemTime::now().duration_since(t).ok());
    age.is_some_and(|age| age < HOLDS)
}

fn keep(file: &PathBuf) -> io::Result<()> {
    fs::create_dir_all(file.parent().expect("a file in a folder"))?;
    fs::write(file, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(fleet: &str, of: Option<Name>, given: Option<Option<String>>, project: &str) -> Consent {
        Consent { fleet: fleet.into(), of, project: project.into(), question: String::new(), given }
    }

    #[test]
    fn a_persons_yes_holds_for_one_fleet_of_one_project_on_one_terminal() {
        let kept = |fleet: &str, project: &str, terminal: &str| {
            consent(fleet, None, None, project).kept_as(&fleet.into(), terminal)
        };
        let mine = kept("prod", "/home/ann/shop", "/dev/pts/1");
        assert_eq!(mine, kept("prod", "/home/ann/shop", "/dev/pts/1"));
        for other in [
            kept("prod", "/home/ann/blog", "/dev/pts/1"),
            kept("prod2", "/home/ann/shop", "/dev/pts/1"),
            kept("prod", "/home/ann/shop", "/dev/pts/2"),
        ] {
            assert_ne!(mine, other);
        }
    }

    #[test]
    fn a_yes_to_a_fleet_is_one_to_each_of_its_apps_and_a_yes_to_an_app_to_it_alone() {
        let of = |fleet: &str, of: Option<&str>, given: &str| {
            let (of, given) = (of.map(Name::from), Some(Some(given.to_owned())));
            consent(fleet, of, given, "/srv").named().map_err(|no| no.message)
        };
        assert_eq!(of("prod.shop", Some("prod"), "prod"), Ok(true));
        assert_eq!(of("prod.shop", Some("prod"), "prod.shop"), Ok(true));
        let no =
            |name: &str, fleet: &str| Err(format!("`--yes={name}` doesn't confirm changes to the fleet `{fleet}`"));
        assert_eq!(of("prod.shop", Some("prod"), "prod.api"), no("prod.api", "prod.shop"));
        assert_eq!(of("prod", None, "prod.shop"), no("prod.shop", "prod"));
        // A dot in a fleet's own name doesn't make it an app of another fleet.
        assert_eq!(of("prod.eu", None, "prod"), no("prod", "prod.eu"));
    }
}
