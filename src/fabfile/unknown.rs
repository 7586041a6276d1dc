//! Finds calls that can only fail: the function doesn't exist, or doesn't take that many arguments.
use super::tasks;
use crate::{
    docs,
    failure::{Cause, Failure},
    misspelled::{nearest, question},
    script::{Resolver, hints},
};
use rhai::{AST, ASTNode, Engine, Expr, FnAccess, FnCallExpr, Position, Stmt};
use std::collections::{BTreeMap, BTreeSet};

/// How many arguments each function takes, by namespace and name: `note` in `ui`, `run` in ``.
type Counts = BTreeMap<(String, String), BTreeSet<usize>>;

/// The functions that a file can call.
struct KnownFunctions {
    primitives: Counts,
    /// Functions of the file itself.
    own: Counts,
    /// Functions of the modules that it imports, by alias.
    modules: Counts,
    /// Names that a map may hold a closure under.
    properties: BTreeSet<String>,
}

/// A call, as it can be read without running it.
struct FunctionCall<'a> {
    namespace: String,
    name: &'a str,
    arguments: usize,
    /// Whether it's called on a value, as in `host.run(…)`. The value isn't one of the arguments.
    method: bool,
    at: Position,
}

/// Functions that every script may call although they aren't registered.
const SYNTAX: [&str; 7] = ["Fn", "call", "curry", "type_of", "is_def_fn", "is_def_var", "is_shared"];

/// Refuses a file of the project that calls a function that doesn't exist.
///
/// It allows a method that is a key of one of the file's maps, and all calls that only Rhai can resolve.
pub(super) fn refuse(engine: &Engine, resolver: &Resolver, source: &str, ast: &AST) -> Result<(), Failure> {
    let known = KnownFunctions {
        primitives: primitives(engine),
        own: of_file("", ast, false),
        modules: of_modules(engine, resolver, ast)?,
        properties: properties(ast),
    };
    let mut wrong = None;
    ast.walk(&mut |path| {
        if let Some(call) = path.last().and_then(call) {
            wrong = known.wrong(&call).map(|failure| (failure, call.at));
        }
        wrong.is_none()
    });
    match wrong {
        Some((failure, at)) => Err(resolver.place(source, at).into_iter().fold(failure, Failure::at)),
        None => Ok(()),
    }
}

impl KnownFunctions {
    fn wrong(&self, call: &FunctionCall) -> Option<Failure> {
        if call.namespace.contains("::") || SYNTAX.contains(&call.name) {
            return None;
        }
        let key = (call.namespace.clone(), call.name.to_owned());
        let all = if call.namespace.is_empty() {
            [(&self.own, 0), (&self.primitives, usize::from(call.method))]
        } else {
            [(&self.modules, 0), (&self.primitives, 0)]
        };
        // A primitive counts the value that a method is called on as a parameter.
        let counts: BTreeSet<usize> = all
            .iter()
            .flat_map(|(counts, of_value)| {
                counts.get(&key).into_iter().flatten().filter_map(move |n| n.checked_sub(*of_value))
            })
            .collect();
        if counts.contains(&call.arguments) || (call.method && self.properties.contains(call.name)) {
            return None;
        }
        let shown = match &*call.namespace {
            "" => call.name.to_owned(),
            namespace => format!("{namespace}::{}", call.name),
        };
        if !counts.is_empty() {
            let message = format!("`{shown}` takes {}, but {}", takes(&counts), given(call.arguments));
            let failure = Failure::new(Cause::Fabfile, message);
            let written = docs::written(&shown).map(|written| format!("usage:\n{written}"));
            let help = written.or_else(|| hints::function(&shown).map(str::to_owned));
            return Some(help.into_iter().fold(failure, Failure::help));
        }
        if !call.namespace.is_empty() && !all.iter().any(|(counts, _)| counts.keys().any(|(n, _)| *n == call.namespace))
        {
            return None;
        }
        let names = all.iter().flat_map(|(counts, _)| counts.keys());
        let names = names.filter(|(namespace, _)| *namespace == call.namespace).map(|(_, name)| &**name);
        let failure = Failure::new(Cause::Fabfile, format!("there is no function `{shown}`"));
        if let Some(hint) = hints::function(call.name).filter(|_| call.namespace.is_empty()) {
            return Some(failure.help(hint));
        }
        Some(match nearest(call.name, names) {
            Some(near) => {
                let near = shown.strip_suffix(call.name).unwrap_or_default().to_owned() + near;
                let written = docs::written(&near).map(|written| format!("\n{written}")).unwrap_or_default();
                failure.help(question(&[&near]).unwrap_or_default() + &*written)
            }
            None => failure.help("`rfab --docs` lists what a script can call"),
        })
    }
}

fn call<'a>(node: &'a ASTNode) -> Option<FunctionCall<'a>> {
    let of = |call: &'a FnCallExpr, at: Position, method: bool| {
        let path: Vec<&str> = call.namespace.path.iter().map(|part| part.as_str()).collect();
        let named = call.op_token.is_none() && call.name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let (namespace, name, arguments) = (path.join("::"), &*call.name, call.args.len());
        (named && !name.starts_with("anon$")).then_some(FunctionCall { namespace, name, arguments, method, at })
    };
    match node {
        ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at)) => of(call, *at, false),
        ASTNode::Expr(Expr::MethodCall(call, at)) => of(call, *at, true),
        _ => None,
    }
}

