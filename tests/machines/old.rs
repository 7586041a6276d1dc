//! Hosts and a balancer's machine with what rfab 0.1.0 left there are released to, and rolled back.
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use serde_json::Value;

const PROJECT: &str = include_str!("old/0.1.0/lb1-project");
const LEDGER: &str = include_str!("old/0.1.0/lb1-ledger");
const OF_HOSTS: [(&str, &str); 2] =
    [("web1", include_str!("old/0.1.0/web1-ledger")), ("web2", include_str!("old/0.1.0/web2-ledger"))];

/// Releases of 0.1.0: the number, tag and commit, and the manifest.
const RELEASES: [(u32, &str, &str, &str); 2] = [
    (2, "v3.0.0", "19b590f37708f8218deaaf985d52e0070611f589", include_str!("old/0.1.0/0002.manifest")),
    (3, "v3.0.1", "d9dc860be19b713a49b34ef82b80c5c185387e5b", include_str!("old/0.1.0/0003.manifest")),
];

/// The run of HAProxy in the recorded ledgers.
const EPOCH: &str = "21-1795993392";

/// What was recorded, with the commits and the HAProxy of a lab.
fn here(lab: &Lab, text: &str, epoch: &str) -> String {
    let text = RELEASES
        .iter()
        .fold(text.to_owned(), |text, (_, tag, commit, _)| text.replace(commit, &lab.project.resolve(tag)));
    text.replace(EPOCH, epoch)
}

/// Writes a file of a machine, which keeps its owner and mode if it's there.
fn write(lab: &Lab, host: &str, file: &str, text: &str) {
    lab.host(host).sh(&format!("cat > {file} <<'END'\n{}\nEND", text.trim_end())).expect_ok();
}

/// Gives the machines what 0.1.0 left: v3.0.0 was released, then v3.0.1, and that was rolled back; web1 was taken out.
fn place(lab: &Lab) {
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.rfab(&["prod", "proxy.group2"]).output().expect_ok();
    let state = format!("{}/.local/state/rfab/prod", lab.host("lb1").home());
    let drained = lab.host("lb1").sh(&format!("grep '\"drain\"' {state}/ledger | tail -n 1")).expect_ok();
    let drained: Value = serde_json::from_str(&drained).expect("a line");
    let epoch = drained["epoch"].as_str().expect("an epoch").to_owned();
    write(lab, "lb1", &format!("{state}/ledger"), &here(lab, LEDGER, &epoch));
    let project = ["web1", "web2"]
        .iter()
        .fold(PROJECT.to_owned(), |text, name| text.replace(&name.to_uppercase(), &lab.host(name).address.to_string()));
    write(lab, "lb1", &format!("{state}/project"), &project);
    for (name, ledger) in OF_HOSTS {
        for (number, tag, _, manifest) in RELEASES {
            let release = lab.unpack(name, number, tag);
            // As rfab unpacks a release.
            let modes = format!("chmod -R g-w /srv/shop/releases/{release}");
            lab.host(name).sh(&modes).expect_ok();
            let file = format!("/srv/shop/releases/{release}.manifest");
            write(lab, name, &file, &here(lab, manifest, &epoch));
            lab.host(name).sh(&format!("chown shop:shop {file} && chmod 444 {file}")).expect_ok();
        }
        let served = format!("0002-{}", &lab.project.resolve("v3.0.0")[..12]);
        lab.activate(name, &served);
        let file = "/srv/shop/.rfab/ledger";
        write(lab, name, file, &here(lab, ledger, &epoch));
        lab.host(name).sh(&format!("chown shop:shop {file}")).expect_ok();
    }
}

fn current(lab: &Lab) -> [Option<String>; 2] {
    ["web1", "web2"].map(|name| lab.host(name).current())
}

#[test]
fn hosts_of_0_1_0_are_released_to_and_rolled_back_by_what_it_wrote_down() {
    if !needs_lab("hosts_of_0_1_0_are_released_to_and_rolled_back_by_what_it_wrote_down") {
        return;
    }
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let plan = Plan::new().serving("v3.0.0").host(web("web1", "group1")).host(web("web2", "group2"));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    place(&lab);
    let done = |line: &[&str]| lab.rfab(line).output().expect_ok();
    let name = |number: u32, tag: &str| Some(format!("{number:04}-{}", &lab.project.resolve(tag)[..12]));
    let migrated = || lab.host("web1").sh("cat /srv/shop/shared/migrated || true").stdout;

    let status = done(&["prod", "status"]);
    let row = |host: &str| status.lines().find(|line| line.starts_with(host)).unwrap_or_default().to_owned();
    assert!(row("web1").contains("taken out by operator from laptop"), "{status}");
    assert!(row("web1").contains("(so that only another group is live)"), "{status}");
    assert!(row("web2").contains("live") && !row("web2").contains("taken out"), "{status}");
    done(&["prod", "proxy.all"]);

    // It was rolled back, so only its whole name brings it back; it has its number, and its migration is done.
    let staged = done(&["prod", "release:v3.0.1"]);
    assert_eq!((current(&lab), migrated().as_str()), ([name(3, "v3.0.1"), name(3, "v3.0.1")], ""), "{staged}");
    let back = done(&["prod", "rollback"]);
    assert_eq!(current(&lab), [name(2, "v3.0.0"), name(2, "v3.0.0")], "{back}");

    lab.project.release("v3.0.2");
    done(&["prod", "release:stable"]);
    let next = name(4, "v3.0.2");
    assert_eq!((current(&lab), migrated().trim()), ([next.clone(), next.clone()], next.as_deref().unwrap()));
}

#[test]
fn a_release_of_0_1_0_that_somebody_changed_is_found_by_its_manifest() {
    if !needs_lab("a_release_of_0_1_0_that_somebody_changed_is_found_by_its_manifest") {
        return;
    }
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let plan = Plan::new().serving("v3.0.0").host(web("web1", "group1")).host(web("web2", "group2"));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    place(&lab);
    lab.rfab(&["prod", "proxy.all"]).output().expect_ok();
    lab.rfab(&["prod", "release:v3.0.1"]).output().expect_ok();
    let older = format!("/srv/shop/releases/0002-{}", &lab.project.resolve("v3.0.0")[..12]);
    lab.host("web2").sh(&format!("echo changed > {older}/index.txt")).expect_ok();
    let refused = lab.rfab(&["prod", "rollback"]).output();
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert_eq!(refused.code, Some(7), "{said}");
    assert!(said.contains("web2") && said.contains("index.txt"), "{said}");
}
