//! Gates: what rfab decides from the answers of a forge, hostile ones included, and what it sends.
mod merged;
mod steps;

use super::{fabfile, ran_in};
use lab::forge::{COMMIT, Change, Dialect, Forge, Manner, OTHER, Pull, Report, Review, Story};

const TOKEN: &str = "forge-token-hunter2";

type Cases = Vec<(&'static str, Story)>;

/// Judges each case with a fresh forge; returns what rfab printed, a case a line, and the forge.
fn judged(dialect: Dialect, cases: Cases) -> (String, Forge) {
    let names: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
    let forge = Forge::start(dialect, cases);
    let module = format!("{dialect:?}").to_lowercase();
    let root = forge.url("");
    let folder = fabfile(&format!(
        r##"
import "std/{module}" as asking;
import "std/verdict" as deciding;
fn act() {{
    for name in {names:?} {{ one(name, secret::env("FORGE_TOKEN")); }}
}}
private fn one(name, token) {{
    let of = #{{ url: "{root}" + name, project: "shop/web", token: token, reviews: 1, deadline: clock::now() + 4 }};
    try {{
        let now = asking::judge(of, "{COMMIT}", "main");
        ui::note(`${{name}} ${{now.verdict}} ${{deciding::open(now)}}`);
    }} catch (failure) {{
        ui::note(`${{name}} ${{failure.cause}} ${{failure.message}}`);
        ui::note(`    ${{failure.help}}`);
    }}
}}
"##
    ));
    let (out, err, code) = ran_in(folder.path(), &[("FORGE_TOKEN", TOKEN)], &["act"]);
    assert_eq!((err.as_str(), code), ("", Some(0)), "{out}");
    assert!(!out.contains("hunter2"), "{out}");
    for asked in forge.asked() {
        assert_eq!(asked.authorization, format!("Bearer {TOKEN}"), "{asked:?}");
    }
    let text: Vec<&str> = out.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let port = root.trim_end_matches('/').rsplit(':').next().unwrap();
    let text = text
        .join("\n")
        .replace(&format!("localhost:{port}"), "ELSEWHERE")
        .replace(root.trim_end_matches('/'), "ROOT")
        .replace(COMMIT, "COMMIT");
    (text + "\n", forge)
}

/// The cases that every forge can be in.
fn common() -> Cases {
    let pulled = |pull: Pull| Story { pulls: vec![pull], ..Story::default() };
    let approved = |review: Review| Story::reviewed(&[review]);
    let changed = |at: &'static str| {
        let change = Change { word: "base_ref_changed", at };
        let reviews = vec![
            Review { at: "2026-11-24T12:30:00Z", ..Review::of("berta", "approved") },
            Review { at: "2026-11-24T13:30:00Z", ..Review::of("carl", "approved") },
        ];
        pulled(Pull { rebased: Some(change), reviews, ..Pull::default() })
    };
    vec![
        ("green", Story::default()),
        (
            "merged",
            pulled(Pull {
                head: OTHER,
                merge: Some(COMMIT),
                reviews: vec![Review { commit: OTHER, ..Review::of("berta", "approved") }],
                ..Pull::default()
            }),
        ),
        ("unapproved", Story::reviewed(&[])),
        ("stale", approved(Review { commit: OTHER, ..Review::of("berta", "approved") })),
        ("own", approved(Review::of("anna", "approved"))),
        ("against", Story::reviewed(&[Review::of("berta", "approved"), Review::of("carl", "against")])),
        ("rebased-before", changed("2026-11-24T12:10:00Z")),
        ("rebased-between", changed("2026-11-24T13:00:00Z")),
        ("rebased-after", changed("2026-11-24T14:00:00Z")),
        ("rebased-then", changed("2026-11-24T13:30:00Z")),
        ("unpulled", Story { pulls: vec![], ..Story::default() }),
        ("elsewhere-into", pulled(Pull { into: "junk", ..Pull::default() })),
        ("other-head", pulled(Pull { head: OTHER, ..Pull::default() })),
        ("unrequired", Story { required: vec![], reports: vec![], ..Story::default() }),
        ("paged", Story::behaving(Manner::Pages(1))),
        ("limited", Story::behaving(Manner::Limited(429))),
        ("broken", Story::behaving(Manner::First(1, 502))),
        ("broken-long", Story::behaving(Manner::First(99, 500))),
        ("hangs", Story::behaving(Manner::Hangs)),
        ("html", Story::behaving(Manner::NoJson)),
        ("shapeless", Story::behaving(Manner::Shapeless)),
        ("huge", Story::behaving(Manner::Huge)),
        ("elsewhere", Story::behaving(Manner::Elsewhere)),
        ("next-elsewhere", Story::behaving(Manner::NextElsewhere)),
        ("expired", Story::behaving(Manner::Always(401))),
        ("forbidden", Story::behaving(Manner::Always(403))),
        ("private", Story::behaving(Manner::Always(404))),
        ("teapot", Story::behaving(Manner::Always(418))),
    ]
}

fn with(more: Cases) -> Cases {
    common().into_iter().chain(more).collect()
}

