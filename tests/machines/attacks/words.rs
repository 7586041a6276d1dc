//! Hostile words. A canary is a file that a hostile name would create if a program ran it as a command.

use super::lab;
use lab::{Lab, Output, needs_lab, needs_root};
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// Returns the canary's path, in a folder that every user can write to, here and on the hosts.
fn canary(lab: &Lab) -> PathBuf {
    let folder = lab.folder.join("canaries");
    if !folder.exists() {
        fs::create_dir(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("a mode");
    }
    folder.join("p")
}

#[track_caller]
fn assert_no_canary(lab: &Lab, what: &str) {
    // With any name: a hostile name with more text after it would have made `p=…`, for example.
    let made: Vec<PathBuf> =
        fs::read_dir(canary(lab).parent().expect("a folder")).expect("a folder").flatten().map(|e| e.path()).collect();
    assert_eq!(made, Vec::<PathBuf>::new(), "{what} was taken for a command");
}

/// Returns names that mean something to a shell, to ssh, to git, or to `env`.
fn hostile(lab: &Lab) -> Vec<String> {
    let p = canary(lab).display().to_string();
    vec![
        format!("a;touch${{IFS}}{p}"),
        format!("x$(touch {p})"),
        format!("x$(touch${{IFS}}{p})"),
        format!("`touch {p}`"),
        format!("x|touch {p}"),
        format!("x'; touch {p}; '"),
        format!("\"; touch {p}; \""),
        format!("x\ntouch {p}\n"),
        format!("--upload-pack=touch {p}"),
        format!("-oProxyCommand=touch {p}"),
        format!("-S touch {p}"),
        format!("ext::sh -c touch% {p}"),
        "..".into(),
        "-".into(),
        "x\u{202e}y\u{1b}[2J".into(),
        "x".repeat(4096),
    ]
}

/// Pushes the hostile names that git itself accepts as branches and tags, and returns them.
fn pushed(lab: &Lab) -> Vec<String> {
    let mut refs = Vec::new();
    for name in hostile(lab) {
        for (kind, name) in [("heads", name.clone()), ("tags", format!("{name}.tag"))] {
            let whole = format!("refs/{kind}/{name}");
            let head = lab.project.resolve("HEAD");
            let made = lab.project.git(&["update-ref", &whole, &head]).ok();
            if made && lab.project.git(&["push", "-q", "origin", &whole]).ok() {
                refs.push(name);
            }
        }
    }
    refs
}

/// Each way in which a script uses a word that it gets.
const USES: &str = r#"
fn tried(f) { try { f.call(); } catch (f) {} }
fn use_(x) {
    for host in targets() {
        tried(|| host.run(["echo", x]));
        tried(|| host.run(["env", "--", x]));
        tried(|| host.run("echo {x} a{x}b \"{x}\"", #{ x: x }));
        tried(|| host.run(sh("echo \"$x\" >/dev/null", #{ x: x })));
        tried(|| host.capture("echo {x}", #{ x: x }));
        tried(|| host.test("test -e {x}", #{ x: x }));
        tried(|| host.sudo("echo {x}", #{ x: x }));
        tried(|| host.mode(x).write("/tmp/mode", "text"));
        tried(|| release::inside(host, x).run("true"));
        tried(|| release::shared_path(host, x));
        tried(|| host.env(#{ X: x }).run("env"));
        let named = #{}; named[x] = "y";
        tried(|| host.env(named).run("true"));
        tried(|| host.run(sh("true", named)));
        tried(|| host.cd(x).run("true"));
        tried(|| host.user("shop").cd(x).run("true"));
        tried(|| host.user(x).run("true"));
        tried(|| host.stdin(x).run("cat"));
        tried(|| host.write(x, "text"));
        tried(|| host.user("shop").write(x, "text"));
        tried(|| host.read(x));
        tried(|| host.exists(x));
        tried(|| host.get(x, "got"));
        tried(|| host.get("/etc/hostname", x));
        tried(|| host.put(x, "put"));
        tried(|| host.put("fabfile.rhai", x));
        tried(|| host.template(x, "x", #{}));
        tried(|| service::logs(host, x));
    }
    tried(|| release::called(release::history(targets()).values()[0], x));
    tried(|| targets().select(x));
    tried(|| targets().host(x));
    tried(|| fleet(`fleets/testing${x}.toml`));
    tried(|| git::resolve(x));
    tried(|| git::tag(x, git::resolve("v3.0.0")));
    tried(|| git::newest_stable_tag(x));
    tried(|| git::tag_version(x));
    tried(|| git::tag_version(x, x));
    tried(|| git::push_tag(x));
    tried(|| git::push_branch(x));
    tried(|| git::merge(x));
    tried(|| git::settings(x));
    tried(|| git::local(x));
    tried(|| git::remote(x));
    tried(|| git::tagged(x));
    tried(|| git::contains(x, x));
    tried(|| git::start_branch(x, x));
    tried(|| git::start_branch(x, git::resolve("v3.0.0").id));
    tried(|| git::checkout(x));
    tried(|| git::prepare_merge(x, git::resolve("v3.0.0").id, x, git::resolve("v3.0.0").id));
    tried(|| git::prepare_merge("main", x, x, x));
    tried(|| git::prepare_squash("main", git::resolve("v3.0.0").id, x, git::resolve("v3.0.0").id));
    tried(|| git::start_merge(x, git::resolve("v3.0.0").id, x));
    tried(|| git::start_merge("main", x, x));
    tried(|| git::prepare_pick(x, git::resolve("v3.0.0").id, git::resolve("v3.0.0").id));
    tried(|| git::prepare_pick("main", x, x));
    tried(|| git::start_pick(x, git::resolve("v3.0.0").id, git::resolve("v3.0.0").id));
    tried(|| git::start_pick("main", x, x));
    tried(|| git::pushed(x));
    tried(|| git::forward(x, x));
    tried(|| git::set(x, x));
    tried(|| git::set("gitflow.attack.x", x));
    tried(|| git::set(`branch.${x}.remote`, x));
    tried(|| git::settings("gitflow.", x));
    tried(|| git::object(x));
    tried(|| git::refs(x));
    tried(|| git::tree(x));
    tried(|| git::run_hook(x, [x], #{ X: x }));
    tried(|| git::ahead(x, x));
    tried(|| git::ahead([x], x));
    tried(|| git::merged_at(x, x));
    tried(|| git::parents(x));
    tried(|| git::steps(x, x));
    tried(|| git::only_merges(x, x));
    tried(|| git::replayed(x, x));
    tried(|| git::fetch(x));
    tried(|| version::is_bump(x));
    tried(|| git::push_refs([#{ name: x, to: git::resolve("v3.0.0").id }]));
    tried(|| git::push_refs([#{ name: x, from: x }]));
    tried(|| git::prepare_tag(x, git::resolve("v3.0.0").id, x, false));
    tried(|| git::prepare_tag("v9", x, "v9", false));
    tried(|| git::prepare_tag("v9", git::resolve("v3.0.0").id, "v9", x));
    tried(|| git::move_refs([#{ name: x, to: git::resolve("v3.0.0").id }], x));
    tried(|| git::push([x], [x]));
    tried(|| version::read(x, x));
    tried(|| version::read("VERSION", "", x));
    tried(|| version::write(x, x, x));
    tried(|| version::files(x));
    tried(|| version::compare(x, x));
    tried(|| version::following(x, x));
    tried(|| http::encoded(x));
    tried(|| notice::post(x, "http://127.0.0.1:9/", x));
    tried(|| release::resolve(x));
    tried(|| ui::note(x));
}
fn used(x) { use_(x); }
fn deploy(reference) {
    let commit = release::resolve(reference);
    let wanted = release::number(commit);
    for host in targets() { release::set_up(host); release::stage(host, wanted); ui::note(host, `staged ${commit.id}`); }
}
"#;

/// Primitives whose text is no word of a command on a host or in git: it selects, it's shown, or it's written down.
const NOT_TRIED: [&str; 34] = [
    "app",
    "archive",
    "ask",
    "build",
    "command",
    "commit",
    "confirm",
    "drain",
    "file",
    "group",
    "install",
    "leave_out",
    "listen",
    "log",
    "mark_done",
    "marked",
    "miss",
    "next",
    "once",
    "padded",
    "parse_json",
    "pause",
    "probe",
    "prompt",
    "refuse",
    "role",
    "serves",
    "share",
    "step",
    "terminal",
    "try_probe",
    "want_known",
    "warn",
    "yes",
];

#[test]
fn each_primitive_that_takes_a_text_is_tried_or_takes_none_from_the_line() {
    let definitions = rfab::docs::definitions();
    let signatures = definitions.values().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("fn "));
    let texts = |parameters: &str| parameters.contains(": string");
    let taking =
        signatures.filter_map(|line| line.split_once('(')).filter(|(name, rest)| !name.contains(' ') && texts(rest));
    let missing: BTreeSet<&str> = taking
        .map(|(name, _)| name)
        .filter(|name| !USES.contains(&format!("{name}(")) && !NOT_TRIED.contains(name))
        .collect();
    assert_eq!(missing, BTreeSet::new(), "a primitive is neither in USES nor in NOT_TRIED");
}

#[test]
pub(crate) fn no_reference_argument_or_value_is_taken_for_a_command_or_an_option() {
    if !needs_root("no_reference_argument_or_value_is_taken_for_a_command_or_an_option") {
        return;
    }
    let lab = lab(USES);
    lab.host("web1")
        .sh("mkdir -p /srv/shop/releases /srv/shop/shared /srv/shop/.rfab && chown -R shop: /srv/shop")
        .expect_ok();
    let refs = pushed(&lab);
    assert!(refs.len() >= 4 && refs.iter().any(|name| name.contains(";touch")), "{refs:?}");
    // A branch or tag with such a name is deployed, and only its commit reaches the host.
    for name in refs.iter().filter(|name| name.contains("touch$")) {
        let out = lab.rfab(&["on", &format!("deploy:{name}")]).output();
        assert_no_canary(&lab, name);
        let says = format!("staged {}", lab.project.resolve("HEAD"));
        assert!(out.ok() && out.stdout.contains(&says), "{out:?}");
    }
    let there = lab.host("web1").sh("ls /srv/shop/releases").expect_ok();
    assert!(there.lines().all(|line| line.starts_with("0001-")), "{there}");
    for name in hostile(&lab) {
        let out = lab
            .rfab(&["on", &format!("used:{}", name.replace('\\', r"\\").replace(',', r"\,").replace('=', r"\="))])
            .output();
        assert_no_canary(&lab, &name);
        assert_eq!(out.code, Some(0), "{name:?}: {out:?}");
        assert!(!out.stdout.contains(['\x1b', '\u{202e}']), "{out:?}");
    }
    // The same names as words of the line and as arguments of an ad-hoc command.
    for name in hostile(&lab) {
        for words in [
            vec!["on", &*name, "hi"],
            vec![&*name],
            vec!["on", "--", "echo", &*name],
            vec!["--limit", &*name, "on", "hi"],
            vec!["--exclude", &*name, "on", "hi"],
            vec!["--set", &*name, "on", "hi"],
            vec!["--without-gate", &*name, "on", "hi"],
            vec!["-f", &*name, "on"],
            vec!["--trust", &*name],
        ] {
            let _: Output = lab.rfab(&words).output();
            assert_no_canary(&lab, &format!("{words:?}"));
        }
    }
}

#[test]
pub(crate) fn no_name_of_a_fleet_file_is_taken_for_a_command_or_an_option() {
    if !needs_lab("no_name_of_a_fleet_file_is_taken_for_a_command_or_an_option") {
        return;
    }
    let lab = lab("");
    let file = lab.project.folder.join("fleets/testing1.toml");
    let good = fs::read_to_string(&file).expect("the fleet");
    let top = |line: &str| {
        format!(
            "{line}\n{}",
            good.lines()
                .filter(|l| !l.starts_with(line.split(' ').next().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join("\n")
        )
    };
    let web1 = good.lines().find(|line| line.starts_with("web1 ")).expect("a host").to_owned();
    let balancer = |pool: &str, server: &str, socket: &str| {
        format!(
            "{good}\n[balancer.lb1]\ndriver = \"haproxy\"\nhost = \"web1\"\nsocket = {socket}\npools = {{ {pool} = \"web\" }}\nserver = {server}\n"
        )
    };
    let mut refused = 0;
    for name in hostile(&lab) {
        let text = toml::Value::String(name.clone()).to_string();
        let fleets = [
            good.replace(&web1, &web1.replacen("web1", &text, 1)),
            good.replace(&web1, &format!("web1 = {{ roles = [\"web\"], address = {text} }}")),
            top(&format!("via = {text}")),
            top(&format!("user = {text}")),
            top(&format!("ssh = {text}")),
            top(&format!("state = {text}")),
            good.replace("path = \"/srv/shop\"", &format!("path = {text}")),
            good.replace("repository = \".\"", &format!("repository = {text}")),
            good.replace("[\"shop\"]", &format!("[{text}]")),
            good.replace("user = \"shop\"", &format!("user = {text}")),
            balancer(&text, "\"{name}\"", "\"/run/haproxy/admin.sock\""),
            balancer("bk_web", &text, "\"/run/haproxy/admin.sock\""),
            balancer("bk_web", "\"{name}\"", &text),
        ];
        for fleet in fleets {
            fs::write(&file, &fleet).expect("the fleet");
            let out = lab.rfab(&["on", "hi"]).output();
            assert_no_canary(&lab, &fleet);
            assert_ne!(out.code, None, "{out:?}");
            refused += usize::from(out.code == Some(3));
        }
    }
    assert!(refused > 120, "{refused}");
}
