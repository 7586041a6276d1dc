//! What rfab prints in a job of GitHub Actions or GitLab CI.
use super::{fabfile, ran_in};
use std::fs;

#[test]
fn a_fabfile_that_is_wrong_is_an_annotation_at_its_line_in_github_and_a_report_everywhere() {
    let folder = fabfile("fn one() {\n    1 +\n}\n");
    fs::create_dir(folder.path().join(".git")).unwrap();
    let report = "\
error: unexpected '}'
   ╭─[fabfile.rhai:3:1]
 2 │     1 +
 3 │ }
   · ─
   ╰────
";
    let annotation = "::error file=fabfile.rhai,line=3,col=1,title=rfab::unexpected '}'\n";
    for (variables, expected) in [
        (&[("GITHUB_ACTIONS", "true")][..], format!("{annotation}{report}")),
        (&[("GITLAB_CI", "true")], report.into()),
    ] {
        let (out, err, code) = ran_in(folder.path(), variables, &["one"]);
        assert_eq!((out.as_str(), err.as_str(), code), ("", expected.as_str(), Some(3)), "{err}");
    }
}

#[test]
fn a_run_that_fails_is_told_with_groups_and_a_summary_or_as_json_which_is_as_ever() {
    let folder = fabfile("fn one() {\n    step(\"a step\", || ui::note(\"##[error]x\"));\n    [1][7];\n}\n");
    fs::create_dir(folder.path().join(".git")).unwrap();
    let summary = folder.path().join("summary.md");
    let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let (out, err, code) = ran_in(folder.path(), &github, &["one"]);
    let said = "\
rfab one
::group::one > a step
## [error]x
::endgroup::
::error file=fabfile.rhai,line=3,col=9,title=rfab one::array index 7 out of bounds: only 1 element in array

error: array index 7 out of bounds: only 1 element in array
   ╭─[fabfile.rhai:3:9]
 2 │     step(\"a step\", || ui::note(\"## [error]x\"));
 3 │     [1][7];
   ·         ─
 4 │ }
   ╰────
";
    assert_eq!((out.as_str(), err.as_str(), code), (said, "", Some(3)));
    assert_eq!(
        fs::read_to_string(&summary).unwrap(),
        "\
### rfab one

the fabfile or the fleet file is wrong (exit code 3)

- array index 7 out of bounds: only 1 element in array

"
    );
    let (out, _, code) = ran_in(folder.path(), &github, &["--json", "one"]);
    assert!(code == Some(3) && !out.contains("##[") && out.contains("##\\u005berror]x"), "{out}");
    assert!(out.lines().all(|line| line.starts_with("{\"v\":1,")), "{out}");
}
