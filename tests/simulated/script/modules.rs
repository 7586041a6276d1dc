//! Where modules come from, and how they affect each other.

use crate::project::{self, Project};
use rfab::failure::Exit;
use std::{fs, os::unix::fs::symlink};

/// Returns why a project can't import `name`; the reason must be the same at its top and with a name made at run time.
#[track_caller]
fn not_imported(project: &Project, name: &str) -> String {
    let text = |import: &str| format!("{}fn attack() {{ {import}; m::f() }}", project::HEAD);
    fs::write(project.path().join("fabfile.rhai"), text(&format!("import \"{name}\" as m"))).unwrap();
    let at_once = project.load().err().unwrap_or_else(|| project.fails("attack").1);
    fs::write(project.path().join("fabfile.rhai"), text(&format!("let name = \"{name}\"; import name as m"))).unwrap();
    let (exit, later) = project.fails("attack");
    assert_eq!((exit, &later.message), (Exit::Fabfile, &at_once.message), "{name}");
    at_once.message
}

#[test]
fn modules_come_from_below_the_fabfiles_folder_and_from_nowhere_else() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.rhai"), "fn f() { }").unwrap();
    fs::write(outside.path().join("password"), "hunter2supersecret").unwrap();
    let project = Project::of("").with("lib/inner.rhai", "fn f() { }");
    symlink(outside.path().join("secret.rhai"), project.path().join("link.rhai")).unwrap();
    symlink(outside.path(), project.path().join("folder")).unwrap();
    symlink(outside.path().join("password"), project.path().join("password.rhai")).unwrap();
    let absolute = outside.path().join("secret").to_string_lossy().into_owned();
    for (name, why) in [
        ("../secret", "has a bad name"),
        ("lib/../../secret", "has a bad name"),
        ("./lib/inner", "has a bad name"),
        (&*absolute, "has a bad name"),
        ("/etc/passwd", "has a bad name"),
        ("lib/inner.rhai", "has a bad name"),
        ("Lib/inner", "has a bad name"),
        ("lib//inner", "has a bad name"),
        ("", "has a bad name"),
        ("link", "points outside the fabfile's folder"),
        ("folder/secret", "points outside the fabfile's folder"),
        ("password", "points outside the fabfile's folder"),
        ("nothing", "isn't there"),
        ("std/nothing", "isn't in the stdlib"),
        ("std/../lib/inner", "isn't in the stdlib"),
    ] {
        assert_eq!(not_imported(&project, name), format!("module `{name}` {why}"));
    }
}

#[test]
fn a_module_that_is_no_script_does_not_show_what_is_in_it() {
    let project = Project::of("").with("secret.rhai", "\n\npassword = hunter2supersecret\n");
    assert_eq!(not_imported(&project, "secret"), "there is no variable `password`");
    let project = Project::of("").with("binary.rhai", "hunter2\u{0}\u{1b}[2J'\"");
    not_imported(&project, "binary");
    let project = Project::of("").with("big.rhai", &" ".repeat((1 << 20) + 1));
    assert_eq!(not_imported(&project, "big"), "module `big` is larger than 1 MiB");
}

#[test]
fn modules_that_import_each_other_are_refused_by_their_path() {
    let own = Project::of("import \"a\" as a; fn act() { a::f() }").with("a.rhai", "import \"a\" as a; fn f() { }");
    assert_eq!(own.fails("act").1.message, "modules import each other: a → a");
    let three = Project::of("import \"a\" as a; fn act() { a::f() }")
        .with("a.rhai", "import \"b\" as b; fn f() { }")
        .with("b.rhai", "import \"c\" as c; fn f() { }")
        .with("c.rhai", "import \"a\" as a; fn f() { }");
    assert_eq!(three.fails("act").1.message, "modules import each other: a → b → c → a");
}

#[test]
fn modules_are_limited_in_depth_and_number() {
    let deep = (1..=20).fold(Project::of("import \"m0\" as m; fn act() { }").with("m20.rhai", ""), |project, i| {
        project.with(&format!("m{}.rhai", i - 1), &format!("import \"m{i}\" as m;"))
    });
    assert_eq!(deep.fails("act").1.message, "modules import each other more than 16 deep");
    let imports: String = (0..80).map(|i| format!("import \"m{i}\" as m{i};\n")).collect();
    let many = (0..80).fold(Project::of(&imports), |project, i| project.with(&format!("m{i}.rhai"), ""));
    assert_eq!(many.load().err().unwrap().message, "more than 64 modules are imported");
}

#[test]
fn a_closure_of_the_fabfile_means_the_fabfiles_imports_also_inside_the_stdlib() {
    let fabfile = "
        import \"std/deploy\" as deploying;
        import \"mine\" as units;
        fn release(reference) {
            deploying::release(reference, #{
                restart: |host| { units::hello(host); prepared(host, GREETING, 0); service::restart(host) }
            })
        }
        const GREETING = \"helped\";
        // Named like a function of std/deploy.
        private fn prepared(host, text, nothing) { ui::note(host, text); }
        fn broken(reference) { deploying::release(reference, #{ restart: |host| breaking(host) }) }
        private fn breaking(host) {
            throw `${host} breaks`;
        }";
    let project = Project::of(fabfile).with("mine.rhai", "fn hello(host) { ui::note(host, \"hello\"); }").tagged();
    let notes = project.notes("prod release:stable");
    assert_eq!(notes.iter().filter(|note| note.ends_with("hello")).count(), 5, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| note.ends_with("helped")).count(), 5, "{notes:?}");
    let places = project.fails("prod broken:stable").1.places;
    let places: Vec<String> =
        places.iter().map(|p| format!("{}: {}", p.file, p.text.lines().nth(p.line - 1).unwrap().trim())).collect();
    assert_eq!(places[0], "fabfile.rhai: throw `${host} breaks`;", "{places:?}");
    assert!(places[1].starts_with("fabfile.rhai: fn broken(reference)"), "{places:?}");
}
