//! Mistakes in a fabfile or a fleet file, and runs that touch no host.
use super::{fabfile, ran, says, shop};
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn an_unknown_host_is_refused_and_the_nearest_named() {
    let folder = shop();
    says(
        folder.path(),
        &["prod:web9"],
        2,
        r#"rfab prod:web9

error: `prod` has no host, group or role `web9`
    ╭─[fabfile.rhai:12:44]
 11 │ /// Production, or the part of it that `which` selects: out, live, group1, a role, hosts.
 12 │ fn prod(which) { fleet("fleets/prod.toml").select(which) }
    ·                                            ──────
 13 │ fn prod()      { prod("all") }
    ╰────
  help: did you mean `web09`?
"#,
        "",
    );
    says(
        folder.path(),
        &["prod:nobody"],
        2,
        r#"rfab prod:nobody

error: `prod` has no host, group or role `nobody`
    ╭─[fabfile.rhai:12:44]
 11 │ /// Production, or the part of it that `which` selects: out, live, group1, a role, hosts.
 12 │ fn prod(which) { fleet("fleets/prod.toml").select(which) }
    ·                                            ──────
 13 │ fn prod()      { prod("all") }
    ╰────
  help: there are `group1`, `group2`, `web`, `worker`, `all`, `live`, `out` and the hosts
"#,
        "",
    );
    says(
        folder.path(),
        &["--limit", "web1", "testing"],
        2,
        "rfab testing

error: `testing1` has no host, group or role `web1`
  help: did you mean `web`?
",
        "",
    );
}

#[test]
fn a_fleet_file_that_is_not_there_is_named() {
    let folder = shop();
    says(
        folder.path(),
        &["testing:9"],
        3,
        r#"rfab testing:9

error: fleets/testing9.toml: there is no such fleet file
    ╭─[fabfile.rhai:16:22]
 15 │ /// A testing environment.
 16 │ fn testing(number) { fleet(`fleets/testing${number}.toml`) }
    ·                      ─────
 17 │ fn testing()       { testing("1") }
    ╰────
  help: there are `prod.toml`, `testing1.toml`
"#,
        "",
    );
    says(
        folder.path(),
        &["-f", "nothere.rhai", "--list"],
        3,
        "",
        "error: `nothere.rhai` can't be read: No such file or directory (os error 2)
",
    );
}

#[test]
fn a_key_set_on_the_line_is_checked_like_one_of_the_file() {
    let folder = shop();
    says(
        folder.path(),
        &["--set", "app.kep=3", "prod"],
        3,
        r#"rfab prod

error: `--set app.kep=3`: unknown key `kep`
    ╭─[fabfile.rhai:12:18]
 11 │ /// Production, or the part of it that `which` selects: out, live, group1, a role, hosts.
 12 │ fn prod(which) { fleet("fleets/prod.toml").select(which) }
    ·                  ─────
 13 │ fn prod()      { prod("all") }
    ·                  ──┬─
    ·                    ╰── called here
 14 │ 
    ╰────
  help: did you mean `keep`?
"#,
        "",
    );
}

#[test]
fn a_syntax_error_underlines_its_line() {
    let folder = fabfile(
        r#"//! Broken.
fn prod() { fleet("fleets/prod.toml") }
fn deploy(reference) {
    let x = 3
    let y = 4;
}
"#,
    );
    says(
        folder.path(),
        &["prod", "deploy", "stable"],
        3,
        "",
        "error: `;` is missing to terminate this statement
   ╭─[fabfile.rhai:5:5]
 4 │     let x = 3
 5 │     let y = 4;
   ·     ─┬─
   ·      ╰── before this
 6 │ }
   ╰────
  help: write `;` after the statement before it
",
    );
    says(
        folder.path(),
        &["--list"],
        3,
        "",
        "error: `;` is missing to terminate this statement
   ╭─[fabfile.rhai:5:5]
 4 │     let x = 3
 5 │     let y = 4;
   ·     ─┬─
   ·      ╰── before this
 6 │ }
   ╰────
  help: write `;` after the statement before it
