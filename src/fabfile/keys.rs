//! Finds keys that nothing reads, in map literals: limits of `each`, hooks, values of a command, options of a request.
use super::tasks;
use crate::{
    command::Command,
    failure::{Cause, Failure},
    fan_out::Limits,
    http::HttpRequest,
    misspelled::did_you_mean,
    script::{Resolver, hints},
};
use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, Position, Stmt};
use std::collections::BTreeSet;

/// The keys that the stdlib reads from a parameter `hooks`.
const HOOKS: [&str; 6] = ["build", "built", "prepare", "migrate", "restart", "tell"];

/// Refuses a file of the project if one of its map literals has a key that nothing reads.
pub(super) fn refuse(engine: &Engine, resolver: &Resolver, source: &str, ast: &AST) -> Result<(), Failure> {
    let hooked = hooked(engine, resolver, ast)?;
    let mut wrong = None;
    ast.walk(&mut |path| {
        if let Some((call, method)) = path.last().and_then(call) {
            wrong = limits(call, method)
                .or_else(|| values(call, method))
                .or_else(|| options(call))
                .or_else(|| hooks(call, &hooked, ast));
        }
        wrong.is_none()
    });
    match wrong {
        Some((failure, at)) => Err(resolver.place(source, at).into_iter().fold(failure, Failure::at)),
        None => Ok(()),
    }
}

type WrongKey = (Failure, Position);

fn call<'a>(node: &'a ASTNode) -> Option<(&'a FnCallExpr, bool)> {
    match node {
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => Some((call, false)),
        ASTNode::Expr(Expr::MethodCall(call, _)) => Some((call, true)),
        _ => None,
    }
}

/// Checks the limits of `each`.
fn limits(call: &FnCallExpr, method: bool) -> Option<WrongKey> {
    let given = call.args.get(usize::from(!method)).filter(|_| &*call.name == "each" && call.args.len() > 1)?;
    unread(given, &Limits::KEYS, "limit")
}

/// Returns whether a function is called in this namespace of rfab.
fn of(call: &FnCallExpr, namespace: &str) -> bool {
    call.namespace.path.len() == 1 && call.namespace.root() == namespace
}

/// Checks the options of a request: the argument after the URL, or after the body if the request has one.
fn options(call: &FnCallExpr) -> Option<WrongKey> {
    let before = match &*call.name {
        "get" | "head" | "delete" => 1,
        "post" | "put" | "patch" => 2,
        _ => return None,
    };
    let given = call.args.get(before).filter(|_| of(call, "http"))?;
    unread(given, &HttpRequest::OPTIONS, "option")
}

/// Checks that every placeholder of a command has a value, if the call holds both the command and its values.
fn values(call: &FnCallExpr, method: bool) -> Option<WrongKey> {
    if !["run", "capture", "sudo", "test"].contains(&&*call.name) {
        return None;
    }
    // The first argument is a host, unless the call is a method or runs the command on this machine.
    let host = !method && !of(call, "local");
    let mut args = call.args.iter().skip(usize::from(host));
    let (Some(Expr::StringConstant(text, at)), Some(given), None) = (args.next(), args.next(), args.next()) else {
        return None;
    };
    let keys: Vec<(String, Position)> = keys(given)?;
    let filled: Vec<(String, String)> = keys.iter().map(|(key, _)| (key.clone(), "x".to_owned())).collect();
    let error = Command::words(text, &filled).err()?;
    let crate::command::CommandError::NoValue { name } = &error else { return None };
    let near = did_you_mean(name, keys.iter().map(|(key, _)| &**key));
    let help = near.unwrap_or_else(|| format!("give it one: `#{{ {name}: … }}`"));
    Some((Failure::new(Cause::Fabfile, error.to_string()).help(help), *at))
}

