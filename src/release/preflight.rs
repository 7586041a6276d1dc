//! Checks whether a host can be deployed to, before anything is changed anywhere.
use super::{
    Home, ReadReleases, ReleaseError,
    answer::{AnswerLines, text},
    on_host::{id, on, plain, run},
    program::Program,
    tree::linked,
};
use crate::{
    command::Command,
    control::shown,
    effect::*,
    failure::Failure,
    fleet::{Fleet, TreeRules},
    git::{Repository, app},
    host::Host,
    model::{Commit, Model, Predicted},
    port::Ended,
    remote::trace,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Finds everything that would keep a release from being staged: missing tools, folders, rights and linked files.
#[derive(Clone, Debug, Serialize)]
pub struct Preflight {
    pub host: Host,
    pub home: Home,
    /// The app's repository.
    pub repository: String,
    #[serde(flatten)]
    pub rules: TreeRules,
    /// The commit to deploy, if it is known: it determines which linked names are files.
    pub commit: Option<Commit>,
}

impl Preflight {
    /// Makes the check of a fleet's host; `Fabfile` when the fleet has no app.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        let (home, app) = (Home::of(fleet, host)?, app(fleet)?);
        let (repository, rules) = (app.repository.clone(), app.rules.clone());
        Ok(Self { host: host.clone(), home, repository, rules, commit: None })
    }

    /// Returns the linked names that are files; none while the commit is unknown.
    fn files(&self, mirrors: &Path) -> Vec<String> {
        let (Some(commit), false) = (&self.commit, self.rules.linked.is_empty()) else { return Vec::new() };
        let repository = Repository::locate(&self.repository, mirrors);
        repository.map(|repository| linked::files(&repository, commit, &self.rules)).unwrap_or_default()
    }
}

impl Read for Preflight {
    type Outcome = PreflightProblems;
    const NAME: &'static str = "preflight";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        "check whether it can be deployed to".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<PreflightProblems, Failure> {
        let files = self.files(&at.real.cache.join("mirrors"));
        let host = &self.host;
        // What is checked before a deploy comes before its lock.
        at.real.site(&host.fleet).coordinator.foresee();
        let command = preflight(&self.home.path, &files).map_err(on(host))?;
        // Who asks next shares the listing. If it fails, they read it again.
        let listing = ReadReleases { host: host.clone(), home: self.home.clone() };
        let (ended, state, _) = tokio::join!(
            run(&at, host, &self.home.user, plain(&command)),
            unwritable_state(&at, host),
            Effect::carry_out(&listing, at)
        );
        let mut lacks = preflighted(&ended?).map_err(on(host))?;
        lacks.problems.extend(state?);
        Ok(lacks)
    }

    fn predict(&self, model: &mut Model) -> Predicted<PreflightProblems> {
        let commit = self.commit.as_ref().map(|commit| model.prepared.stand_in(commit).into());
        let files = Preflight { commit, ..self.clone() }.files(Path::new("/nonexistent"));
        let machine = model.machine(&self.host)?;
        let mut lacks = PreflightProblems::default();
        if !*machine.set_up.get("whether it is set up")? {
            lacks.problems.push("the app's folders don't exist yet".to_owned());
        }
        // A host with a current release has all linked files.
        if machine.current.get("its current release")?.is_none() {
            let there = |file: &String| {
                let path = format!("{}/shared/{file}", self.home.path);
                let fact = machine.files.get(&path);
                machine.folders.contains(&path) || fact.is_some_and(|fact| matches!(fact.get("a file"), Ok(Some(_))))
            };
            lacks.files = files.into_iter().filter(|file| !there(file)).collect();
        }
        Ok(lacks)
    }
}

/// Returns why the login user can't write to the folder in which each later call leaves its trace.
async fn unwritable_state(at: &At<'_>, host: &Host) -> Result<Option<String>, Failure> {
    let folder = trace(&at.real.site(&host.fleet).fleet.state, &host.fleet, at.lane.run(), at.id).folder;
    let line = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
umask 077
mkdir -p "$folder" && date > "$folder/$id" && rm -f "$folder/$id""#;
    let values = vec![("folder".to_owned(), folder.clone()), ("id".to_owned(), format!("preflight-{}", id(at)))];
    let command = Command::line(line, values).expect("a good line");
    let ended = run(at, host, &None, plain(&command)).await?;
    Ok((ended.status != 0).then(|| {
        let said = String::from_utf8_lossy(&ended.err);
        let why = said.lines().last().and_then(|line| line.rsplit_once(": ")).map_or("", |(_, why)| why);
        format!(
            "its login user can't write to the state folder `{folder}` ({}): fix that, or name another one as `state` \
             in the fleet file",
            why.to_lowercase()
        )
    }))
}

/// Makes the command that finds everything that would keep a release from being staged; it changes nothing.
pub(super) fn preflight(path: &str, files: &[String]) -> Result<Command, ReleaseError> {
    Program::Preflight.command(path, files)
}

/// What keeps a release from being staged on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightProblems {
    /// Problems, worded for people.
    pub problems: Vec<String>,
    /// Linked files that are missing in `shared/`.
    pub files: Vec<String>,
}

/// Reads the answer of `preflight`.
pub(super) fn preflighted(ended: &Ended) -> Result<PreflightProblems, ReleaseError> {
    let mut lacks = PreflightProblems::default();
    let (lines, mut folders) = match AnswerLines::of(Program::Preflight, ended) {
        Err(ReleaseError::NotSetUp(_)) => {
            lacks.problems.push("the app's folders don't exist yet".to_owned());
            let out = String::from_utf8_lossy(&ended.out);
            lacks.files = out.lines().filter_map(|line| text(line.strip_prefix("lacks-file ")?)).collect();
            return Ok(lacks);
        }
        lines => (lines?, false),
    };
    let problems = lines.each(|word, rest| match (word, rest) {
        ("lacks-tool", [tool]) => Some(format!("it has no `{}`", shown(tool))),
        ("lacks-file", [file]) => {
            lacks.files.push(text(file)?);
            Some(String::new())
        }
        ("lacks-folder", [_]) if folders => Some(String::new()),
        ("lacks-folder", [_]) => {
            folders = true;
            Some("the app's folders don't exist yet".to_owned())
        }
        ("unwritable", [folder]) => Some(format!("the app's user can't write to `{}`", shown(folder))),
        _ => None,
    })?;
    lacks.problems = problems.into_iter().filter(|problem| !problem.is_empty()).collect();
    Ok(lacks)
}
