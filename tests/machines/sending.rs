//! What travels when a host has an earlier release, and what becomes of files that somebody changed there.

use crate::shop::done;
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};

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
    let warning = "somebody changed `config/application.yml`; the right content is sent again";
    assert!(run.ok() && said.matches(warning).count() == 1, "{said}");
    assert_ne!(web1.current(), before);
    assert_eq!(web1.sh("cat /srv/shop/current/config/application.yml").expect_ok(), "name: shop\n");

    // Another machine of the team knows the release only by its commit.
    lab.program("sh", &["-c", "rm -r \"$HOME/.cache/rfab\""]).output().expect_ok();
    lab.project.release("v3.0.5");
    done(&lab, &["prod", "deploy:v3.0.5"]);
    let lines = staged(&lab);
    assert!(lines.len() == 1 && lines[0].contains("the rest is from 000"), "{lines:?}");
    assert_eq!(web1.sh("ls /srv/shop/.rfab/unflushed /srv/shop/.rfab/tmp").expect_ok().matches("000").count(), 0);
}
