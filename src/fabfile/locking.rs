//! Which tasks ask for the lock, as far as their text shows it.
use super::{
    calls::{self, Calls},
    tasks,
};
use crate::script::Script;
use std::collections::{BTreeMap, BTreeSet};

/// The primitive that takes the lock. What changes something without it takes the lock, too, but later.
const LOCK: &str = "balancer::lock";

/// A file, by the name that it's imported by; the fabfile has none.
struct ScriptFile {
    calls: Calls,
    /// The files that it imports, by alias.
    imports: BTreeMap<String, String>,
}

/// Returns whether a function of the fabfile calls `balancer::lock`, itself or through others, even in the stdlib.
///
/// It runs nothing. What can't be read counts as a function that doesn't.
pub(super) fn asks_for_lock(script: &Script, function: &str) -> bool {
    let mut files: BTreeMap<String, ScriptFile> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(String::new(), function.to_owned())];
    while let Some((name, function)) = waiting.pop() {
        if !seen.insert((name.clone(), function.clone())) {
            continue;
        }
        let file = files.entry(name.clone()).or_insert_with(|| read(script, &name));
        if let Some((alias, inner)) = function.split_once("::") {
            waiting.extend(file.imports.get(alias).map(|other| (other.clone(), inner.to_owned())));
            continue;
        }
        let called = file.calls.get(&function).into_iter().flatten();
        for one in called {
            if one == LOCK {
                return true;
            }
            waiting.push((name.clone(), one.clone()));
        }
    }
    false
}

fn read(script: &Script, name: &str) -> ScriptFile {
    let ast = if name.is_empty() { Some(script.ast.clone()) } else { script.resolver.ast(&script.engine, name).ok() };
    let Some(ast) = ast else { return ScriptFile { calls: Calls::new(), imports: BTreeMap::new() } };
    let imports = tasks::imports(&ast).into_iter().filter_map(|import| Some((import.alias?, import.name))).collect();
    ScriptFile { calls: calls::of(&ast), imports }
}

#[cfg(test)]
mod tests {
    use crate::fabfile::{Options, load};
    use std::fs;

    #[test]
    fn a_task_asks_for_the_lock_itself_through_the_stdlib_by_a_closure_or_in_a_module_of_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"
            import "std/deploy" as deploying;
            import "std/proxy" as proxying;
            import "std/status" as status;
            import "ours" as ours;
            fn itself() { balancer::lock(targets()); }
            fn by_stdlib() { proxying::flip(); }
            fn deeper(r) { deploying::release(r, #{}); }
            fn by_closure() { [1].map(|i| itself()) }
            fn circle() { circle2(); }
            fn circle2() { circle(); }
            fn reads() { proxying::status(); status::show(); }
            fn prod() { fleet("prod") }
        "#;
        fs::write(folder.path().join("fabfile.rhai"), text).unwrap();
        fs::write(folder.path().join("ours.rhai"), "fn locks() { balancer::lock(targets()); }\nfn not() {}").unwrap();
        let project = load(&folder.path().join("fabfile.rhai"), Options::default()).unwrap();
        let asks = |function: &str| project.asks_for_lock(function);
        for function in ["itself", "by_stdlib", "deeper", "by_closure", "ours::locks"] {
            assert!(asks(function), "{function}");
        }
        for function in ["circle", "reads", "prod", "ours::not", "nowhere", "nowhere::else"] {
            assert!(!asks(function), "{function}");
        }
    }
}
