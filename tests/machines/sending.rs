//! What travels when a host has an earlier release, and what becomes of files that somebody changed there.

use crate::shop::done;
use lab::{Host, HostPlan, Lab, Plan, Sudo, needs_lab};
use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

/// Returns the lines of a run's record about staging.
fn staged(lab: &Lab) -> Vec<String> {
    let history = lab.rfab(&["--history"]).output().expect_ok();
    let run = history.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a run");
    let shown = lab.rfab(&["--show", run]).output().expect_ok();
    let lines = shown.lines().take_while(|line| *line != "steps").filter(|line| line.contains("  stage "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_file_that_somebody_changed_is_named_and_right_again_in_the_next_release() {
    if !needs_lab("a_file_that_somebody_changed_is_named_and_right_again_in_the_next_release") {
        return;
    }
    let lab = Lab::start(
        Plan::new().serving("v3.0.0").host(HostPlan::new("web1").fleet("prod").role("web").sudo(Sudo::Free)),
    );
    let web1 = lab.host("web1");
    done(&lab, &["prod", "setup"]);
    lab.project.write("public/style.css", &"body { color: black }\n".repeat(500));
    lab.project.release("v3.0.2");
    done(&lab, &["prod", "deploy:v3.0.2"]);
    assert!(staged(&lab).iter().all(|line| !line.contains("the rest")), "{:?}", staged(&lab));

    lab.project.release("v3.0.3");
    done(&lab, &["prod", "deploy:v3.0.3"]);
    let lines = staged(&lab);
    assert!(lines.len() == 1 && lines[0].contains(" kB sent, the rest is from 000"), "{lines:?}");

    // A colleague mends something by hand, with the same length.
    web1.sh("sed -i s/shop/SHOP/ /srv/shop/current/config/application.yml").expect_ok();
    let before = web1.current();
    lab.project.release("v3.0.4");
    let run = lab.rfab(&["prod", "deploy:v3.0.4"]).output();
    let said = format!("{}{}", run.stdout, run.stderr);
    let warning = "somebody changed `config/application.yml`; rfab sends the right content again";
    assert!(run.ok() && said.matches(warning).count() == 1, "{said}");
    assert_ne!(web1.current(), before);
    assert_eq!(web1.sh("cat /srv/shop/current/config/application.yml").expect_ok(), "name: shop\n");

    // Somebody also changes the record, so that the file seems to be what was staged.
    let forge =
        "cd /srv/shop && record=.rfab/records/$(basename \"$(readlink current)\") && file=config/application.yml &&
        sum=$(grep \"$file$\" $record | cut -f 5) && sed -i s/shop/SHOP/ current/$file &&
        now=$(stat -c '%z\t%i\t%s\t%f' current/$file) && grep -v \"$file$\" $record > new &&
        printf '%s\t%s\t./%s\\n' \"$now\" \"$sum\" $file >> new && sort new > $record && rm new";
    web1.sh(forge).expect_ok();
    lab.project.release("v3.0.4-rc.1");
    let run = lab.rfab(&["--verify", "prod", "deploy:v3.0.4-rc.1"]).output();
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(run.ok() && said.matches(warning).count() == 1, "{said}");
    assert_eq!(web1.sh("cat /srv/shop/current/config/application.yml").expect_ok(), "name: shop\n");

    // Another machine of the team knows the release only by its commit.
    lab.program("sh", &["-c", "rm -r \"$HOME/.cache/rfab\""]).output().expect_ok();
    lab.project.release("v3.0.5");
    done(&lab, &["prod", "deploy:v3.0.5"]);
    let lines = staged(&lab);
    assert!(lines.len() == 1 && lines[0].contains("the rest is from 000"), "{lines:?}");
    assert_eq!(web1.sh("ls /srv/shop/.rfab/unflushed /srv/shop/.rfab/tmp").expect_ok().matches("000").count(), 0);
}

/// A fabfile that only sends.
const SEND: &str = r#"
fn prod() { fleet("fleets/prod.toml") }
fn setup() { targets().parallel(|host| release::set_up(host)); }
fn send(tag) {
    let release = release::number(release::resolve(tag));
    targets().parallel(|host| release::stage(host, release));
}
"#;

/// Starts hosts that are set up, and a project with a file of 24 MB that can't be compressed, tagged `v3.1.0`.
fn hosts(names: &[&'static str]) -> Lab {
    let plan = names.iter().fold(Plan::new(), |plan, name| plan.host(HostPlan::new(name).fleet("prod").role("web")));
    let lab = Lab::start(plan);
    lab.edit("fleets/prod.toml", |text| text.replace("linked = [\"public/uploads\", \"config/database.yml\"]", ""));
    lab.edit("fabfile.rhai", |_| SEND.to_owned());
    let mut number = 1_u64;
    let noise = (0..3 << 20).flat_map(|_| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number ^ number >> 33).to_le_bytes()
    });
    fs::write(lab.project.folder.join("noise"), noise.collect::<Vec<u8>>()).expect("a file");
    lab.project.release("v3.1.0");
    for host in &lab.hosts {
        host.sh("mkdir -p /srv/shop /srv/marks && chown deploy /srv/shop /srv/marks").expect_ok();
    }
    done(&lab, &["prod", "setup"]);
    lab
}

/// Puts a script in the place of a host's `tar`, which is `/srv/real` then.
fn replace_tar(host: &Host, script: &str) {
    fs::write(host.path("/srv/tar"), format!("#!/bin/sh\n{script}\n")).expect("a script");
    let line = "cp /usr/bin/tar /srv/real && chmod 755 /srv/tar && mount --bind /srv/tar /usr/bin/tar";
    host.sh(line).expect_ok();
}

fn until(what: &str, there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(90), "{what}");
        sleep(Duration::from_millis(20));
    }
}

/// Returns the digests of what a host has of its only release.
fn digests(host: &Host) -> String {
    host.sh("cd /srv/shop/releases && sha256sum *.manifest && cd 0*[0-9a-f]/ && sha256sum noise").expect_ok()
}

#[test]
fn a_host_that_is_slow_or_dies_delays_no_other_while_a_release_is_packed_for_hosts_with_and_without_zstd() {
    let name = "a_host_that_is_slow_or_dies_delays_no_other_while_a_release_is_packed_for_hosts_with_and_without_zstd";
    if !needs_lab(name) {
        return;
    }
    let lab = hosts(&["fast", "plain", "slow", "dying"]);
    let [fast, plain, slow, dying] = ["fast", "plain", "slow", "dying"].map(|name| lab.host(name));
    plain.sh("[ ! -e /usr/bin/zstd ] || mount --bind /dev/null /usr/bin/zstd").expect_ok();
    replace_tar(
        slow,
        "n=0; until [ -e /srv/marks/go ] || [ $((n += 1)) -gt 900 ]; do sleep 0.1; done; exec /srv/real \"$@\"",
    );
    replace_tar(dying, "head -c 100000 > /dev/null; : > /srv/marks/midway; sleep 600");
    let run = lab.rfab(&["prod", "send:v3.1.0"]).timeout(Duration::from_secs(200)).start();
    let staged = |host: &Host| host.sh("ls /srv/shop/releases/*.manifest").ok();
    until("the others wait", || staged(fast) && staged(plain));
    until("it begins", || dying.path("/srv/marks/midway").exists());
    assert!(!staged(slow) && !run.is_over());
    dying.kill();
    fs::write(slow.path("/srv/marks/go"), "").expect("a mark");
    let ended = run.output();
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!ended.ok() && said.contains("`dying`") && !said.contains("`slow`"), "{said}");
    let whole = digests(fast);
    assert_eq!([digests(plain), digests(slow)], [whole.clone(), whole.clone()]);

    // What it had received is no release; it's sent again from the start.
    dying.boot();
    assert_eq!(dying.sh("ls -A /srv/shop/releases").expect_ok(), "");
    done(&lab, &["prod", "--limit", "dying", "send:v3.1.0"]);
    assert_eq!(digests(dying), whole);
}
