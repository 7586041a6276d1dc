//! The shapes of GitLab's REST API, version 4.
use super::{COMMIT, Pull, Report, Story};
use serde_json::{Value, json};

/// Returns what is at a path after `before` other requests; none if nothing is.
pub(super) fn said(story: &Story, method: &str, path: &str, query: &str, before: usize) -> Option<Value> {
    let path = path.strip_prefix("/projects/shop%2Fweb")?;
    Some(match (method, path) {
        ("GET", "/pipelines") if query.contains(COMMIT) => pipelines(story),
        ("GET", "/pipelines/500/jobs") => story.reports.iter().enumerate().map(job).collect(),
        ("GET", "/pipelines/500/bridges") => json!([]),
        // The pipeline that an external status made.
        ("GET", "/pipelines/501/jobs" | "/pipelines/501/bridges") => json!([]),
        ("GET", path) if path == format!("/repository/commits/{COMMIT}/merge_requests") => {
            story.pulls.iter().map(request).collect()
        }
        ("GET", path) if path.starts_with("/merge_requests/") => {
            let (number, of) = path.strip_prefix("/merge_requests/")?.split_once('/')?;
            let pull = story.pulls.iter().find(|pull| pull.number.to_string() == number)?;
            about(pull, of)?
        }
        ("GET", "/repository/compare") => json!({ "commits": [{ "id": COMMIT, "title": "Faster baskets" }] }),
        ("GET", "/deployments") if before == 0 => json!([]),
        ("GET", "/deployments") => json!([{ "id": 7, "sha": COMMIT, "status": "running" }]),
        ("PUT", "/deployments/7") => json!({ "id": 7, "sha": COMMIT, "status": "failed" }),
        ("POST", "/deployments") => json!({ "id": 7, "sha": COMMIT, "status": "running" }),
        _ => return None,
    })
}

fn pipelines(story: &Story) -> Value {
    let of = |id: u32, source: &str, status: &str| {
        let sha = story.reports.first().map_or(COMMIT, |report| report.commit);
        json!({ "id": id, "iid": id, "sha": sha, "ref": "main", "status": status, "source": source })
    };
    json!([of(501, "external", "success"), of(500, story.source, "running")])
}

fn job((at, report): (usize, &Report)) -> Value {
    json!({
        "id": 1000 + at, "name": report.name, "stage": "test", "status": report.state,
        "allow_failure": report.may_fail, "ref": "main", "tag": false, "web_url": "https://gitlab.com/shop/web/-/jobs/1",
    })
}

fn request(pull: &Pull) -> Value {
    json!({
        "iid": pull.number, "state": if pull.merge.is_some() { "merged" } else { "opened" }, "title": "Faster baskets",
        "target_branch": pull.into, "source_branch": "basket", "sha": pull.head, "merge_commit_sha": pull.merge,
        "squash_commit_sha": null, "author": { "username": "anna" },
        "web_url": format!("https://gitlab.com/shop/web/-/merge_requests/{}", pull.number),
    })
}

/// What is known of a merge request. Somebody pushed its head at 12:00; an approval of another commit came before.
fn about(pull: &Pull, of: &str) -> Option<Value> {
    let by = |state: &str| pull.reviews.iter().filter(move |review| review.state == state).collect::<Vec<_>>();
    Some(match of {
        "versions" => {
            let one = |id: u32, head: &str, at: &str| json!({ "id": id, "head_commit_sha": head, "base_commit_sha": pull.base, "created_at": at });
            let mut all =
                vec![one(2, pull.head, "2026-11-24T12:00:00.000Z"), one(1, super::OTHER, "2026-11-24T09:00:00.000Z")];
            // A change of the base makes a version, too. They are listed newest first.
            all.splice(..0, pull.rebased.map(|change| one(3, pull.head, change.at)));
            all.into()
        }
        "approvals" => {
            let time =
                |review: &super::Review| if review.commit == pull.head { review.at } else { "2026-11-24T10:00:00Z" };
            let one =
                |review: &&super::Review| json!({ "user": { "username": review.by }, "approved_at": time(review) });
            let approved: Vec<Value> = by("approved").iter().map(one).collect();
            json!({ "approved": true, "approvals_required": 0, "approvals_left": 0, "approved_by": approved })
        }
        "reviewers" => {
            let one =
                |review: &&super::Review| json!({ "user": { "username": review.by }, "state": "requested_changes" });
            by("against").iter().map(one).collect()
        }
        _ => return None,
    })
}
