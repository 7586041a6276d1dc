//! Where an app is on a host.
use crate::{
    failure::{Cause, Failure},
    fleet::Fleet,
    git::app,
    host::{Host, Name},
};
use serde::{Deserialize, Serialize};

/// Where an app is on a host, and who owns it there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Home {
    pub path: String,
    /// The login user if absent.
    pub user: Option<Name>,
}

impl Home {
    /// Finds where the fleet's app is on a host.
    ///
    /// `Fabfile` when the fleet has no app, or doesn't deploy it to the host.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Home, Failure> {
        let app = app(fleet)?;
        if !app.is_on(host) {
            let roles: Vec<String> = app.roles.iter().map(|role| format!("`{role}`")).collect();
            let message =
                format!("host `{host}` doesn't get the app: it has none of the app's roles, {}", roles.join(", "));
            let help = "leave it out with `release::hosts(targets())`, or give it such a role in the fleet file";
            return Err(Failure::new(Cause::Fabfile, message).on(&host.name).help(help));
        }
        Ok(Home { path: app.path_on(host), user: app.user.clone() })
    }
}