/// Lists the functions of the stdlib that take hooks, as the file calls them: alias, name, and number of arguments.
fn hooked(engine: &Engine, resolver: &Resolver, ast: &AST) -> Result<BTreeSet<(String, String, usize)>, Failure> {
    let mut all = BTreeSet::new();
    for import in tasks::imports(ast).into_iter().filter(|import| import.name.starts_with("std/")) {
        let (Some(alias), module) = (import.alias, resolver.ast(engine, &import.name)?) else { continue };
        let takes = module.iter_functions().filter(|function| function.params.last() == Some(&"hooks"));
        all.extend(takes.map(|function| (alias.clone(), function.name.to_owned(), function.params.len())));
    }
    Ok(all)
}

/// Checks the hooks in a call, or in a function of the file that the call names and that has no parameters.
fn hooks(call: &FnCallExpr, hooked: &BTreeSet<(String, String, usize)>, ast: &AST) -> Option<WrongKey> {
    let alias = call.namespace.path.iter().map(|part| part.as_str()).collect::<Vec<_>>().join("::");
    if !hooked.contains(&(alias, call.name.to_string(), call.args.len())) {
        return None;
    }
    match call.args.last()? {
        Expr::FnCall(made, _) if made.args.is_empty() && made.namespace.is_empty() => {
            let mut alone = ast.clone_functions_only();
            alone.retain_functions(|_, _, name, parameters| name == made.name && parameters == 0);
            let mut wrong = None;
            alone.walk(&mut |path| {
                // The last statement of the function is its value.
                if let [ASTNode::Stmt(statement)] = path {
                    wrong = if let Stmt::Expr(value) = statement { unread(value, &HOOKS, "hook") } else { None };
                }
                true
            });
            wrong
        }
        given => unread(given, &HOOKS, "hook"),
    }
}

/// Finds the first key that nothing reads.
fn unread(given: &Expr, known: &[&str], what: &str) -> Option<WrongKey> {
    let (key, at) = keys(given)?.into_iter().find(|(key, _)| !known.contains(&&**key))?;
    let all: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    let help = did_you_mean(&key, known.iter().copied()).or(hints::key(&key).map(str::to_owned));
    let help = help.unwrap_or_else(|| format!("there are {}", all.join(", ")));
    Some((Failure::new(Cause::Fabfile, format!("there is no {what} `{key}`")).help(help), at))
}