/// The checks of GitHub.
fn checked() -> Cases {
    let build = |state: &'static str| Story::reported(&[Report::of("build", state), Report::of("test", "success")]);
    let run = Report::of;
    vec![
        ("red", build("failure")),
        ("queued", build("queued")),
        ("held", build("waiting")),
        ("skipped", build("skipped")),
        ("neutral", build("neutral")),
        ("cancelled", build("cancelled")),
        ("unknown", build("sparkling")),
        ("odd-status", build("odd")),
        ("no-conclusion", build("none")),
        ("missing", Story::reported(&[run("test", "success")])),
        ("nothing", Story::reported(&[])),
        ("other-sha", Story::reported(&[Report { commit: OTHER, ..run("build", "success") }, run("test", "success")])),
        ("other-sha-status", Story::reported(&[Report { commit: OTHER, ..Report::status("build", "success") }])),
        ("statuses", Story::reported(&[Report::status("build", "success"), Report::status("test", "pending")])),
        ("both", Story::reported(&[run("build", "success"), Report::status("build", "error"), run("test", "success")])),
        ("mended", Story::reported(&[run("build", "failure"), run("build", "success"), run("test", "success")])),
        ("broke", Story::reported(&[run("build", "success"), run("build", "failure"), run("test", "success")])),
        (
            "two-apps",
            Story::reported(&[
                run("build", "failure"),
                Report { app: 2, ..run("build", "success") },
                run("test", "success"),
            ]),
        ),
        ("app", Story { app: Some(15368), ..Story::default() }),
        ("any-app", Story { app: Some(-1), ..Story::default() }),
        ("wrong-app", Story { app: Some(9), ..Story::default() }),
        (
            "app-status",
            Story {
                app: Some(15368),
                reports: vec![Report::status("build", "success"), run("test", "success")],
                ..Story::default()
            },
        ),
        ("classic", Story { required: vec![], classic: vec!["build", "lint"], ..Story::default() }),
        ("two-lists", Story { required: vec!["build"], classic: vec!["build", "lint"], ..Story::default() }),
        ("workflow", Story { workflow: Some(".github/workflows/scan.yml"), ..Story::default() }),
        (
            "unrequired-red",
            Story { reports: [Story::default().reports, vec![run("lint", "failure")]].concat(), ..Story::default() },
        ),
        ("torn", Story::behaving(Manner::Torn(1))),
        ("limited-403", Story::behaving(Manner::Limited(403))),
    ]
}

/// A pull request with a change of its base after it was approved.
fn rebased(word: &'static str) -> Story {
    let rebased = Some(Change { word, at: "2026-11-24T14:00:00Z" });
    Story { pulls: vec![Pull { rebased, ..Pull::default() }], ..Story::default() }
}

/// The reviews of GitHub.
fn reviewed() -> Cases {
    vec![
        ("forced-base", rebased("base_ref_force_pushed")),
        ("unreadable", rebased("unreadable")),
        ("outsider", Story::reviewed(&[Review { writes: false, ..Review::of("mallory", "approved") }])),
        (
            "outsider-against",
            Story::reviewed(&[
                Review::of("berta", "approved"),
                Review { writes: false, ..Review::of("mallory", "against") },
            ]),
        ),
        ("dismissed", Story::reviewed(&[Review::of("berta", "approved"), Review::of("berta", "dismissed")])),
        ("again", Story::reviewed(&[Review::of("berta", "against"), Review::of("berta", "approved")])),
    ]
}

#[test]
fn github_lets_only_what_is_known_to_be_green_pass() {
    let (said, _) = judged(Dialect::Github, with(checked().into_iter().chain(reviewed()).collect()));
    assert_eq!(said, include_str!("gate/github.txt"));
}

#[test]
fn gitlab_lets_only_what_is_known_to_be_green_pass() {
    let build = |state: &'static str| Story::reported(&[Report::of("build", state), Report::of("test", "success")]);
    let cases = with(vec![
        ("red", build("failed")),
        ("running", build("running")),
        ("manual", build("manual")),
        ("skipped", build("skipped")),
        ("canceled", build("canceled")),
        ("unknown", build("sparkling")),
        (
            "may-fail",
            Story::reported(&[
                Report { may_fail: true, ..Report::of("build", "failed") },
                Report::of("test", "success"),
            ]),
        ),
        ("all-may-fail", Story::reported(&[Report { may_fail: true, ..Report::of("build", "success") }])),
        ("external", Story { source: "external", ..Story::default() }),
        ("scheduled", Story { source: "schedule", ..Story::default() }),
        ("request", Story { source: "merge_request_event", ..Story::default() }),
        ("other-sha", Story::reported(&[Report { commit: OTHER, ..Report::of("build", "success") }])),
    ]);
    let (said, _) = judged(Dialect::Gitlab, cases);
    assert_eq!(said, include_str!("gate/gitlab.txt"));
}

