//! What is pending on each host, and what changed from one release to another.
use crate::made_up::{Shop, done, failures};
use rfab::{event::EventKind, failure::Exit, model::Model, simulate::Simulation};

/// Returns what a run shows, without its warnings, with `ID` for each commit's beginning and `AGE` for each age.
fn shown(shop: &Shop, ran: &Simulation) -> String {
    let mut text = String::new();
    for event in &ran.events {
        if let EventKind::Noted { text: line, .. } = &event.what {
            text += &format!("{}\n", line.trim_end());
        }
    }
    for tag in shop.git(&["tag"]).lines() {
        text = text.replace(&shop.commit(tag)[..12], &format!("<{tag}>"));
    }
    text
}

fn shop() -> Shop {
    Shop::four(
        r#"
import "std/changelog" as changes;
fn changelog(from, to, format) { for line in changes::changelog(from, to, format).split("\n") { ui::note(line); } }
"#,
    )
}

fn commit(shop: &Shop, subject: &str, tag: &str) {
    shop.git(&["commit", "-q", "--allow-empty", "-m", subject]);
    shop.git(&["tag", tag]);
}

#[test]
fn hosts_that_serve_the_same_are_one_row_with_what_is_pending_and_what_would_be_lost() {
    let shop = shop();
    let model = shop.done("prod release:v3.0.0", shop.known());
    commit(&shop, "Try it out", "v3.1.0-rc1");
    let model = shop.done("prod:jobs1 deploy:v3.1.0-rc1", model);
    let ran = shop.run("prod pending", model);
    assert_eq!(
        shown(&shop, &ran),
        "\
hosts                   serve                           pending  would be lost
web1, web2, web3, web4  v3.0.0 (0002-<v3.0.0>)      1
jobs1                   v3.1.0-rc1 (0003-<v3.1.0-rc1>)  0        1
web1, web2, web3, web4: pending, up to v3.0.1 (<v3.0.1>)
age  author  commit        subject
0 s  t       <v3.0.1>  two
jobs1: would be lost with v3.0.1 (<v3.0.1>)
age  author  commit        subject
0 s  t       <v3.1.0-rc1>  Try it out
"
    );
    done(ran);
}

#[test]
fn a_host_that_cannot_be_asked_has_a_question_mark_and_the_run_does_not_end_with_0() {
    let shop = shop();
    let mut model = shop.done("prod release:stable", shop.known());
    model.dead.insert(("prod".into(), "web2".into()));
    let ran = shop.run("prod pending", model);
    assert_ne!(ran.ended.exit, Exit::Done, "{:?}", failures(&ran));
    assert_eq!(
        shown(&shop, &ran),
        "\
hosts                    serve                       pending  to know
web1, web3, web4, jobs1  v3.0.1 (0002-<v3.0.1>)  0
web2                     ?                           ?        host `web2` can't be reached: no route to host
"
    );
}

#[test]
fn a_changelog_has_a_line_for_each_commit_and_formats_nothing() {
    let shop = shop();
    for (subject, tag) in [
        ("Merge pull request #12 from anna/login", "v3.0.2"),
        ("Fix *all* [links](https://example.org) (#7)", "v3.0.3"),
        ("Tab\tand <b>", "v3.0.4"),
    ] {
        commit(&shop, subject, tag);
    }
    let text = |format: &str| shown(&shop, &shop.run(&format!("prod changelog:v3.0.1,v3.0.4,{format}"), Model::new()));
    assert_eq!(
        text("text"),
        "Tab\\tand <b> (t, <v3.0.4>)\n#7 Fix *all* [links](https://example.org) (t, <v3.0.3>)\n#12 anna/login (t, <v3.0.2>)\n"
    );
    assert_eq!(
        text("markdown"),
        "- Tab\\\\tand \\<b\\> (t, <v3.0.4>)\n- #7 Fix \\*all\\* \\[links\\]\\(https://example.org\\) (t, <v3.0.3>)\n- #12 anna/login (t, <v3.0.2>)\n"
    );
}
