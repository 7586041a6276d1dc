//! Modules: `std/…` is embedded, all others are files inside the fabfile's folder.
use super::{
    RhaiResultOf,
    constants::{self, Constants},
    forbidden,
    home::FileScope,
    required_version, stdlib, thrown,
    thrown::parse_failure,
    unfilled,
};
use crate::{
    failure::{Cause, Excerpt, Failure},
    misspelled::did_you_mean,
};
use rhai::{AST, Dynamic, Engine, EvalAltResult, Module, ParseErrorType, Position, Shared as Rc};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// The files of a project that were read, and the imports in progress.
pub struct Resolver {
    folder: PathBuf,
    /// The fabfile's name, for people.
    fabfile: String,
    known: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    modules: BTreeMap<String, Rc<Module>>,
    asts: BTreeMap<String, AST>,
    texts: BTreeMap<String, String>,
    constants: BTreeMap<String, Constants>,
    /// The literal lines for shells in all files.
    lines: BTreeSet<String>,
    /// The imports in progress, outermost first.
    importing: Vec<String>,
}

/// The deepest nesting of imports; below, the most modules, and the largest file in bytes.
const DEEPEST: usize = 16;
const MOST: usize = 64;
const LARGEST: u64 = 1 << 20;

impl Resolver {
    /// Makes the resolver for the project in a folder; `fabfile` is the fabfile's name.
    pub fn new(folder: &Path, fabfile: &str) -> Self {
        Self { folder: folder.to_owned(), fabfile: fabfile.to_owned(), known: Mutex::default() }
    }

    /// Compiles the fabfile. In its errors, the source is the empty string.
    ///
    /// `Fabfile`, with the place, if the text doesn't compile or contains what no script may contain.
    pub fn fabfile(&self, engine: &Engine, text: &str) -> Result<AST, Failure> {
        self.compile(engine, "", text.to_owned())
    }

    /// Returns the text of a file that was read.
    pub fn text(&self, source: &str) -> Option<String> {
        self.known.lock().unwrap().texts.get(source).cloned()
    }

    /// Returns a file's name, for people.
    pub fn shown(&self, source: &str) -> String {
        match source {
            "" => self.fabfile.clone(),
            std if std.starts_with("std/") => std.to_owned(),
            module => format!("{module}.rhai"),
        }
    }

    /// Returns a literal constant of a file.
    pub fn constant(&self, source: &str, name: &str) -> Option<Dynamic> {
        self.known.lock().unwrap().constants.get(source)?.get(name).cloned()
    }

    /// Refuses a line for a shell that isn't a literal in any file, however it was made.
    pub fn written(&self, line: &str) -> Result<(), Failure> {
        let written = self.known.lock().unwrap().lines.contains(line);
        let refused = || Failure::new(Cause::Fabfile, forbidden::NOT_WRITTEN).help(forbidden::AS_VARIABLES);
        if written { Ok(()) } else { Err(refused()) }
    }

    /// Returns a place in a file that was read, as a report shows it.
    pub fn place(&self, source: &str, at: Position) -> Option<Excerpt> {
        let text = self.text(source)?;
        Some(Excerpt::word(&self.shown(source), &text, at.line()?, at.position().unwrap_or(1)))
    }

    /// Returns a module's compiled text, in which tasks and calls can be found.
    ///
    /// `Fabfile`, with the place, if the text doesn't compile or contains what no script may contain.
    pub fn ast(&self, engine: &Engine, name: &str) -> Result<AST, Failure> {
        let known = self.known.lock().unwrap();
        if let Some(ast) = known.asts.get(name) {
            return Ok(ast.clone());
        }
        if known.asts.len() >= MOST {
            return Err(Failure::new(Cause::Fabfile, format!("more than {MOST} modules are imported")));
        }
        drop(known);
        let ast = self.compile(engine, name, self.read(name)?)?;
        self.known.lock().unwrap().asts.insert(name.to_owned(), ast.clone());
        Ok(ast)
    }

    /// Returns the project's modules that were compiled, by name.
    pub fn project(&self) -> BTreeMap<String, AST> {
        let known = self.known.lock().unwrap();
        known
            .asts
            .iter()
            .filter(|(name, _)| !name.starts_with("std/"))
            .map(|(n, ast)| (n.clone(), ast.clone()))
            .collect()
    }