#[test]
fn gitea_lets_only_what_is_known_to_be_green_pass() {
    let build = |state: &'static str| Story::reported(&[Report::of("build", state), Report::of("test", "success")]);
    let required = |required: &[&'static str], reports: &[Report]| Story {
        required: required.to_vec(),
        ..Story::reported(reports)
    };
    let run = Report::of;
    let cases = with(vec![
        ("red", build("failure")),
        ("pending", build("pending")),
        ("warning", build("warning")),
        ("skipped", build("skipped")),
        ("missing", Story::reported(&[run("test", "success")])),
        ("mended", Story::reported(&[run("build", "failure"), run("build", "success"), run("test", "success")])),
        ("broke", Story::reported(&[run("build", "success"), run("build", "failure"), run("test", "success")])),
        ("other-sha", Story::reported(&[Report { commit: OTHER, ..run("build", "success") }, run("test", "success")])),
        ("star", required(&["ci/*"], &[run("ci/a", "success"), run("ci/b", "failure"), run("lint", "failure")])),
        (
            "star-green",
            required(&["*i/*/x", "li*"], &[run("ci/a/x", "success"), run("ci/b", "failure"), run("lint", "success")]),
        ),
        ("star-nothing", required(&["ci/*"], &[run("lint", "success")])),
        ("star-own", required(&["*"], &[run("ci", "success"), run("deploy/production", "failure")])),
        ("class", required(&["ci/[ab]"], &[run("ci/a", "success")])),
        ("unreadable", rebased("unreadable")),
        ("unofficial", Story::reviewed(&[Review { writes: false, ..Review::of("mallory", "approved") }])),
        ("dismissed", Story::reviewed(&[Review::of("berta", "dismissed")])),
    ]);
    let (said, _) = judged(Dialect::Gitea, cases);
    assert_eq!(said, include_str!("gate/gitea.txt"));
}

#[test]
fn what_happened_to_a_merged_pull_request_of_gitea_is_read_once_and_up_to_its_merge() {
    let merged = |rebased| {
        let reviews = vec![Review { at: "2026-11-24T13:00:00Z", ..Review::of("berta", "approved") }];
        Story { pulls: vec![Pull { merge: Some(OTHER), rebased, reviews, ..Pull::default() }], ..Story::default() }
    };
    let changed = |at| Some(Change { word: "base_ref_changed", at });
    let cases = vec![
        ("plain", merged(None)),
        ("before", merged(changed("2026-11-24T12:00:00Z"))),
        ("after", merged(changed("2026-11-24T14:00:00Z"))),
        ("open", Story::default()),
    ];
    let (said, forge) = judged(Dialect::Gitea, cases);
    let again = "1 more person with write access, other than anna, must approve its head; berta must approve it again, \
                 because its base changed";
    let want = format!("rfab act\nplain green\nbefore green\nafter waiting #12: {again}\nopen green\n");
    assert_eq!(said, want);
    let asked = forge.asked();
    let pages = |case: &str| asked.iter().filter(|one| one.case == case && one.path.contains("/timeline")).count();
    // Before a change of the base there are ten pages of which nothing is shown.
    assert_eq!(["plain", "before", "after", "open"].map(pages), [3, 13, 13, 20]);
}

/// Calls `deployment` and `pulls` of a module; returns what rfab printed, and what it sent.
fn reported(dialect: Dialect) -> (String, Vec<String>) {
    let forge = Forge::start(
        dialect,
        vec![("x", Story { pulls: vec![Pull { merge: Some(COMMIT), ..Pull::default() }], ..Story::default() })],
    );
    let (module, root) = (format!("{dialect:?}").to_lowercase(), forge.url("x"));
    let folder = fabfile(&format!(
        r##"
import "std/{module}" as asking;
fn act() {{
    let of = #{{ url: "{root}", project: "shop/web", token: secret::env("FORGE_TOKEN"), branch: "main" }};
    asking::deployment(of, "{COMMIT}", "production", "in_progress");
    asking::deployment(of, "{COMMIT}", "production", "failure");
    for one in asking::pulls(of, "v1", "v2") {{ ui::note(`#${{one.number}} ${{one.title}} by ${{one.author}}`); }}
}}
"##
    ));
    let (out, err, code) = ran_in(folder.path(), &[("FORGE_TOKEN", TOKEN)], &["act"]);
    assert_eq!((err.as_str(), code), ("", Some(0)), "{out}");
    let sent = forge.asked().into_iter().filter(|asked| asked.method != "GET");
    (
        out,
        sent.map(|asked| format!("{} {} {}", asked.method, asked.path, asked.body).replace(COMMIT, "COMMIT")).collect(),
    )
}

#[test]
fn deployments_are_reported_without_a_second_judge_and_pull_requests_are_listed() {
    let said = |dialect| {
        let (out, sent) = reported(dialect);
        assert!(out.contains("#12 Faster baskets by anna"), "{out}");
        sent.join("\n")
    };
    assert_eq!(said(Dialect::Github), include_str!("gate/github-sent.txt").trim_end());
    assert_eq!(said(Dialect::Gitlab), include_str!("gate/gitlab-sent.txt").trim_end());
    assert_eq!(said(Dialect::Gitea), include_str!("gate/gitea-sent.txt").trim_end());
}
