//! The shapes of GitHub's REST API, version 2022-11-28.
use super::{COMMIT, Pull, Report, Review, Story};
use serde_json::{Value, json};

/// Returns what is at a path after `before` other requests; none if nothing is.
pub(super) fn said(story: &Story, method: &str, path: &str, before: usize) -> Option<Value> {
    let path = path.strip_prefix("/repos/shop/web")?;
    let commit = format!("/commits/{COMMIT}");
    Some(match (method, path) {
        ("GET", "/rules/branches/main" | "/rules/branches/release%2F3.1") => rules(story),
        ("GET", "/branches/main" | "/branches/release%2F3.1") => branch(story),
        ("GET", path) if path == format!("{commit}/check-runs") => {
            let runs: Vec<Value> = numbered(story, false).map(run).collect();
            json!({ "total_count": runs.len(), "check_runs": runs })
        }
        ("GET", path) if path == format!("{commit}/status") => statuses(story),
        ("GET", path) if path == format!("{commit}/pulls") => story.pulls.iter().map(pull).collect(),
        ("GET", path) if path.starts_with("/pulls/") => {
            let number: i64 = path.strip_prefix("/pulls/")?.strip_suffix("/reviews")?.parse().ok()?;
            let pull = story.pulls.iter().find(|pull| pull.number == number)?;
            pull.reviews.iter().enumerate().map(review).collect()
        }
        ("GET", path) if path.starts_with("/issues/") => {
            let number: i64 = path.strip_prefix("/issues/")?.strip_suffix("/events")?.parse().ok()?;
            let readable = |pull: &&Pull| pull.number == number && !pull.is_unreadable();
            events(story.pulls.iter().find(readable)?)
        }
        ("GET", "/compare/v1...v2") => {
            json!({ "status": "ahead", "total_commits": 1, "commits": [{ "sha": COMMIT, "parents": [] }] })
        }
        ("GET", "/deployments") if before == 0 => json!([]),
        ("GET", "/deployments") => json!([{ "id": 7, "sha": COMMIT, "environment": "production" }]),
        ("POST", "/deployments") => json!({ "id": 7, "sha": COMMIT, "environment": "production" }),
        ("POST", "/deployments/7/statuses") => json!({ "id": 1, "state": "in_progress" }),
        _ => return None,
    })
}

fn numbered(story: &Story, status: bool) -> impl Iterator<Item = (usize, &Report)> {
    story.reports.iter().enumerate().filter(move |(_, report)| report.status == status)
}

fn rules(story: &Story) -> Value {
    let wanted = story.required.iter().map(|name| match story.app {
        Some(app) => json!({ "context": name, "integration_id": app }),
        None => json!({ "context": name }),
    });
    let wanted: Vec<Value> = wanted.collect();
    let of = |kind: &str| json!({ "type": kind, "ruleset_source_type": "Repository", "ruleset_source": "shop/web", "ruleset_id": 42 });
    let mut rules = vec![of("deletion"), of("non_fast_forward")];
    if !wanted.is_empty() {
        let mut rule = of("required_status_checks");
        rule["parameters"] = json!({ "strict_required_status_checks_policy": true, "required_status_checks": wanted });
        rules.push(rule);
    }
    if let Some(path) = story.workflow {
        let mut rule = of("workflows");
        rule["parameters"] = json!({ "workflows": [{ "path": path, "repository_id": 7, "ref": "main" }] });
        rules.push(rule);
    }
    rules.into()
}

fn branch(story: &Story) -> Value {
    let checks: Vec<Value> = story.classic.iter().map(|name| json!({ "context": name, "app_id": null })).collect();
    let level = if checks.is_empty() { "off" } else { "everyone" };
    json!({
        "name": "main", "commit": { "sha": COMMIT }, "protected": true,
        "protection": {
            "enabled": !checks.is_empty(),
            "required_status_checks": { "enforcement_level": level, "contexts": story.classic, "checks": checks },
        },
    })
}

/// A check run; a state that isn't one of a run is the conclusion of a completed one.
fn run((at, report): (usize, &Report)) -> Value {
    let status = match report.state {
        state @ ("queued" | "in_progress" | "waiting" | "requested" | "pending" | "odd") => state,
        _ => "completed",
    };
    let conclusion = if status == "completed" && report.state != "none" { json!(report.state) } else { Value::Null };
    json!({
        "id": 1000 + at, "head_sha": report.commit, "name": report.name, "status": status, "conclusion": conclusion,
        "started_at": "2026-11-24T12:00:00Z", "completed_at": null, "details_url": "https://github.com/shop/web/runs",
        "app": { "id": report.app, "slug": "github-actions" }, "check_suite": { "id": 5 }, "pull_requests": [],
        "output": { "title": null, "summary": null, "annotations_count": 0 },
    })
}

fn statuses(story: &Story) -> Value {
    let of = |(at, report): (usize, &Report)| json!({ "id": 2000 + at, "context": report.name, "state": report.state });
    let all: Vec<Value> = numbered(story, true).map(of).collect();
    let sha = numbered(story, true).map(|(_, report)| report.commit).next().unwrap_or(COMMIT);
    // With no status at all, the whole is `pending`.
    json!({ "state": "pending", "sha": sha, "total_count": all.len(), "statuses": all })
}

fn pull(pull: &Pull) -> Value {
    json!({
        "number": pull.number, "state": if pull.merge.is_some() { "closed" } else { "open" }, "title": "Faster baskets",
        "html_url": format!("https://github.com/shop/web/pull/{}", pull.number), "user": { "login": "anna" },
        "merged_at": pull.merge.map(|_| "2026-11-24T12:00:00Z"), "merge_commit_sha": pull.merge.unwrap_or(super::OTHER),
        "head": { "ref": "basket", "sha": pull.head }, "base": { "ref": pull.into, "sha": pull.base },
    })
}

fn review((at, review): (usize, &Review)) -> Value {
    let state = match review.state {
        "approved" => "APPROVED",
        "against" => "CHANGES_REQUESTED",
        "dismissed" => "DISMISSED",
        other => other,
    };
    json!({
        "id": 80 + at, "user": { "login": review.by }, "state": state, "commit_id": review.commit, "body": "",
        "author_association": if review.writes { "MEMBER" } else { "NONE" }, "submitted_at": review.at,
    })
}

/// What happened to a pull request. Reviews aren't among it.
fn events(pull: &Pull) -> Value {
    let event =
        |word: &str, at: &str| json!({ "id": 1, "event": word, "actor": { "login": "anna" }, "created_at": at });
    let mut all = vec![event("labeled", "2026-11-24T09:00:00Z")];
    all.extend(pull.rebased.map(|change| event(change.word, change.at)));
    all.push(event("renamed", "2026-11-24T23:00:00Z"));
    all.into()
}
