//! Loads a project: compiles its fabfile and checks it before rfab connects to any host.
use super::{
    Signature, find, keys, locking,
    tasks::{self, Import},
    unknown,
};
use crate::{
    api,
    failure::{Cause, Failure},
    fleet::Set,
    script::{Meter, Resolver, Script, engine, stdlib},
};
use rhai::{AST, Engine};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The options of the command line about fleets and hosts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub set: Vec<Set>,
    pub limit: Option<String>,
    pub exclude: Vec<String>,
}

/// A fabfile with its tasks.
pub struct Project {
    pub file: PathBuf,
    pub script: Arc<Script>,
    pub tasks: Vec<Signature>,
}

/// Compiles a fabfile and the modules of its project, and refuses what a script may not contain.
///
/// Fails with `Fabfile`, which points at the place that is wrong.
pub fn load(file: &Path, options: Options) -> Result<Project, Failure> {
    find::trusted(file)?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|e| unreadable(file, &e))?;
    let text = fs::read_to_string(file).map_err(|e| unreadable(file, &e))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let resolver = Arc::new(Resolver::new(&folder, &name));
    let meter = Arc::new(Meter::default());
    let engine = engine(resolver.clone(), meter.clone(), api::register);
    let ast = resolver.fabfile(&engine, &text).map_err(|failure| {
        if foreign(&name) {
            failure.help("write a fabfile in Rhai, such as `fabfile.rhai`; this file is another tool's")
        } else {
            failure
        }
    })?;
    let mut seen = BTreeSet::new();
    imported(&engine, &resolver, "", &ast, &mut seen)?;
    let tasks = tasks::of(&ast, &engine, &resolver)?;
    let default_targets = resolver.constant("", "default_targets").and_then(|d| d.into_string().ok());
    let Options { set, limit, exclude } = options;
    let script =
        Script { engine: Arc::new(engine), ast, resolver, meter, default_targets, folder, set, limit, exclude };
    Ok(Project { file: file.to_owned(), script: Arc::new(script), tasks })
}

impl Project {
    /// Returns whether a function of it takes a lock, as far as its text shows it. It runs nothing.
    pub fn asks_for_lock(&self, function: &str) -> bool {
        locking::asks_for_lock(&self.script, function)
    }

    /// Refuses calls of unknown functions, and keys that nothing reads, in the fabfile and its modules; runs nothing.
    pub fn check(&self) -> Result<(), Failure> {
        let Script { engine, ast, resolver, .. } = &*self.script;
        let refuse = |name: &str, ast: &AST| {
            unknown::refuse(engine, resolver, name, ast)?;
            keys::refuse(engine, resolver, name, ast)
        };
        refuse("", ast)?;
        resolver.project().iter().try_for_each(|(name, ast)| refuse(name, ast))
    }
}

/// Compiles the modules of the project that a file imports, and their imports. The stdlib compiles at first use.
fn imported(
    engine: &Engine,
    resolver: &Resolver,
    source: &str,
    ast: &AST,
    seen: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    for Import { name, at, .. } in tasks::imports(ast) {
        if stdlib::text(&name).is_some() || !seen.insert(name.clone()) {
            continue;
        }
        let compiled = resolver.ast(engine, &name).map_err(|failure| match resolver.place(source, at) {
            Some(place) if failure.places.is_empty() => failure.at(place),
            Some(place) => failure.at(place.labelled("imported here")),
            None => failure,
        })?;
        imported(engine, resolver, &name, &compiled, seen)?;
    }
    Ok(())
}

/// Returns whether a file's name shows that it belongs to another tool.
fn foreign(name: &str) -> bool {
    let names = ["Capfile", "Rakefile", "Makefile", "Envoy.blade.php", "justfile", "Fabfile"];
    let endings = ["py", "rb", "php", "js", "ts", "pl", "sh", "yml", "yaml", "toml", "json"];
    names.contains(&name) || name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

fn unreadable(file: &Path, e: &std::io::Error) -> Failure {
    Failure::new(Cause::Fabfile, format!("`{}` can't be read: {e}", file.display())).help("name another with `-f FILE`")
}
