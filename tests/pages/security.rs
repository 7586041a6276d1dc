//! The code does what the page on security says.
use crate::project::{self, Project};
use rfab::fleet;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// Words of the page on security, and the code that makes them true.
const SECURE: [(&str, &str, &str); 18] = [
    ("`StrictHostKeyChecking yes`", "src/ssh/connection/config.rs", "    StrictHostKeyChecking yes\n"),
    ("`ForwardAgent no`", "src/ssh/connection/config.rs", "    ForwardAgent no\n"),
    ("no X11", "src/ssh/connection/config.rs", "    ForwardX11 no\n"),
    ("`GSSAPIDelegateCredentials no`", "src/ssh/connection/config.rs", "\"GSSAPIDelegateCredentials no\""),
    ("neither `SendEnv`", "src/ssh/connection/config.rs", "    SendEnv -*\\n"),
    ("nor `SetEnv`", "src/ssh/connection/config.rs", "    SetEnv RFAB=1\n"),
    ("no keys from DNS", "src/ssh/connection/config.rs", "    VerifyHostKeyDNS no\n"),
    ("`UpdateHostKeys no`", "src/ssh/connection/config.rs", "    UpdateHostKeys no\n"),
    (
        "rfab refuses a `ProxyCommand` that starts ssh itself",
        "src/ssh/connection/route.rs",
        "calls ssh itself, which bypasses the checks of host keys",
    ),
    ("10 million operations", "src/script/meter.rs", "const OPERATIONS: u64 = 10_000_000;"),
    ("5 seconds of CPU time", "src/script/meter.rs", "const TIME: Duration = Duration::from_secs(5);"),
    ("folder `0700`, files `0600`", "src/store/folder.rs", ".mode(0o700)"),
    ("folder `0700`, files `0600`", "src/store/journal.rs", ".mode(0o600)"),
    ("its login user: folder `0700`", "src/balancer/lock_session.sh", "chmod 700 ."),
    ("in a folder of mode `0700`", "src/remote/walk.sh", "umask 077 && mkdir \"./$held\""),
    ("`.rfab` is `0755`", "src/release/host/setup.sh", "folder .rfab 755\n"),
    ("the login user: folder `0700`", "src/ssh/wrapper.sh", "umask 077 && mkdir -p \"$folder\""),
    ("A yes counts for 15 minutes", "src/ui/consent.rs", "Duration::from_secs(15 * 60)"),
];

#[test]
fn what_the_page_on_security_says_is_so_in_the_code() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let page = read("docs/security.md");
    for (words, file, code) in SECURE {
        assert!(page.contains(words), "the page doesn't say `{words}`");
        assert!(read(file).contains(code), "`{words}`: {file} has no `{code}`");
    }
    let guarded = format!("guarded = true\n{}", project::FLEET);
    let project = Project::bare("").with("fleet.toml", &guarded);
    let set = ["guarded=false".parse().unwrap()];
    assert!(!fleet::read("fleet.toml", project.path(), &set).unwrap().guarded);
    let said = |fabfile: &str| Project::of(fabfile).load().and_then(|loaded| loaded.check()).unwrap_err().message;
    assert!(said("fn t(x) { targets().each(|host| host.run(`rm ${x}`)); }").contains("is built by joining strings"));
    assert!(said("fn t(x) { targets().each(|host| host.run(sh(x))); }").contains("isn't a literal"));
    let out = Project::of("fn t() { local::read(\"../x\"); }").fails("prod t");
    assert_eq!(out.1.message, "`../x` isn't inside the fabfile's folder");
    let top = Project::of("fn t() { }\nlocal::run(\"true\");\n").fails("prod t").1.message;
    assert_eq!(top, "`run` is called at the top level of a file, where no task runs");
}

#[test]
fn what_others_may_write_beside_the_fabfile_is_refused_as_the_fabfile_is() {
    let task = "fn t() { targets().each(|host| host.template(\"shop.j2\", \"/tmp/x\", #{})); }\n\
                fn s() { targets().each(|host| release::share(host, \"x\", \"shop.j2\", #{})); }";
    for (name, line) in
        [("shop.j2", "prod t"), ("shop.j2", "prod s"), ("known_hosts", "prod t"), ("ssh_config", "prod t")]
    {
        let fleet = format!("ssh = \"ssh_config\"\n{}", project::FLEET);
        let project = Project::of(task).with("fleet.toml", &fleet).with("ssh_config", "");
        let project = project.with("shop.j2", "x").with("known_hosts", "");
        let file = project.path().join(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
        let said = project.fails(line).1.message;
        assert!(said.contains(&format!("{name}` is writable by everybody")), "{line}: {said}");
    }
}
