//! No host gets the operator's agent.

use super::lab;
use lab::needs_lab;
use std::fs;

#[test]
pub(crate) fn no_host_is_given_the_operators_agent() {
    if !needs_lab("no_host_is_given_the_operators_agent") {
        return;
    }
    let lab = lab(
        "fn agent() { targets().each(|host| host.run(sh(\"echo agent=${SSH_AUTH_SOCK-none} display=${DISPLAY-none}\"))); }",
    );
    fs::write(lab.home().join(".ssh/config"), "Host *\n    ForwardAgent yes\n    ForwardX11 yes\n    ForwardX11Trusted yes\n    LocalForward 127.0.0.1:45999 127.0.0.1:22\n")
        .expect("a user's configuration");
    let rfab = env!("CARGO_BIN_EXE_rfab");
    let line = format!(
        "eval $(ssh-agent) >/dev/null; ssh-add -q {}; '{rfab}' on agent; code=$?; ssh-agent -k >/dev/null; exit $code",
        lab.folder.join("operator/key").display()
    );
    let out = lab.program("sh", &["-c", &line]).env("DISPLAY", ":0").output().expect_ok();
    assert!(out.contains("web1  | agent=none display=none\n"), "{out}");
    // By hand it works: the host allows agents.
    let by_hand = line.replace(
        &format!("'{rfab}' on agent"),
        &format!("ssh -A -F {} web1 'echo agent=$SSH_AUTH_SOCK'", lab.folder.join("operator/ssh_config").display()),
    );
    let out = lab.program("sh", &["-c", &by_hand]).output().expect_ok();
    assert!(out.contains("agent=/"), "{out}");
}
