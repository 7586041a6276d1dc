//! What a fabfile or a module defines belongs to it: it changes nothing of what other files do.

use crate::made_up;
use crate::made_up::{FIVE, Shop};
use crate::project::Project;
use rfab::{
    fabfile,
    failure::{Excerpt, Exit},
    model::Model,
    script::stdlib,
    simulate::{Scenario, Simulation},
};
use rhai::{AST, ASTNode, Engine, Expr, FnPtr, Stmt};
use std::{collections::BTreeSet, fs};

/// Returns the lines of a day that uses most of the stdlib.
fn day() -> impl Iterator<Item = &'static str> {
    let after = ["prod status", "prod proxy.status", "prod rollback"];
    ["prod setup", "prod release:v3.0.0"].into_iter().chain(FIVE).chain(after)
}

/// Returns all events of the day's runs, to the byte, and how each run ends.
fn told(shop: &Shop) -> Vec<String> {
    let mut model = Model::new();
    let mut told = Vec::new();
    for words in day() {
        let Simulation { events, model: after, ended, .. } =
            shop.run_with(words, model, Scenario { seed: 7, ..Scenario::default() });
        told.extend(events.iter().map(|event| serde_json::to_string(event).unwrap()));
        let failures: Vec<String> = ended.failures.iter().map(|failure| failure.to_string()).collect();
        told.push(format!("{words}: {:?} {failures:?}", ended.exit));
        model = after;
    }
    told
}

/// Returns each name that the stdlib calls or defines, except operators.
fn names() -> BTreeSet<String> {
    let mut engine = Engine::new_raw();
    engine.set_max_expr_depths(128, 128);
    let mut names = BTreeSet::new();
    for (_, text) in stdlib::MODULES {
        let ast: AST = engine.compile(text).unwrap();
        names.extend(ast.iter_functions().map(|function| function.name.to_owned()));
        ast.walk(&mut |path| {
            if let Some(
                ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)),
            ) = path.last()
            {
                names.insert(call.name.to_string());
            }
            true
        });
    }
    // Functions that Rhai itself calls, for `in` and for interpolation; and common names of tasks.
    names.extend(["contains", "to_string", "to_debug", "split", "keys", "replace", "map"].map(str::to_owned));
    names.retain(|name| FnPtr::new(&**name).is_ok() && !fabfile::is_taken(name) && name != "call" && name != "curry");
    names
}

/// Returns functions with these names that throw: with up to four parameters, and as methods of the stdlib's types.
fn thieves(names: &BTreeSet<String>, free: impl Fn(&str, usize) -> bool) -> String {
    let mut text = String::new();
    for name in names {
        for parameters in (0..=4).filter(|parameters| free(name, *parameters)) {
            let list: Vec<String> = (0..parameters).map(|i| format!("p{i}")).collect();
            let mut function = |of: &str| {
                text += &format!("fn {of}{name}({}) {{ throw \"stolen by {name}\" }}\n", list.join(", "));
            };
            function("");
            let methods: &[&str] = if parameters < 2 { &["array.", "\"Targets\"."] } else { &[] };
            methods.iter().for_each(|of| function(of));
        }
    }
    text
}

