//! The shapes of Gitea's API, version 1.
use super::{COMMIT, Pull, Report, Review, Story};
use serde_json::{Value, json};

/// Returns what is at a path; none if nothing is.
pub(super) fn said(story: &Story, method: &str, path: &str, query: &str) -> Option<Value> {
    let path = path.strip_prefix("/repos/shop/web")?;
    let commit = format!("/commits/{COMMIT}");
    Some(match (method, path) {
        ("GET", "/branches/main") => json!({
            "name": "main", "commit": { "id": COMMIT }, "protected": true, "required_approvals": 1,
            "enable_status_check": !story.required.is_empty(), "status_check_contexts": story.required,
            "user_can_push": false, "user_can_merge": false, "effective_branch_protection_name": "main",
        }),
        ("GET", path) if path == format!("{commit}/statuses") => {
            // Newest first.
            story.reports.iter().enumerate().rev().map(status).collect()
        }
        ("GET", path) if path == format!("{commit}/pull") => {
            pull(story.pulls.iter().find(|pull| pull.merge.is_some())?)
        }
        ("GET", "/pulls") => story.pulls.iter().filter(|pull| pull.merge.is_none()).map(pull).collect(),
        ("GET", path) if path.starts_with("/pulls/") => {
            let number: i64 = path.strip_prefix("/pulls/")?.strip_suffix("/reviews")?.parse().ok()?;
            let of = story.pulls.iter().find(|pull| pull.number == number)?;
            of.reviews.iter().enumerate().map(|(at, one)| review(at, one, of)).collect()
        }
        ("GET", path) if path.starts_with("/issues/") => {
            let number: i64 = path.strip_prefix("/issues/")?.strip_suffix("/timeline")?.parse().ok()?;
            let readable = |pull: &&Pull| pull.number == number && !pull.is_unreadable();
            timeline(story.pulls.iter().find(readable)?, query)
        }
        ("GET", "/compare/v1...v2") => json!({ "total_commits": 1, "commits": [{ "sha": COMMIT }] }),
        ("POST", path) if path == format!("/statuses/{COMMIT}") => json!({ "id": 9, "status": "pending" }),
        _ => return None,
    })
}

fn status((at, report): (usize, &Report)) -> Value {
    let url = format!("https://gitea.example.org/api/v1/repos/shop/web/statuses/{}", report.commit);
    json!({ "id": 1000 + at, "context": report.name, "status": report.state, "description": "", "url": url, "target_url": "" })
}

fn pull(pull: &Pull) -> Value {
    json!({
        "number": pull.number, "state": if pull.merge.is_some() { "closed" } else { "open" }, "title": "Faster baskets",
        "html_url": format!("https://gitea.example.org/shop/web/pulls/{}", pull.number), "user": { "login": "anna" },
        "merged": pull.merge.is_some(), "merge_commit_sha": pull.merge, "head": { "ref": "basket", "sha": pull.head },
        "base": { "ref": pull.into, "sha": pull.base }, "merge_base": pull.base,
    })
}

fn review(at: usize, review: &Review, of: &Pull) -> Value {
    let state = match review.state {
        "against" => "REQUEST_CHANGES",
        _ => "APPROVED",
    };
    json!({
        "id": 80 + at, "user": { "login": review.by }, "state": state, "commit_id": review.commit, "body": "",
        "stale": review.commit != of.head, "official": review.writes, "dismissed": review.state == "dismissed",
    })
}

/// A page of what happened to a pull request, oldest first. The comments on the first page and on many pages before a
/// change of the base are hidden, and no page names the next one; an empty page is `null`. The last page has the merge.
fn timeline(pull: &Pull, query: &str) -> Value {
    let mut all: Vec<(&str, Value)> =
        pull.reviews.iter().enumerate().map(|(at, one)| (one.at, review_seen(at, one))).collect();
    if let Some(change) = pull.rebased {
        let value = json!({ "id": 70, "type": "change_target_branch", "old_ref": "junk", "new_ref": pull.into, "created_at": change.at });
        all.push((change.at, value));
    }
    all.sort_by_key(|(at, _)| *at);
    let is_later = |at: &str| pull.rebased.is_some_and(|change| change.at <= at);
    let page = query.rsplit_once("&page=").map(|(_, page)| page);
    let here = all.into_iter().filter(|(at, _)| page == Some(if is_later(at) { "12" } else { "2" }));
    let mut here: Vec<Value> = here.map(|(_, value)| value).collect();
    let last = if pull.rebased.is_some() { "13" } else { "3" };
    if pull.merge.is_some() && page == Some(last) {
        here.push(json!({ "id": 90, "type": "merge_pull", "created_at": "2026-11-24T15:00:00Z" }));
    }
    if here.is_empty() { Value::Null } else { here.into() }
}

fn review_seen(at: usize, review: &Review) -> Value {
    json!({ "id": 60 + at, "type": "review", "review_id": 80 + at, "created_at": review.at })
}