",
    );
}

#[test]
fn a_wrong_call_is_refused_before_anything_runs() {
    let folder = fabfile(
        r#"fn prod() { fleet("fleets/prod.toml") }
fn deploy(reference) {
    ui::note("before");
    ui::noet(reference);
}
"#,
    );
    says(
        folder.path(),
        &["prod", "deploy", "stable"],
        3,
        "",
        r#"error: there is no function `ui::noet`
   ╭─[fabfile.rhai:4:9]
 3 │     ui::note("before");
 4 │     ui::noet(reference);
   ·         ────
 5 │ }
   ╰────
  help: did you mean `ui::note`?
          ui::note(text)
              Shows a note. Inside `each`, it appears under the host's name.
          ui::note(host, text)
              Shows a note under a host's name.
"#,
    );
}

#[test]
fn a_call_with_too_many_arguments_shows_how_it_is_written() {
    let folder = fabfile(
        r#"fn deploy(reference) {
    targets().role("web", 3);
}
"#,
    );
    says(
        folder.path(),
        &["deploy", "stable"],
        3,
        "",
        r#"error: `role` takes 1 argument, but 2 are given
   ╭─[fabfile.rhai:2:15]
 1 │ fn deploy(reference) {
 2 │     targets().role("web", 3);
   ·               ────
 3 │ }
   ╰────
  help: usage:
          targets.role(role)
              Returns the hosts that have a role. The result can be empty.
"#,
    );
}

#[test]
fn an_unknown_variable_is_refused_before_anything_runs() {
    let folder = fabfile(
        "fn deploy(reference) {
    ui::note(refrence);
}
",
    );
    says(
        folder.path(),
        &["deploy", "stable"],
        3,
        "",
        "error: there is no variable `refrence`
   ╭─[fabfile.rhai:2:14]
 1 │ fn deploy(reference) {
 2 │     ui::note(refrence);
   ·              ────────
 3 │ }
   ╰────
  help: did you mean `reference`?
",
    );
}

#[test]
fn a_failure_in_the_stdlib_shows_the_call_in_the_fabfile_and_names_its_line() {
    let folder = fabfile(
        r#"import "std/proxy" as proxying;

const default_targets = "small";

fn small() { fleet("small", #{ hosts: #{ web1: #{} } }) }

fn flip() {
    proxying::flip();
}
"#,
    );
    let proxy = include_str!("../../stdlib/proxy.rhai");
    let place = 1 + proxy.lines().position(|line| line.contains("balancer::want_whole_pools(hosts);")).unwrap();
    says(
        folder.path(),
        &["flip"],
        3,
        &format!(
            "rfab flip
targets: small, 1 of 1 host

error: fleet `small` has no balancer
   ╭─[fabfile.rhai:8:15]
 7 │ fn flip() {{
 8 │     proxying::flip();
   ·               ──┬─
   ·                 ╰── fails in std/proxy:{place}
 9 │ }}
   ╰────
  help: add `[balancer.NAME]` to the fleet file

host  balancer  result
web1  -         untouched
1 host: 1 untouched
"
        ),
        "",
    );
}

#[test]
fn a_run_says_what_it_does_and_how_it_failed() {
    let folder = fabfile(
        r#"fn hello(name) {
    ui::note(`hello ${name}`);
    step("look around", || ui::warn("it is dark"));
    throw "nobody is there";
}
"#,
    );
    says(
        folder.path(),
        &["hello:anna"],
        1,
        r#"rfab hello:anna
hello anna
look around:
warning: it is dark

error: nobody is there
   ╭─[fabfile.rhai:4:5]
 3 │     step("look around", || ui::warn("it is dark"));
 4 │     throw "nobody is there";
   ·     ─────
 5 │ }
   ╰────

next: rfab hello:anna
"#,
        "",
    );
    says(
        folder.path(),
        &["-q", "hello", "anna"],
        1,
        r#"warning: it is dark

error: nobody is there
   ╭─[fabfile.rhai:4:5]
 3 │     step("look around", || ui::warn("it is dark"));
 4 │     throw "nobody is there";
   ·     ─────
 5 │ }
   ╰────

next: rfab hello:anna
"#,
        "",
    );
}