#[test]
fn whatever_a_fabfile_or_a_module_defines_the_day_is_the_same_to_the_byte() {
    let mut shop = Shop::four("");
    let names = names();
    for known in ["push", "filter", "len", "split", "keys", "contains", "replace", "join", "map", "back", "same", "row"]
    {
        assert!(names.contains(known) || known == "join", "{known}");
    }
    let folder = shop.project.file.parent().unwrap().to_owned();
    let fabfile = fs::read_to_string(folder.join("fabfile.rhai")).unwrap();
    let own = Engine::new_raw().compile(&fabfile).unwrap();
    let own: BTreeSet<(String, usize)> =
        own.iter_functions().map(|function| (function.name.to_owned(), function.params.len())).collect();
    let free = |name: &str, parameters: usize| {
        // The fabfile's own tasks call these, and a file may call its own functions.
        let called = ["fleet", "only", "flip", "all", "release", "deploy", "rollback", "status", "hooks"];
        !own.contains(&(name.to_owned(), parameters)) && !called.contains(&name)
    };
    let want = told(&shop);
    for words in day() {
        assert!(want.contains(&format!("{words}: Done []")), "{words}: {want:#?}");
    }
    let all: BTreeSet<String> = names.iter().filter(|name| free(name, 9)).cloned().collect();
    let stolen = thieves(&all, free);
    assert!(stolen.lines().count() > 500, "{} functions", stolen.lines().count());
    shop.write("fabfile.rhai", &format!("{fabfile}\n{stolen}"));
    shop.project = made_up::load(&folder);
    assert_eq!(differing(&told(&shop), &want), None, "in the fabfile");
    shop.write("thief.rhai", &thieves(&names, |_, _| true));
    shop.write("fabfile.rhai", &format!("import \"thief\" as thief;\n{fabfile}"));
    shop.project = made_up::load(&folder);
    assert_eq!(differing(&told(&shop), &want), None, "in a module");
}

fn differing<'a>(now: &'a [String], before: &'a [String]) -> Option<(&'a String, &'a String)> {
    assert_eq!(now.len(), before.len(), "{:?}", now.iter().find(|line| line.contains("stolen")));
    now.iter().zip(before).find(|(now, before)| now != before)
}

