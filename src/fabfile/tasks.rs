//! The tasks of a project: the public functions of the fabfile, and of the modules that it imports from its folder.
use super::{
    calls::{self, Calls},
    taken,
    task::{Overload, Signature},
};
use crate::{failure::Failure, script::Resolver};
use rhai::{AST, ASTNode, Engine, Expr, FnAccess, Position, Stmt};
use std::collections::BTreeMap;

/// A module that a file imports by a literal name.
pub(super) struct Import {
    pub alias: Option<String>,
    pub name: String,
    pub at: Position,
}

/// Lists the modules that a file imports, at any depth.
pub(super) fn imports(ast: &AST) -> Vec<Import> {
    let mut imports = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(name, at) = &import.0
        {
            let alias = Some(import.1.name.to_string()).filter(|alias| !alias.is_empty());
            imports.push(Import { alias, name: name.to_string(), at: *at });
        }
        true
    });
    imports
}

/// Lists the tasks by name, each with whether it names hosts.
pub(super) fn of(ast: &AST, engine: &Engine, resolver: &Resolver) -> Result<Vec<Signature>, Failure> {
    let mut modules: BTreeMap<String, AST> = BTreeMap::new();
    for import in imports(ast) {
        if let Some(alias) = import.alias.filter(|_| !import.name.starts_with("std/")) {
            modules.insert(alias, resolver.ast(engine, &import.name)?);
        }
    }
    let of_modules: BTreeMap<String, Calls> =
        modules.iter().map(|(alias, ast)| (alias.clone(), calls::of(ast))).collect();
    let naming = calls::reaching_fleet(&calls::of(ast), &of_modules);
    let mut tasks = functions(ast, None)?;
    for (alias, ast) in &modules {
        tasks.extend(functions(ast, Some(alias))?);
    }
    for task in &mut tasks {
        task.names_hosts = naming.contains(&task.function);
    }
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tasks)
}

fn functions(ast: &AST, module: Option<&str>) -> Result<Vec<Signature>, Failure> {
    let mut tasks: BTreeMap<String, Signature> = BTreeMap::new();
    let mut functions: Vec<_> = ast.iter_functions().filter(|f| !f.name.starts_with("anon$")).collect();
    functions.sort_by(|a, b| (a.name, a.params.len()).cmp(&(b.name, b.params.len())));
    for function in functions {
        if let Some(failure) = taken::refused(function.name).filter(|_| module.is_none()) {
            return Err(failure);
        }
        if function.access == FnAccess::Private {
            continue;
        }
        let bare = function.name.strip_suffix('_').filter(|bare| taken::is_taken(bare));
        let shown = bare.unwrap_or(function.name);
        let name = module.map_or_else(|| shown.to_owned(), |module| format!("{module}.{shown}"));
        let task = tasks.entry(function.name.to_owned()).or_insert_with(|| Signature {
            name,
            function: module.map_or_else(|| function.name.to_owned(), |m| format!("{m}::{}", function.name)),
            module: module.map(str::to_owned),
            overloads: Vec::new(),
            names_hosts: false,
            doc: String::new(),
        });
        let options = function.params.last() == Some(&"options");
        let parameters = function.params.iter().take(function.params.len() - usize::from(options));
        task.overloads.push(Overload { parameters: parameters.map(|p| p.to_string()).collect(), options });
        let doc = doc(&function.comments);
        if task.doc.is_empty() {
            task.doc = doc;
        }
    }
    Ok(tasks.into_values().collect())
}

/// Returns the text of doc comments without their slashes.
fn doc(comments: &[&str]) -> String {
    let lines = comments.iter().flat_map(|c| c.lines()).map(|l| l.trim().trim_start_matches("///").trim());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
