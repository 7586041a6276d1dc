//! Modules: `std/…` embedded, all others from files below the fabfile's folder.
use super::{
    RhaiResultOf,
    constants::{self, Constants},
    stdlib, thrown,
    thrown::parse_failure,
};
use crate::failure::{Failure, Reason};
use rhai::{AST, Dynamic, Engine, EvalAltResult, Module, Position, Scope, Shared as Rc};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// What may be imported, what was, and what is being so now.
pub struct Resolver {
    folder: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    modules: BTreeMap<String, Rc<Module>>,
    asts: BTreeMap<String, AST>,
    texts: BTreeMap<String, String>,
    constants: BTreeMap<String, Constants>,
    /// Outermost first.
    importing: Vec<String>,
}

/// The deepest that modules may import each other, and the most of them.
const DEEPEST: usize = 16;
const MOST: usize = 64;
const LARGEST: u64 = 1 << 20;

impl Resolver {
    /// A resolver for the project in this folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), known: Mutex::default() }
    }

    /// Makes the fabfile's text and constants known under the name ``, which errors in it carry.
    pub fn know(&self, source: &str, text: &str, ast: &AST) {
        let mut known = self.known.lock().unwrap();
        known.texts.insert(source.to_owned(), text.to_owned());
        known.constants.insert(source.to_owned(), constants::of(ast));
    }

    /// The text of a file that was read.
    pub fn text(&self, source: &str) -> Option<String> {
        self.known.lock().unwrap().texts.get(source).cloned()
    }

    /// A literal constant of a file.
    pub fn constant(&self, source: &str, name: &str) -> Option<Dynamic> {
        self.known.lock().unwrap().constants.get(source)?.get(name).cloned()
    }

    /// The compiled text of a module, for whoever looks for tasks or forbidden calls in it.
    pub fn ast(&self, engine: &Engine, name: &str) -> Result<AST, Failure> {
        if let Some(ast) = self.known.lock().unwrap().asts.get(name) {
            return Ok(ast.clone());
        }
        let text = self.read(name)?;
        let mut known = self.known.lock().unwrap();
        if known.asts.len() >= MOST {
            return Err(Failure::new(Reason::Fabfile, format!("more than {MOST} modules are imported")));
        }
        known.texts.insert(name.to_owned(), text.clone());
        drop(known);
        let mut ast = engine.compile(&text).map_err(|e| {
            let at = e.position().line().map(|l| format!(" at line {l}")).unwrap_or_default();
            let failure = parse_failure(&e);
            Failure { message: format!("module `{name}` does not compile{at}: {}", failure.message), ..failure }
        })?;
        ast.set_source(name);
        let mut known = self.known.lock().unwrap();
        known.constants.insert(name.to_owned(), constants::of(&ast));
        known.asts.insert(name.to_owned(), ast.clone());
        Ok(ast)
    }

    fn read(&self, name: &str) -> Result<String, Failure> {
        let refused = |why: &str| Failure::new(Reason::Fabfile, format!("module `{name}` {why}"));
        if name.starts_with("std/") {
            let all: Vec<&str> = stdlib::MODULES.iter().map(|(n, _)| *n).collect();
            return stdlib::text(name)
                .map(str::to_owned)
                .ok_or_else(|| refused("is not in the stdlib").help(format!("there are {}", all.join(", "))));
        }
        let good = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !name.split('/').all(good) {
            return Err(refused("has a bad name").help("use a-z, 0-9 and _, with / between folders, and no `.rhai`"));
        }
        let file = self.folder.join(format!("{name}.rhai"));
        let real = file
            .canonicalize()
            .map_err(|_| refused("is not there").help(format!("there is no `{name}.rhai` beside the fabfile")))?;
        let folder = self.folder.canonicalize().map_err(|e| refused(&format!("cannot be looked for: {e}")))?;
        if !real.starts_with(&folder) {
            return Err(refused("leads out of the fabfile's folder"));
        }
        let size = fs::metadata(&real).map_err(|e| refused(&format!("cannot be read: {e}")))?.len();
        if size > LARGEST {
            return Err(refused("is larger than 1 MiB"));
        }
        crate::fabfile::owned_well(&real)?;
        fs::read_to_string(&real).map_err(|e| refused(&format!("cannot be read: {e}")))
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
                return Err(thrown(Failure::new(Reason::Fabfile, message)));
            }
            if known.importing.len() >= DEEPEST {
                let message = format!("modules import each other more than {DEEPEST} deep");
                return Err(thrown(Failure::new(Reason::Fabfile, message)));
            }
            known.importing.push(name.to_owned());
        }
        let module = self.ast(engine, name).map_err(thrown).and_then(|ast| {
            let module = Module::eval_ast_as_new(Scope::new(), &ast, engine)?;
            Ok(Rc::new(module))
        });
        let mut known = self.known.lock().unwrap();
        known.importing.pop();
        if let Ok(module) = &module {
            known.modules.insert(name.to_owned(), module.clone());
        }
        module
    }
}

/// The resolver as the engine holds it.
pub struct Shared(pub Arc<Resolver>);

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