/// A module of functions that take closures and return some.
const OTHER: &str = r#"
        fn one(f) { f.call(20) }
        fn within(all) { all.hooks[0].call(20) }
        fn by_key(all) { all.change(20) }
        fn each_of(list, f) { list.map(f) }
        fn some_of(list, f) { list.filter(f) }
        fn later(f, more) { f.curry(more).call() }
        fn made(n) { |x| shown(x + n) }
        fn many() { #{ made: [|x| shown(x)] } }
        fn on(f) { let x = 20; x.call(f) }
        fn twice(f) { one(|x| f.call(x) + f.call(x)) }
        fn shown(x) { `other ${x}` }
        fn len(x) { "other len" }
        fn own(x) { "other own" }
        fn own(x, y) { "other own" }
    "#;

/// A fabfile with functions of the same names.
const OWN: &str = r#"
        import "other" as other;
        fn own(x) { `own ${x}` }
        fn own(x, y) { `own ${x} ${y}` }
        fn shown(x) { `shown ${x}` }
        fn act() {
            let k = 5;
            let say = |x| ui::note(x.to_string());
            say.call(other::one(|x| own(x)));
            say.call(other::one(|x| own(x + k)));
            say.call(other::one(Fn("own")));
            say.call(other::one(|x| [x].len()));
            say.call(other::within(#{ hooks: [|x| own(x, k)] }));
            say.call(other::by_key(#{ change: |x| own(x) }));
            say.call(other::by_key(#{ change: |x| own(x, k) }));
            say.call(other::each_of([1, 2], |x| own(x)));
            say.call(other::each_of([1, 2], |x, i| own(x, i)));
            say.call(other::each_of([1, 2], |x, i| own(x + k, i)));
            say.call(other::each_of([1, 2], || own(this)));
            say.call(other::some_of([1, 2, 3], |x, i| i > 0 && x < k - 2));
            say.call(other::later(|x| own(x), 3));
        }
        fn back() {
            let say = |x| ui::note(x.to_string());
            say.call(other::made(2).call(1));
            say.call(other::many().made[0].call(1));
            say.call([1].map(other::many().made[0]));
            say.call(other::one(other::made(1)));
            say.call(other::on(|| own(this)));
            say.call(other::twice(|x| own(x)));
            let count = 0;
            other::one(|x| count += x);
            say.call(count);
        }
        fn same() { ui::note([1].map(|x| shown(x))[0]); ui::note(other::many().made[0].call(1)); }
        fn wrong() { other::one(|x, y| own(x)) }
        fn lanes() {
            let n = 0;
            let names = other::each_of([targets()], |all| all.parallel(|host| { n += 1; n }));
            ui::note(`${n} ${names}`);
        }
    "#;

#[test]
fn a_closure_means_in_another_file_what_it_means_in_its_own() {
    let project = Project::of(OWN).with("other.rhai", OTHER);
    let list = |words: &[&str]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    assert_eq!(
        project.notes("act"),
        [
            "own 20".to_owned(),
            "own 25".to_owned(),
            "own 20".to_owned(),
            "1".to_owned(),
            "own 20 5".to_owned(),
            "own 20".to_owned(),
            "own 20 5".to_owned(),
            format!("[{}]", list(&["own 1", "own 2"])),
            format!("[{}]", list(&["own 1 0", "own 2 1"])),
            format!("[{}]", list(&["own 6 0", "own 7 1"])),
            format!("[{}]", list(&["own 1", "own 2"])),
            "[2]".to_owned(),
            "own 3".to_owned(),
        ]
    );
    assert_eq!(
        project.notes("back"),
        ["other 3", "other 1", "[\"other 1\"]", "other 21", "own 20", "own 20own 20", "20"]
    );
    assert_eq!(project.notes("same"), ["shown 1", "other 1"]);
    assert_eq!(project.notes("lanes"), ["0 [[1, 1, 1, 1, 1]]"]);
    let (exit, failure) = project.fails("wrong");
    assert_eq!(
        (exit, &*failure.message),
        (Exit::Fabfile, "this closure can't take the arguments that it gets: (whole number)")
    );
}

#[test]
fn a_failure_beyond_files_has_the_line_of_each_of_them() {
    let fabfile = "
        import \"other\" as other;
        fn own() {
            other::one(|x| broken(x))
        }
        private fn broken(x) {
            throw \"it broke\"
        }
        fn theirs() {
            other::one(|x| x, 1)
        }";
    let other =
        "// Calls.\nimport \"deep\" as deep;\nfn one(f) {\n    deep::one(f)\n}\nfn one(f, n) {\n    deep::one(f, n)\n}";
    let deep = "// Deeper.\n\nfn one(f) {\n    f.call(1)\n}\nfn one(f, n) {\n    broken(f.call(n))\n}\nfn broken(x) { throw \"deep\" }";
    let project = Project::of(fabfile).with("other.rhai", other).with("deep.rhai", deep);
    let places = |task: &str| {
        let places = project.fails(task).1.places;
        let line =
            |p: &Excerpt| format!("{}: {} ({})", p.file, p.text.lines().nth(p.line - 1).unwrap().trim(), p.label);
        places.iter().map(line).collect::<Vec<String>>()
    };
    assert_eq!(
        places("own"),
        ["fabfile.rhai: throw \"it broke\" ()", "fabfile.rhai: other::one(|x| broken(x)) (called here)"]
    );
    assert_eq!(
        places("theirs"),
        ["deep.rhai: fn broken(x) { throw \"deep\" } ()", "fabfile.rhai: other::one(|x| x, 1) (called here)"]
    );
}

#[test]
fn constants_and_exported_values_of_a_file_are_its_own() {
    let other = "
        const LIMIT = 3;
        export const NAMES = [\"a\", \"b\"];
        let hooks = #{ change: |x| limited(x) };
        export hooks;
        fn limited(x) { `${x} of ${LIMIT}` }
        fn global() { global::LIMIT }";
    let fabfile = "
        import \"other\" as other;
        const LIMIT = 9;
        fn limited(x) { `mine ${x}` }
        fn act() {
            ui::note(other::limited(1));
            ui::note(`${other::NAMES}`);
            let hooks = other::hooks;
            ui::note(hooks.change.call(2));
            ui::note(`${LIMIT} ${global::LIMIT} ${other::global()}`);
        }";
    let project = Project::of(fabfile).with("other.rhai", other);
    assert_eq!(project.notes("act"), ["1 of 3", "[\"a\", \"b\"]", "2 of 3", "9 9 3"]);
}