    /// Returns the sha256 of each of the project's modules that were read, by name.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let known = self.known.lock().unwrap();
        let ours = known.texts.iter().filter(|(name, _)| !name.is_empty() && !name.starts_with("std/"));
        ours.map(|(name, text)| (name.clone(), hex::encode(Sha256::digest(text)))).collect()
    }

    /// Runs the top level of a compiled file; returns what the file's functions see.
    pub fn home(&self, engine: &Engine, ast: &AST) -> RhaiResultOf<(FileScope, Module)> {
        let constants = self.known.lock().unwrap().constants.get(ast.source().unwrap_or_default()).cloned();
        FileScope::of(engine, ast, constants.unwrap_or_default())
    }

    fn compile(&self, engine: &Engine, source: &str, text: String) -> Result<AST, Failure> {
        self.known.lock().unwrap().texts.insert(source.to_owned(), text.clone());
        required_version::refuse(&self.shown(source), &text)?;
        let here = |failure: Failure, at| match self.place(source, at) {
            Some(place) => failure.at(place),
            None => failure,
        };
        let compiled = engine.compile_with_scope(&constants::names(&text), &text);
        let mut ast = compiled.map_err(|e| {
            let mut failure = here(parse_failure(&e, &text, &namespaces(engine)), e.position());
            if matches!(e.err_type(), ParseErrorType::MissingToken(..)) {
                failure.places.iter_mut().for_each(|place| place.label = "before this".to_owned());
            }
            failure
        })?;
        ast.set_source(source);
        if let Some(found) = forbidden::find(&ast).or_else(|| unfilled::find(&ast)) {
            return Err(here(Failure::new(Cause::Fabfile, found.message).help(found.help), found.at));
        }
        let mut known = self.known.lock().unwrap();
        known.constants.insert(source.to_owned(), constants::of(&ast));
        known.lines.extend(forbidden::lines(&ast));
        Ok(ast)
    }

    fn read(&self, name: &str) -> Result<String, Failure> {
        let refused = |why: &str| Failure::new(Cause::Fabfile, format!("module `{name}` {why}"));
        if name.starts_with("std/") {
            let all: Vec<&str> = stdlib::MODULES.iter().map(|(n, _)| *n).collect();
            return stdlib::text(name).map(str::to_owned).ok_or_else(|| {
                let near = did_you_mean(name, all.iter().copied());
                refused("isn't in the stdlib").help(near.unwrap_or(format!("there are {}", all.join(", "))))
            });
        }
        let good = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !name.split('/').all(good) {
            return Err(refused("has a bad name").help("use a-z, 0-9 and _, with / between folders, and no `.rhai`"));
        }
        let file = self.folder.join(format!("{name}.rhai"));
        let real = file.canonicalize().map_err(|_| {
            let near = did_you_mean(name, self.beside(name).iter().map(String::as_str));
            let none = || format!("there is no `{name}.rhai` beside the fabfile");
            refused("isn't there").help(near.unwrap_or_else(none))
        })?;
        let folder = self.folder.canonicalize().map_err(|e| refused(&format!("can't be looked for: {e}")))?;
        if !real.starts_with(&folder) {
            return Err(refused("points outside the fabfile's folder"));
        }
        let size = fs::metadata(&real).map_err(|e| refused(&format!("can't be read: {e}")))?.len();
        if size > LARGEST {
            return Err(refused("is larger than 1 MiB"));
        }
        super::owned_well(&real)?;
        fs::read_to_string(&real).map_err(|e| refused(&format!("can't be read: {e}")))
    }

    /// Returns the modules in the folder that should contain a module.
    fn beside(&self, name: &str) -> Vec<String> {
        let above = name.rsplit_once('/').map_or(String::new(), |(above, _)| format!("{above}/"));
        let files = fs::read_dir(self.folder.join(&above)).into_iter().flatten().flatten();
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        let own = names.filter_map(|file| Some(format!("{above}{}", file.strip_suffix(".rhai")?)));
        let fabfile = self.fabfile.trim_end_matches(".rhai");
        let mut all: Vec<String> = own.filter(|name| name != fabfile).collect();
        all.sort();
        all
    }

    fn resolve(&self, engine: &Engine, name: &str) -> RhaiResultOf<Rc<Module>> {
        {
            let mut known = self.known.lock().unwrap();
            if let Some(module) = known.modules.get(name) {
                return Ok(module.clone());
            }
            if known.importing.iter().any(|n| n == name) {
                let first = known.importing.iter().position(|n| n == name).unwrap_or(0);
                let mut path: Vec<&str> = known.importing[first..].iter().map(String::as_str).collect();
                path.push(name);
                let message = format!("modules import each other: {}", path.join(" → "));
                return Err(thrown(Failure::new(Cause::Fabfile, message)));
            }
            if known.importing.len() >= DEEPEST {
                let message = format!("modules import each other more than {DEEPEST} deep");
                return Err(thrown(Failure::new(Cause::Fabfile, message)));
            }
            known.importing.push(name.to_owned());
        }
        let module = self.ast(engine, name).map_err(thrown).and_then(|ast| {
            let (home, ran) = self.home(engine, &ast)?;
            Ok(Rc::new(home.exports(&ast, &ran)))
        });
        let mut known = self.known.lock().unwrap();
        known.importing.pop();
        if let Ok(module) = &module {
            known.modules.insert(name.to_owned(), module.clone());
        }
        module
    }
}

/// Returns the namespaces of the primitives.
fn namespaces(engine: &Engine) -> Vec<String> {
    let mut all = engine.collect_fn_metadata(None, |info| Some(info.namespace.to_string()), false);
    all.sort();
    all.dedup();
    all
}

/// The resolver as the engine uses it.
pub(super) struct Shared(pub Arc<Resolver>);

impl rhai::ModuleResolver for Shared {
    fn resolve(&self, engine: &Engine, _: Option<&str>, path: &str, pos: Position) -> RhaiResultOf<Rc<Module>> {
        self.0.resolve(engine, path).map_err(|mut e| {
            if e.position().is_none() {
                e.set_position(pos);
            }
            match *e {
                EvalAltResult::ErrorRuntime(..) | EvalAltResult::ErrorTerminated(..) => e,
                other => Box::new(EvalAltResult::ErrorInModule(path.to_owned(), Box::new(other), pos)),
            }
        })
    }
}