#[test]
fn a_folder_without_a_fabfile_or_with_one_that_others_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = "error: there is no `fabfile.rhai` in `HERE` or above it in the repository\n  help: go to a folder that has one, name it with `-f FILE`, or let `rfab --init` write one\n";
    says(folder.path(), &["--list"], 3, "", nothing);
    says(folder.path(), &["deploy", "stable"], 3, "", nothing);
    let folder = shop();
    fs::set_permissions(folder.path().join("fabfile.rhai"), fs::Permissions::from_mode(0o666)).unwrap();
    let everybody = "error: `HERE/fabfile.rhai` is writable by everybody, who could run commands as you\n  help: remove that permission: `chmod o-w HERE/fabfile.rhai`\n";
    says(folder.path(), &["--list"], 3, "", everybody);
}

#[test]
fn a_fleet_file_with_unknown_keys_is_refused_at_their_lines() {
    let folder = fabfile("fn prod() { fleet(\"small.toml\") }\n");
    let small = folder.path().join("small.toml");
    fs::write(&small, "guarded = true\nusr = \"deploy\"\n[hosts]\nweb1 = { role = [] }\n").unwrap();
    let report = r#"rfab prod

error: small.toml has 2 mistakes
   ╭─[small.toml:2:1]
 1 │ guarded = true
 2 │ usr = "deploy"
   · ─┬─
   ·  ╰── unknown key `usr`: did you mean `user`?
 3 │ [hosts]
 4 │ web1 = { role = [] }
   ·          ──┬─
   ·            ╰── `role` would be a variable, but looks like `roles`: write `roles`, or give the variable another name
   ╰────
   ╭─[fabfile.rhai:1:13]
 1 │ fn prod() { fleet("small.toml") }
   ·             ──┬──
   ·               ╰── called here
   ╰────
"#;
    says(folder.path(), &["prod"], 3, report, "");
    fs::write(&small, "usr = \"deploy\"\n[hosts]\nweb1 = {}\n").unwrap();
    let report = r#"rfab prod

error: unknown key `usr`
   ╭─[small.toml:1:1]
 1 │ usr = "deploy"
   · ─┬─
   ·  ╰── not known here
 2 │ [hosts]
   ╰────
   ╭─[fabfile.rhai:1:13]
 1 │ fn prod() { fleet("small.toml") }
   ·             ──┬──
   ·               ╰── called here
   ╰────
  help: did you mean `user`?
"#;
    says(folder.path(), &["prod"], 3, report, "");
}

#[test]
fn lists_and_runs_are_json_when_that_is_wanted() {
    let folder = shop();
    let (out, err, code) = ran(folder.path(), &["--list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&list["v"], list["tasks"].as_array().unwrap().len(), &*err, code), (&1.into(), 14, "", 0));
    let folder = fabfile("fn hello(name) { ui::note(name); throw \"over\"; }");
    let (out, err, code) = ran(folder.path(), &["--json", "hello:anna"]);
    let events: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["run_started", "task_started", "noted", "task_finished", "run_finished"]);
    assert_eq!((&events[4]["exit"], &*err, code), (&1.into(), "", 1));
    assert_eq!(events[4]["failures"][0]["message"], "over");
    let (out, _, code) = ran(folder.path(), &["--json", "depoly"]);
    assert_eq!((&*out, code), ("", 2));
}

#[test]
fn colors_are_used_only_where_they_are_wanted() {
    let folder = fabfile("fn hello() { throw \"over\"; }");
    let escapes = |line: &[&str]| ran(folder.path(), line).0.contains('\u{1b}');
    assert!(escapes(&["--color", "always", "hello"]));
    assert!(!escapes(&["--color", "never", "hello"]) && !escapes(&["hello"]));
}