/// Lists the keys of a map literal. Each has its own position if the parser keeps it, otherwise the map's.
fn keys(given: &Expr) -> Option<Vec<(String, Position)>> {
    match given {
        Expr::Map(map, _) => Some(map.0.iter().map(|(key, _)| (key.name.to_string(), key.pos)).collect()),
        Expr::DynamicConstant(value, at) => {
            let map = value.read_lock::<rhai::Map>()?;
            Some(map.keys().map(|key| (key.to_string(), *at)).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api, script};
    use std::{path::Path, sync::Arc};

    fn wrong(text: &str) -> Option<(String, String)> {
        let resolver = Arc::new(Resolver::new(Path::new("/"), "fabfile.rhai"));
        let engine = script::engine(resolver.clone(), Arc::default(), api::register);
        let ast = resolver.fabfile(&engine, text).unwrap();
        let failure = refuse(&engine, &resolver, "", &ast).err()?;
        Some((failure.message, failure.help.unwrap_or_default()))
    }

    /// A text with a key that nothing reads, the message about it, and its help.
    const NOT_READ: [(&str, &str, &str); 13] = [
        ("fn f() { targets().each(#{ at_onc: 2 }, |h| 1) }", "there is no limit `at_onc`", "did you mean `at_once`?"),
        (
            "fn f(n) { each(targets(), #{ at_once: n, max_faild: n }, |h| 1) }",
            "there is no limit `max_faild`",
            "did you mean `max_failed`?",
        ),
        (
            "fn f() { targets().each(#{ serial: 2 }, |h| 1) }",
            "there is no limit `serial`",
            "write `batches: [1, \"20%\"]`",
        ),
        (
            "fn f() { targets().each(#{ x: 2 }, |h| 1) }",
            "there is no limit `x`",
            "there are `at_once`, `batches`, `max_failed`",
        ),
        (
            "fn f(h, x) { h.run(\"ls {dir}\", #{ dri: x }) }",
            "`{dir}` in the command has no value",
            "did you mean `dri`?",
        ),
        (
            "fn f(h) { h.capture(\"ls {dir}\", #{}) }",
            "`{dir}` in the command has no value",
            "give it one: `#{ dir: … }`",
        ),
        (
            "fn f(x) { local::run(\"ls {dir}\", #{ dri: x }) }",
            "`{dir}` in the command has no value",
            "did you mean `dri`?",
        ),
        (
            "fn f() { local::cd(\"web\").test(\"ls {dir}\", #{}) }",
            "`{dir}` in the command has no value",
            "give it one: `#{ dir: … }`",
        ),
        ("fn f(u) { http::get(u, #{ timout: 5 }) }", "there is no option `timout`", "did you mean `timeout`?"),
        (
            "fn f(u, b) { http::post(u, b, #{ json: b }) }",
            "there is no option `json`",
            "there are `headers`, `bearer`, `basic`, `timeout`, `status`",
        ),
        (
            "import \"std/deploy\" as d; fn f(x) { d::deploy(x, #{ restrt: |h| 1 }) }",
            "there is no hook `restrt`",
            "did you mean `restart`?",
        ),
        (
            "import \"std/deploy\" as d; fn f(x) { d::deploy(x, hooks()) } private fn hooks() \
             { #{ migrat: |h| 1 } }",
            "there is no hook `migrat`",
            "did you mean `migrate`?",
        ),
        (
            "import \"std/deploy\" as d; fn f(x) { d::deploy(x, hooks()) } private fn hooks() \
             { let x = 1; #{ after: |h| x } }",
            "there is no hook `after`",
            "write `restart: |host| …`, which runs after the switch",
        ),
    ];

    #[test]
    fn a_key_that_nothing_reads_is_refused_with_the_one_that_was_meant() {
        for (text, message, help) in NOT_READ {
            assert_eq!(wrong(text), Some((message.to_owned(), help.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_read_and_what_only_a_run_can_know_is_let_through() {
        for text in [
            "fn f(n) { targets().each(#{ at_once: n, batches: [1], max_failed: 1 }, |h| #{ x: 1 }) }",
            "fn f(n) { targets().each(n, |h| 1); [1].each(|x| x) }",
            "fn f(h, x) { h.run(\"ls {dir}\", #{ dir: x, more: 1 }); h.run(\"ls {dir}\", x); h.run(\"ls '{dir}'\", #{}) }",
            "import \"std/deploy\" as d; fn f(x, hooks) { d::deploy(x, hooks); d::deploy(x, #{}) }",
            "import \"std/deploy\" as d; fn f(x) { d::deploy(x, g()) } fn g() { let m = #{ x: 1 }; m.remove(\"x\"); m }",
            "fn f(x) { local::run(\"ls {dir}\", #{ dir: x }); http::post(x, #{ json: 1 }); http::get(x, #{ status: x }) }",
            "fn deploy(x, hooks) { } fn f(x) { deploy(x, #{ anything: 1 }) }",
        ] {
            assert_eq!(wrong(text), None, "{text}");
        }
    }

    #[test]
    fn the_hooks_are_those_that_the_stdlib_reads() {
        let all: String = script::stdlib::MODULES.iter().map(|(_, text)| *text).collect();
        let read: BTreeSet<&str> = all
            .split('"')
            .collect::<Vec<_>>()
            .windows(2)
            .filter(|w| w[1].starts_with(" in hooks"))
            .map(|w| w[0])
            .collect();
        assert_eq!(read, BTreeSet::from(HOOKS));
    }
}
