//! Which functions call which.
use rhai::{AST, ASTNode, Expr, FnPtr, Stmt};
use std::collections::{BTreeMap, BTreeSet};

/// The names that each function of a file calls, over all its overloads: `name`, or `alias::name` in a module.
pub(super) type Calls = BTreeMap<String, BTreeSet<String>>;

/// Reads the calls out of a compiled file. A call in a closure counts for the function that makes the closure.
pub(super) fn of(ast: &AST) -> Calls {
    let mut calls = Calls::new();
    for function in ast.iter_functions() {
        let (name, parameters) = (function.name.to_owned(), function.params.len());
        let mut alone = ast.clone_functions_only();
        alone.retain_functions(|_, _, n, p| n == name && p == parameters);
        let called = calls.entry(name).or_default();
        alone.walk(&mut |path| {
            if let Some(node) = path.last() {
                called.extend(call_of(node));
            }
            true
        });
    }
    calls
}

fn call_of(node: &ASTNode) -> Vec<String> {
    let named = |call: &rhai::FnCallExpr| {
        let mut names = vec![if call.namespace.is_empty() {
            call.name.to_string()
        } else {
            format!("{}::{}", call.namespace, call.name)
        }];
        names.extend(call.args.iter().filter_map(closure));
        names
    };
    match node {
        ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) => named(call),
        ASTNode::Stmt(Stmt::FnCall(call, _)) => named(call),
        ASTNode::Expr(expr) => closure(expr).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Returns the name of the function behind a closure.
fn closure(expr: &Expr) -> Option<String> {
    match expr {
        Expr::DynamicConstant(value, _) => value.read_lock::<FnPtr>().map(|f| f.fn_name().to_owned()),
        _ => None,
    }
}

/// Lists the functions that call `fleet`, themselves or through others of the project; `modules` is keyed by alias.
pub(super) fn reaching_fleet(own: &Calls, modules: &BTreeMap<String, Calls>) -> BTreeSet<String> {
    let mut of_modules: BTreeSet<String> = BTreeSet::new();
    for (alias, calls) in modules {
        of_modules.extend(reach(calls, &BTreeSet::new()).into_iter().map(|f| format!("{alias}::{f}")));
    }
    let mut all = reach(own, &of_modules);
    all.extend(of_modules);
    all
}

fn reach(calls: &Calls, known: &BTreeSet<String>) -> BTreeSet<String> {
    let mut reaching = BTreeSet::new();
    loop {
        let before = reaching.len();
        for (name, called) in calls {
            if called.iter().any(|c| c == "fleet" || known.contains(c) || (c != name && reaching.contains(c))) {
                reaching.insert(name.clone());
            }
        }
        if reaching.len() == before {
            return reaching;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaching(text: &str) -> Vec<String> {
        let calls = of(&rhai::Engine::new().compile(text).unwrap());
        reaching_fleet(&calls, &BTreeMap::new()).into_iter().filter(|n| !n.starts_with("anon$")).collect()
    }

    #[test]
    fn a_function_reaches_fleet_through_a_module_of_the_project() {
        let engine = rhai::Engine::new();
        let calls = |text: &str| of(&engine.compile(text).unwrap());
        let ours = calls("fn prod() { fleet(\"prod\") }\nfn help() {}");
        let own = calls("fn all() { ours::prod() }\nfn shows() { ours::help() }\nfn other() { prod() }");
        let reaching = reaching_fleet(&own, &BTreeMap::from([("ours".to_owned(), ours)]));
        assert_eq!(reaching.into_iter().collect::<Vec<_>>(), ["all", "ours::prod"]);
    }

    #[test]
    fn a_function_reaches_fleet_itself_through_others_or_by_a_closure() {
        let text = "
            fn prod(w) { fleet(\"x\").select(w) }
            fn prod() { prod(\"all\") }
            fn other() { [1].map(|i| prod()) }
            fn deploy(r) { deploying::deploy(r, hooks()) }
            private fn hooks() { #{ a: |host| host.run(\"x\") } }
            fn named() { let fleet = 1; fleet + 1 }
        ";
        assert_eq!(reaching(text), ["other", "prod"]);
    }
}
