//! Commands and files on hosts, over real sshd.
mod lab;

use lab::{HostPlan, Kind, Lab, PASSWORD, Plan, Sudo, needs_lab, needs_root};

/// A fleet `testing1` of these hosts, and a fabfile whose task `on` names those of them that are meant.
fn lab(hosts: impl IntoIterator<Item = HostPlan>, tasks: &str) -> Lab {
    let plan = hosts.into_iter().fold(Plan::new(), |plan, host| plan.host(host));
    let lab = Lab::start(plan);
    fabfile(&lab, tasks);
    lab
}

fn fabfile(lab: &Lab, tasks: &str) {
    let naming = "fn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\n";
    lab.edit("fabfile.rhai", |_| format!("{naming}{tasks}\n"));
}

fn host(name: &'static str) -> HostPlan {
    HostPlan::new(name).fleet("testing1").role("web")
}

#[test]
fn a_command_means_the_same_under_every_login_shell_and_on_busybox() {
    if !needs_lab("a_command_means_the_same_under_every_login_shell_and_on_busybox") {
        return;
    }
    let lab = lab(
        [
            host("plain"),
            host("fish").shell("/usr/bin/fish"),
            host("tcsh").shell("/bin/tcsh"),
            host("box").kind(Kind::Busybox),
        ],
        r#"
fn hostile() {
    targets().parallel(|host| {
        let words = ["printf", "%s|", "", "a b", "'", "$(touch x)", "`x`", "!!", "ünï%d", "~", "{a,b}", "\t", "\"", "\\0101"];
        ui::note(host, host.capture(words));
        ui::note(host, host.run(words));
        let line = sh("printf '%s|' \"$value\"; cat", #{ value: "$(x) 'y' \\n" });
        ui::note(host, host.run(line));
        host.run("echo streamed");
        host.cd("/srv").env(#{ A: "b c" }).run(sh("pwd; echo \"$A\"; echo err >&2"));
    });
}
fn fails() { targets().parallel(|host| { try { host.run(sh("echo before; echo last >&2; exit 7")); } catch (f) { ui::note(host, `${f.kind} ${f.status} ${f.message}`); } }); }
"#,
    );
    let out = lab.rfab(&["on:all", "hostile", "fails"]).output();
    eprintln!("{}\n{}\n{:?}", out.stdout, out.stderr, out.code);
    panic!();
}
