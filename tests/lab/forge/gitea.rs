//! The shapes of Gitea's API, version 1.
use super::{COMMIT, Pull, Report, Review, Story};
use serde_json::{Value, json};

/// Returns what is at a path; none if nothing is.
pub(super) fn said(story: &Story, method: &str, path: &str) -> Option<Value> {
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
