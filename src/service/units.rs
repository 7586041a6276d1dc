//! The units of an app, as the fleet file names them, and their commands in that file.
use crate::{
    command::Command,
    failure::{Cause, Failure},
    fleet::{Fleet, Service, Verb},
    host::{Host, Name},
    remote::On,
};

/// Returns the units that a host's roles give it, in the order of their names in the fleet file.
///
/// `Fabfile` when the fleet has no services.
pub fn units(fleet: &Fleet, host: &Host) -> Result<Vec<Name>, Failure> {
    Ok(service(fleet)?.units_of(host))
}

/// Returns the fleet's `[app.service]`.
pub(super) fn service(fleet: &Fleet) -> Result<&Service, Failure> {
    let none = || {
        Failure::new(Cause::Fabfile, format!("fleet `{}` doesn't list the app's services", fleet.name))
            .help("add `[app.service]` with `units` to the fleet file")
    };
    fleet.app.as_ref().and_then(|app| app.service.as_ref()).ok_or_else(|| fleet.unchosen().unwrap_or_else(none))
}

/// Makes the failure for a fleet file without a command that quiets units.
pub(super) fn no_quiet(fleet: &Fleet) -> Failure {
    Failure::new(Cause::Fabfile, format!("fleet `{}` doesn't set how to quiet its units", fleet.name))
        .help("add `quiet` and `idle` to `[app.service]` in the fleet file")
}

/// Makes a command on a host from a verb, to run as the verb's user.
pub(super) fn command(verb: &Verb, values: &[(&str, &str)], host: &Host) -> Result<(On, Command), Failure> {
    let named: Vec<_> = values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let wrong = |e| Failure::new(Cause::Fabfile, format!("`[app.service]` has a wrong command: {e}"));
    let on = On::from(host.clone());
    match verb {
        Verb::Sudo(text) => Ok((On { user: Some("root".into()), ..on }, Command::words(text, &named).map_err(wrong)?)),
        Verb::Plain(words) => {
            let put = |word: String, (name, value): &(&str, &str)| word.replace(&format!("{{{name}}}"), value);
            let fill = |word: &String| values.iter().fold(word.clone(), put);
            Ok((on, Command::of(words.iter().map(fill).collect()).map_err(wrong)?))
        }
    }
}