fn primitives(engine: &Engine) -> Counts {
    let all = engine.collect_fn_metadata(
        None,
        |info| Some((info.namespace.to_string(), info.metadata.name.to_string(), info.metadata.num_params)),
        true,
    );
    let mut counts = Counts::new();
    for (namespace, name, parameters) in all {
        counts.entry((namespace, name)).or_default().insert(parameters);
    }
    counts
}

fn of_file(alias: &str, ast: &AST, from_outside: bool) -> Counts {
    let mut counts = Counts::new();
    for function in ast.iter_functions().filter(|f| !from_outside || f.access == FnAccess::Public) {
        counts.entry((alias.to_owned(), function.name.to_owned())).or_default().insert(function.params.len());
    }
    counts
}

fn of_modules(engine: &Engine, resolver: &Resolver, ast: &AST) -> Result<Counts, Failure> {
    let mut counts = Counts::new();
    for import in tasks::imports(ast) {
        if let Some(alias) = import.alias {
            for (name, takes) in of_file(&alias, &resolver.ast(engine, &import.name)?, true) {
                counts.entry(name).or_default().extend(takes);
            }
        }
    }
    Ok(counts)
}

/// Lists the keys of the file's maps, and the properties that it reads or sets with a dot.
fn properties(ast: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Map(map, _))) => names.extend(map.0.iter().map(|(key, _)| key.name.to_string())),
            Some(ASTNode::Expr(Expr::Property(property, _))) => _ = names.insert(property.2.to_string()),
            Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                if let Some(map) = value.read_lock::<rhai::Map>() {
                    names.extend(map.keys().map(ToString::to_string));
                }
            }
            _ => {}
        }
        true
    });
    names
}

fn takes(counts: &BTreeSet<usize>) -> String {
    let all: Vec<String> = counts.iter().map(usize::to_string).collect();
    match &all[..] {
        [none] if none == "0" => "no arguments".to_owned(),
        [one] if one == "1" => "1 argument".to_owned(),
        all => format!("{} arguments", all.join(" or ")),
    }
}

fn given(arguments: usize) -> String {
    match arguments {
        0 => "none is given".to_owned(),
        1 => "1 is given".to_owned(),
        more => format!("{more} are given"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api, script};
    use std::{path::Path, sync::Arc};

    fn wrong(text: &str) -> Option<String> {
        let resolver = Arc::new(Resolver::new(Path::new("/"), "fabfile.rhai"));
        let engine = script::engine(resolver.clone(), Arc::default(), api::register);
        let ast = resolver.fabfile(&engine, text).unwrap();
        refuse(&engine, &resolver, "", &ast).err().map(|failure| failure.message)
    }

    #[test]
    fn the_stdlib_calls_only_what_there_is() {
        let resolver = Arc::new(Resolver::new(Path::new("/"), "fabfile.rhai"));
        let engine = script::engine(resolver.clone(), Arc::default(), api::register);
        for (name, _) in script::stdlib::MODULES {
            let ast = resolver.ast(&engine, name).unwrap();
            let found = refuse(&engine, &resolver, name, &ast);
            assert!(found.is_ok(), "{name}: {found:?}");
        }
    }

    #[test]
    fn calls_that_can_only_fail_are_refused_wherever_they_stand() {
        for (text, why) in [
            ("fn f() { nothing(1) }", "there is no function `nothing`"),
            ("fn f() { if true { for x in 0..3 { nothing() } } }", "there is no function `nothing`"),
            ("fn f() { targets().parallel(|host| host.rnu(\"x\")) }", "there is no function `rnu`"),
            ("fn f() { g(1) } private fn g(a, b) { }", "`g` takes 2 arguments, but 1 is given"),
            ("fn f() { clock::wait() }", "`clock::wait` takes 1 argument, but none is given"),
            ("import \"std/proxy\" as p; fn f() { p::pool() }", "there is no function `p::pool`"),
            ("import \"std/proxy\" as p; fn f() { p::only() }", "`p::only` takes 1 argument, but none is given"),
        ] {
            assert_eq!(wrong(text).as_deref(), Some(why), "{text}");
        }
    }

    #[test]
    fn what_only_rhai_can_know_is_let_through() {
        for text in [
            "fn f() { let m = #{ run_it: |x| x }; m.run_it(1) }",
            "fn f() { let m = #{}; m.later = |x| x; m.later(1) }",
            "fn f() { let g = |x| x; g.call(1); g.curry(2).call(); Fn(\"f\").call(); type_of(g) }",
            "fn double() { this * 2 } fn f() { let x = 3; x.double() }",
            "fn f(a) { [1, 2].map(|x| x + 1).filter(|x| x > 1).reduce(|s, x| s + x, 0); a[0] += 1; -a.len() }",
            "fn f(s) { s.to_upper() + s.sub_string(1, 2) + `${s}` + s.len }",
        ] {
            assert_eq!(wrong(text), None, "{text}");
        }
    }
}
