//! The project that a fleet's state folder belongs to.
use super::{ReadLedger, place};
use crate::{
    command::Command,
    effect::*,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::{Host, Name},
    ledger::Book,
    model::{Model, Predicted},
    port::Job,
};
use futures_util::future::join;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Distinguishes fleets of the same name in different projects. It's the same in every clone and on every machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    /// The version of this format.
    pub v: u8,
    /// The path of its app on hosts; `None` without an app.
    pub path: Option<String>,
    /// The addresses of its hosts.
    pub hosts: BTreeSet<Name>,
}

impl Owner {
    pub fn of(fleet: &Fleet) -> Owner {
        let path = fleet.app.as_ref().map(|app| app.path.to_string());
        Owner { v: 1, path, hosts: fleet.hosts.iter().map(|host| host.address().into()).collect() }
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("an owner is plain data")
    }

    /// Returns whether both belong to one project: hosts come and go, but not all of them at once.
    pub fn is_same(&self, other: &Owner) -> bool {
        self.path == other.path && !self.hosts.is_disjoint(&other.hosts)
    }
}

/// Prints the file that names a state folder's owner.
const READ: &str = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
cd -P "$folder" 2>/dev/null || exit 0
if [ -f project ] && [ ! -L project ]; then head -c 1000000 project; fi"#;

/// Replaces that file.
const WRITE: &str = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
umask 077
cd -P "$folder" && [ -O . ] && printf '%s\n' "$owner" > project.new && mv -f project.new project"#;

/// Runs a script in the state folder of a fleet, on the machine that keeps its ledger; returns what it printed.
async fn there(at: &At<'_>, fleet: &Fleet, script: &str, more: Option<(String, String)>) -> Result<Vec<u8>, Failure> {
    let home = place(fleet)?;
    let balancer = fleet.balancers.iter().find(|balancer| balancer.name == home);
    let host: Option<&Host> = balancer.map(|balancer| &balancer.host).or_else(|| fleet.host(&home));
    let host = host.ok_or_else(|| Failure::failed(format!("fleet `{}` has no machine `{home}`", fleet.name)))?;
    let folder = fleet.state_folder();
    let values = [("folder".to_owned(), folder.clone())].into_iter().chain(more).collect();
    let command = Command::line(script, values).expect("a good line");
    let job = Job { timeout: Some(Duration::from_secs(20)), keep: 1 << 20, ..Job::new(&command) };
    let ended = at.real.site(&fleet.name).transport.run(host, job).await?;
    if ended.status != 0 {
        let message = format!("`{folder}/project`, which names the ledger's project, can't be used");
        return Err(Failure::new(Cause::Failed, message).on(&host.name).unchanged().help("check that folder"));
    }
    Ok(ended.out)
}

/// Reads the owner of a fleet's state folder; `None` if no run has recorded it yet.
#[derive(Clone, Serialize)]
struct ReadOwner {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

impl Read for ReadOwner {
    type Outcome = Option<Owner>;
    const NAME: &'static str = "read_owner";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("read which project the ledger of {} belongs to", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<Owner>, Failure> {
        Ok(serde_json::from_slice(&there(&at, &self.fleet, READ, None).await?).ok())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<Owner>> {
        let text = &model.state(&self.fleet.name)?.project;
        Ok(text.as_ref().and_then(|text| serde_json::from_str(text).ok()))
    }
}

/// Reads the owner of a fleet's state folder and its ledger, in one round trip.
#[derive(Clone, Serialize)]
pub struct ReadHome {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

impl ReadHome {
    fn parts(&self) -> (ReadOwner, ReadLedger) {
        (ReadOwner { fleet: self.fleet.clone() }, ReadLedger { fleet: self.fleet.clone() })
    }
}

impl Read for ReadHome {
    type Outcome = (Option<Owner>, Arc<Book>);
    const NAME: &'static str = "read_home";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("read the ledger of {}, and which project it belongs to", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(Option<Owner>, Arc<Book>), Failure> {
        let (owner, ledger) = self.parts();
        let (owner, book) = join(Effect::carry_out(&owner, at), Effect::carry_out(&ledger, at)).await;
        Ok((owner?, book?))
    }

    fn predict(&self, model: &mut Model) -> Predicted<(Option<Owner>, Arc<Book>)> {
        let (owner, ledger) = self.parts();
        Ok((Effect::predict(&owner, model)?, Effect::predict(&ledger, model)?))
    }
}

/// Records the owner of a fleet's state folder. Needs the lock.
#[derive(Clone, Serialize)]
pub struct RecordOwner {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

impl Effect for RecordOwner {
    type Outcome = ();
    const NAME: &'static str = "owner";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("write down which project the ledger of {} belongs to", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        there(&at, &self.fleet, WRITE, Some(("owner".to_owned(), Owner::of(&self.fleet).text()))).await.map(drop)
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        model.state(&self.fleet.name)?.project = Some(Owner::of(&self.fleet).text());
        Ok(())
    }
}

/// Returns the refusal of a state folder that another project's fleet of the same name uses.
pub fn foreign(fleet: &Fleet, owner: &Owner) -> Failure {
    let home = place(fleet).unwrap_or_default();
    let folder = fleet.state_folder();
    let of = owner.path.as_ref().map(|path| format!(" (`{path}` on its hosts)")).unwrap_or_default();
    let message =
        format!("`{folder}` on `{home}` has the lock and the ledger of another project's fleet `{}`{of}", fleet.name);
    let own = format!("{}-{}", fleet.state, own_word(fleet));
    Failure::refused(message).unchanged().help(format!(
        "keep the two apart: write `state = \"{own}\"` as the first line of this fleet's file. \
         If this is the same project with other hosts or another `path`, remove `{folder}/project` there"
    ))
}

/// Returns a word for this project's own folder.
fn own_word(fleet: &Fleet) -> String {
    let of_path = fleet.app.as_ref().and_then(|app| app.path.rsplit('/').next().map(str::to_owned));
    let word: String = of_path.unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    if word.is_empty() { "own".to_owned() } else { word.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(path: Option<&str>, hosts: &[&str]) -> Owner {
        Owner { v: 1, path: path.map(str::to_owned), hosts: hosts.iter().map(|host| (*host).into()).collect() }
    }

    #[test]
    fn a_project_is_known_by_where_its_app_is_and_by_any_of_its_hosts() {
        let known = owner(Some("/srv/shop"), &["web1", "web2"]);
        for (other, same) in [
            (owner(Some("/srv/shop"), &["web1", "web2"]), true),
            (owner(Some("/srv/shop"), &["web2", "web3", "web4"]), true),
            (owner(Some("/srv/shop"), &["app1", "app2"]), false),
            (owner(Some("/srv/blog"), &["web1", "web2"]), false),
            (owner(None, &["web1"]), false),
        ] {
            assert_eq!((known.is_same(&other), other.is_same(&known)), (same, same), "{other:?}");
        }
        assert!(owner(None, &["db1"]).is_same(&owner(None, &["db1", "db2"])));
    }
}
