//! Two apps of one repository, each a folder with its own tags: real sshd, real HAProxy, and people who use both.
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use serde_json::Value;
use std::process::Command;

use super::shop::done;

/// Tasks for the two apps.
const TASKS: &str = r#"
fn shop() { fleet("fleets/prod.toml").app("shop") }
fn api()  { fleet("fleets/prod.toml").app("api") }
"#;

/// Two hosts of each app behind one balancer. Each app is a folder of the repository, with a pattern for its tags.
fn two_apps() -> Lab {
    let host = |name, group, app| HostPlan::new(name).fleet("prod").group(group).role("web").role(app).sudo(Sudo::Free);
    let lab = Lab::start(
        Plan::new()
            .serving("v3.0.0")
            .host(host("shop1", "group1", "store"))
            .host(host("shop2", "group2", "store"))
            .host(host("api1", "group1", "api"))
            .host(host("api2", "group2", "api"))
            .balancer("lb1", &[("bk_shop", "store"), ("bk_api", "api")]),
    );
    lab.edit("fleets/prod.toml", |text| {
        let (head, rest) = text.split_once("[app]\n").expect("an app");
        let (app, rest) = rest.split_once("[hosts]\n").expect("hosts");
        let of = |name: &str, role: &str, tree: &str| {
            let app = app.replace("[app.", &format!("[app.{name}.")).replace("{ web =", &format!("{{ {role} ="));
            format!("[app.{name}]\ntree = \"services/{tree}\"\ntags = \"{name}-v*\"\n{app}")
        };
        format!("{head}{}{}[hosts]\n{rest}", of("shop", "store", "web"), of("api", "api", "api"))
    });
    lab.edit("fabfile.rhai", |text| text + TASKS);
    let copy = "for app in web api; do mkdir -p services/$app && cp -r bin config public README services/$app; done";
    let copied = Command::new("sh").args(["-c", copy]).current_dir(&lab.project.folder).status();
    assert!(copied.is_ok_and(|status| status.success()));
    released(&lab, &["web", "api"], "1.0.0");
    for app in ["shop", "api"] {
        done(&lab, &[app, "setup"]);
    }
    lab
}

/// Changes these folders in one commit, which gets a tag of each app, and returns the commit.
fn released(lab: &Lab, folders: &[&str], version: &str) -> String {
    let pages: Vec<(String, String)> = folders
        .iter()
        .map(|folder| (format!("services/{folder}/index.txt"), format!("{folder} {version}\n")))
        .collect();
    let files: Vec<(&str, &str)> = pages.iter().map(|(path, text)| (&**path, &**text)).collect();
    let commit = lab.project.commit(&files);
    let tags = ["shop", "api"].map(|app| format!("{app}-v{version}"));
    for tag in &tags {
        lab.project.git(&["tag", tag]).expect_ok();
    }
    lab.project.git(&["push", "-q", "origin", "HEAD", &tags[0], &tags[1]]).expect_ok();
    commit
}

/// Returns the releases of an app's two hosts as `status` shows them.
fn shown(lab: &Lab, app: &str) -> [String; 2] {
    let status = done(lab, &[app, "status"]);
    [1, 2].map(|number| {
        let host = format!("{app}{number}");
        let row = status.lines().find(|line| line.trim_start().starts_with(&host));
        let cells = row.unwrap_or_else(|| panic!("{status}")).split_whitespace();
        cells.skip(1).take(2).collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn two_folders_of_one_repository_are_released_apart_and_rolled_back_by_each_of_their_names() {
    if !needs_lab("two_folders_of_one_repository_are_released_apart_and_rolled_back_by_each_of_their_names") {
        return;
    }
    let lab = two_apps();
    let load = lab.load(60);
    load.wait_for(30);
    for app in ["shop", "api"] {
        done(&lab, &[app, "deploy:stable"]);
    }
    let first = lab.project.resolve("shop-v1.0.0");
    let there = format!("0002-{}", &first[..12]);
    let serves = |called: &str, release: &str| [called, called].map(|name| format!("{name} ({release})"));
    assert_eq!(shown(&lab, "shop"), serves("shop-v1.0.0", &there));
    assert_eq!(shown(&lab, "api"), serves("api-v1.0.0", &there));
    // The second tag changes one folder only.
    let second = released(&lab, &["api"], "1.1.0");
    let pending =
        |called: &str| format!("hosts         serve{}pending\nshop1, shop2  {called} ({there})  0\n", " ".repeat(28));
    let told = done(&lab, &["shop", "pending"]);
    assert!(told.contains(&pending("shop-v1.0.0")), "{told}");
    let unchanged = done(&lab, &["shop", "deploy:stable"]);
    assert!(unchanged.ends_with("2 hosts: 2 unchanged\n"), "{unchanged}");
    done(&lab, &["api", "deploy:stable"]);
    let api = serves("api-v1.1.0", &format!("0003-{}", &second[..12]));
    assert_eq!(shown(&lab, "shop"), serves("shop-v1.1.0", &there));
    assert_eq!(shown(&lab, "api"), api);
    let told = done(&lab, &["shop", "pending"]);
    assert!(told.contains(&pending("shop-v1.1.0")), "{told}");
    // A third one changes the other folder. Each name of what was before it leads back.
    let third = released(&lab, &["web"], "1.2.0");
    for (text, called) in [
        ("shop-v1.0.0", "shop-v1.0.0"),
        ("shop-v1.1.0", "shop-v1.1.0"),
        (&second[..12], "shop-v1.1.0"),
        (&there, "shop-v1.1.0"),
    ] {
        done(&lab, &["shop", "deploy:shop-v1.2.0"]);
        assert_eq!(shown(&lab, "shop"), serves("shop-v1.2.0", &format!("0003-{}", &third[..12])));
        done(&lab, &["shop", &format!("rollback:{text}")]);
        assert_eq!(shown(&lab, "shop"), serves(called, &there), "{text}");
        assert_eq!(lab.host("shop1").serves().as_deref(), Some(&first[..12]), "{text}");
    }
    assert_eq!(shown(&lab, "api"), api);
    load.wait_for(30);
    load.stop().expect_none_failed();
    let state = format!("{}/.local/state/rfab", lab.host("lb1").home());
    let told = lab.host("lb1").sh(&format!("grep '\"effect\":\"release\"' {state}/prod.shop/ledger")).expect_ok();
    let told = told.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let told: Vec<String> =
        told.map(|line| format!("{} {}", line["number"], line["reason"].as_str().unwrap_or_default())).collect();
    let back = ["3 shop-v1.2.0", "2 shop-v1.0.0", "3 shop-v1.2.0", "2 shop-v1.1.0"];
    let again = ["3 shop-v1.2.0", "2 shop-v1.1.0"].repeat(2);
    assert_eq!(told, [&["2 shop-v1.0.0", "2 shop-v1.1.0"][..], &back, &again].concat());
}
