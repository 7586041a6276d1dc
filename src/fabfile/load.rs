//! A project: its fabfile compiled and checked whole, before anything is connected to.
use super::{Signature, find, forbidden, tasks};
use crate::{
    failure::{Failure, Reason},
    fleet::Set,
    script::{Resolver, Script, Spot, engine, parse_failure},
};
use rhai::{AST, Position};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What the command line says about fleets and hosts.
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

/// What is wrong with a fabfile or a module of it, and where.
#[derive(Clone, Debug)]
pub struct Wrong {
    pub failure: Failure,
    pub spot: Option<Spot>,
    /// The text of the file that the spot is in.
    pub text: String,
    /// The file's name, for people.
    pub file: String,
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Wrong { failure, spot: None, text: String::new(), file: String::new() }
    }
}

/// Compiles a fabfile and the modules of its project, and refuses what no script may say.
pub fn load(file: &Path, options: Options) -> Result<Project, Box<Wrong>> {
    let wrong = |failure: Failure| Box::new(Wrong::from(failure));
    find::trusted(file).map_err(wrong)?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|e| wrong(unreadable(file, &e)))?;
    let text = fs::read_to_string(file).map_err(|e| wrong(unreadable(file, &e)))?;
    let resolver = Arc::new(Resolver::new(&folder));
    let engine = engine(resolver.clone());
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let ast = engine.compile(&text).map_err(|e| at(parse_failure(&e), e.position(), "", &text, &name))?;
    resolver.know("", &text, &ast);
    check(&ast, "", &text, &name)?;
    for module in tasks::imports(&ast).into_values() {
        let compiled = resolver.ast(&engine, &module).map_err(wrong)?;
        let text = resolver.text(&module).unwrap_or_default();
        check(&compiled, &module, &text, &module)?;
    }
    let tasks = tasks::of(&ast, &engine, &resolver).map_err(wrong)?;
    let default_targets = resolver.constant("", "default_targets").and_then(|d| d.into_string().ok());
    let Options { set, limit, exclude } = options;
    let script = Script { engine: Arc::new(engine), ast, resolver, default_targets, folder, set, limit, exclude };
    Ok(Project { file: file.to_owned(), script: Arc::new(script), tasks })
}

fn check(ast: &AST, source: &str, text: &str, name: &str) -> Result<(), Box<Wrong>> {
    match forbidden::find(ast) {
        None => Ok(()),
        Some(found) => {
            let failure = Failure::new(Reason::Fabfile, found.message).help(found.help);
            Err(at(failure, found.at, source, text, name))
        }
    }
}

fn at(failure: Failure, at: Position, source: &str, text: &str, name: &str) -> Box<Wrong> {
    let spot = at.line().map(|line| Spot { source: source.to_owned(), line, column: at.position().unwrap_or(1) });
    Box::new(Wrong { failure, spot, text: text.to_owned(), file: name.to_owned() })
}

fn unreadable(file: &Path, e: &std::io::Error) -> Failure {
    Failure::new(Reason::Fabfile, format!("`{}` cannot be read: {e}", file.display()))
        .help("name another with `-f FILE`")
}
