//! docs/permissions.md: rfab does its work with exactly these lines, and without any one of them it reports what it
//! lacks.

use lab::{HostPlan, Lab, Plan, Sudo, needs_root};
use std::fs;

/// Returns the lines of a page's first block that begin like this.
fn lines(page: &str, begin: &str) -> Vec<String> {
    let page = fs::read_to_string(format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"))).expect("a page");
    let of = page.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(begin));
    of.map(str::to_owned).collect()
}

/// Starts two groups of one host each behind `lb1`.
fn two() -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let plan = Plan::new().serving("v3.0.0").host(web("web1", "group1")).host(web("web2", "group2"));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    lab.edit("fabfile.rhai", |text| {
        let import = "import \"std/status\"   as telling;\n";
        let more = "fn units() { serving::status(); }\nfn logs() { serving::logs(20); }\n";
        text.replacen(import, &format!("{import}import \"std/service\" as serving;\n"), 1) + more
    });
    lab
}

/// Allows exactly these lines on every host, with the lab's own program in place of systemctl.
fn allow(lab: &Lab, lines: &[String]) {
    for name in ["web1", "web2"] {
        let service = lab.host(name).folder.join("bin/lab-service").display().to_string();
        let file = lab.host(name).folder.join("etc/sudoers");
        let own = fs::read_to_string(&file).expect("sudoers");
        let kept = own.lines().filter(|line| !line.starts_with("deploy ")).map(str::to_owned);
        let told = lines.iter().map(|line| {
            let line = line.replace("/usr/bin/systemctl", &service);
            line.replace("/usr/bin/journalctl -u shop -n 20 --no-pager", &format!("{service} logs shop"))
        });
        let text: Vec<String> = kept.chain(told).collect();
        fs::write(&file, text.join("\n") + "\n").expect("sudoers");
    }
}

#[track_caller]
fn run(lab: &Lab, words: &[&str], code: i32) -> String {
    let ran = lab.rfab(words).output();
    assert_eq!(ran.code, Some(code), "{words:?}: {ran:?}");
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn a_fleet_lives_by_the_lines_of_the_page_and_misses_each_of_them() {
    if !needs_root("a_fleet_lives_by_the_lines_of_the_page_and_misses_each_of_them") {
        return;
    }
    let lab = two();
    let sudo = lines("permissions.md", "deploy ");
    assert_eq!(sudo.len(), 4, "{sudo:?}");
    allow(&lab, &sudo);
    // The balancer's line is on the page about HAProxy.
    let socket = lines("haproxy.md", "stats socket ");
    let config = lab.host("lb1").folder.join("haproxy.cfg");
    let text = fs::read_to_string(&config).expect("haproxy.cfg");
    let own = text.lines().find(|line| line.contains("/run/haproxy/admin.sock")).expect("a socket's line");
    fs::write(&config, text.replace(own.trim(), &socket[0])).expect("haproxy.cfg");
    lab.balancer("lb1").restart();

    for line in ["setup", "release:v3.0.1", "status", "proxy.group2", "proxy.all", "units", "logs"] {
        run(&lab, &["prod", line], 0);
    }
    lab.colleague("berta").release("v3.0.2");
    for line in ["release:v3.0.2", "rollback"] {
        run(&lab, &["prod", line], 0);
    }
    let without = |at: usize| {
        let left: Vec<String> =
            sudo.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, line)| line.clone()).collect();
        allow(&lab, &left);
    };
    let lacks = |line: &str, user: &str| {
        let ran = lab.rfab(&["prod", line]).output();
        let told =
            format!("sudo wants a password for `{user}`, which requires a terminal, and rfab isn't running in one");
        assert!(ran.code != Some(0) && ran.stdout.contains(&told), "{line}: {ran:?}");
        ran.stdout
    };
    without(0);
    let refused = lacks("deploy:v3.0.2", "shop");
    assert!(!refused.contains("drain "), "{refused}");
    without(2);
    lacks("units", "root");
    without(3);
    lacks("logs", "root");
    without(1);
    assert!(lacks("deploy:v3.0.2", "root").contains("restart shop"));
}

#[test]
fn the_apps_folder_is_made_by_the_line_of_the_page_and_one_of_another_tool_is_taken_over_without_root() {
    if !needs_root("the_apps_folder_is_made_by_the_line_of_the_page_and_one_of_another_tool_is_taken_over_without_root")
    {
        return;
    }
    let lab = two();
    allow(&lab, &lines("permissions.md", "deploy ")[..1]);
    let root = |line: &str| {
        for name in ["web1", "web2"] {
            lab.host(name).sh(line).expect_ok();
        }
    };
    root("rm -rf /srv/shop && chown root:root /srv && chmod 755 /srv");
    let refused = run(&lab, &["prod", "setup"], 1);
    assert!(refused.contains("/srv/shop"), "{refused}");
    let [make, give] = &lines("permissions.md", "sudo ")[..] else { panic!("two lines of a person's") };
    root(make.strip_prefix("sudo ").expect("it is by sudo"));
    run(&lab, &["prod", "setup"], 0);

    root(
        "rm -rf /srv/shop && mkdir -p /srv/shop/releases/20240101000000 /srv/shop/shared && ln -s releases/20240101000000 /srv/shop/current",
    );
    run(&lab, &["prod", "setup:adopt"], 1);
    root(give.strip_prefix("sudo ").expect("it is by sudo"));
    let taken = run(&lab, &["prod", "setup:adopt"], 0);
    assert!(taken.contains("take over /srv/shop as it is"), "{taken}");
}
