//! A hotfix from its first commit to production: two developers, a remote, real sshd, and real HAProxy under load.
use super::shop::{all_serve, done, shop};
use lab::{Lab, needs_lab};

/// Runs git in the project, and returns what it prints.
fn git(lab: &Lab, words: &[&str]) -> String {
    lab.project.git(words).expect_ok()
}

/// Makes a shop whose repository has a branch for development, and the settings of git-flow.
fn shop_with_git_flow() -> Lab {
    let lab = shop();
    lab.project.commit(&[("VERSION", "3.0.1\n")]);
    git(&lab, &["push", "-q", "origin", "main"]);
    git(&lab, &["checkout", "-q", "-b", "develop"]);
    lab.project.commit(&[("feature", "half\n")]);
    git(&lab, &["push", "-q", "origin", "develop"]);
    for (name, value) in [("branch.master", "main"), ("branch.develop", "develop"), ("prefix.versiontag", "v")] {
        git(&lab, &["config", &format!("gitflow.{name}"), value]);
    }
    lab
}

#[test]
fn a_hotfix_goes_from_its_first_commit_to_every_host_and_no_request_fails() {
    if !needs_lab("a_hotfix_goes_from_its_first_commit_to_every_host_and_no_request_fails") {
        return;
    }
    let lab = shop_with_git_flow();
    let load = lab.load(120);
    load.wait_for(50);
    let told = done(&lab, &["hotfix:3.0.2"]);
    assert!(told.ends_with("next: rfab prod hotfix:finish\n"), "{told}");
    assert_eq!(git(&lab, &["show", "origin/hotfix/3.0.2:VERSION"]), "3.0.2\n");
    // A colleague fixes the bug on a branch of it, and a reviewer merges the pull request.
    let colleague = lab.project.clone_to(&lab.folder.join("colleague"));
    colleague.git(&["checkout", "-q", "-b", "fix", "origin/hotfix/3.0.2"]).expect_ok();
    colleague.commit(&[("index.txt", "shop v3.0.2\n")]);
    colleague.git(&["checkout", "-q", "hotfix/3.0.2"]).expect_ok();
    colleague.git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #7", "fix"]).expect_ok();
    colleague.git(&["push", "-q", "origin", "hotfix/3.0.2"]).expect_ok();
    done(&lab, &["prod", "hotfix:finish"]);
    load.wait_for(50);
    load.stop().expect_none_failed();
    all_serve(&lab, "v3.0.2");
    let remote =
        |words: &[&str]| git(&lab, &[&["--git-dir", &lab.project.remote.display().to_string()], words].concat());
    let subjects = |branch: &str| remote(&["log", "--first-parent", "-1", "--format=%s", branch]);
    assert_eq!(subjects("main"), "Merge branch 'hotfix/3.0.2'\n");
    assert_eq!(subjects("develop"), "Merge tag 'v3.0.2' into develop\n");
    assert_eq!(remote(&["rev-parse", "v3.0.2^{commit}"]), remote(&["rev-parse", "main"]));
    assert_eq!(remote(&["cat-file", "-t", "v3.0.2"]), "tag\n");
    assert_eq!(remote(&["branch", "--list", "hotfix/*"]), "");
    assert_eq!(git(&lab, &["branch", "--show-current"]), "develop\n");
    // Typed once more, it says that nothing is open, and changes nothing.
    let again = lab.rfab(&["prod", "hotfix:finish"]).output();
    assert!(again.stdout.contains("no hotfix is open; start one with rfab hotfix:VERSION"), "{again:?}");
}
