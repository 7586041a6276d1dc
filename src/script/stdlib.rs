//! The embedded stdlib: policy in Rhai, which a team may read, copy and change.

/// Every module, by its import name.
pub const MODULES: &[(&str, &str)] = &[
    ("std/abort", include_str!("../../stdlib/abort.rhai")),
    ("std/back", include_str!("../../stdlib/back.rhai")),
    ("std/branches", include_str!("../../stdlib/branches.rhai")),
    ("std/changelog", include_str!("../../stdlib/changelog.rhai")),
    ("std/cron", include_str!("../../stdlib/cron.rhai")),
    ("std/deploy", include_str!("../../stdlib/deploy.rhai")),
    ("std/drain", include_str!("../../stdlib/drain.rhai")),
    ("std/finish", include_str!("../../stdlib/finish.rhai")),
    ("std/forge", include_str!("../../stdlib/forge.rhai")),
    ("std/gate", include_str!("../../stdlib/gate.rhai")),
    ("std/gitea", include_str!("../../stdlib/gitea.rhai")),
    ("std/gitflow", include_str!("../../stdlib/gitflow.rhai")),
    ("std/github", include_str!("../../stdlib/github.rhai")),
    ("std/gitlab", include_str!("../../stdlib/gitlab.rhai")),
    ("std/health", include_str!("../../stdlib/health.rhai")),
    ("std/hooks", include_str!("../../stdlib/hooks.rhai")),
    ("std/hotfix", include_str!("../../stdlib/hotfix.rhai")),
    ("std/line", include_str!("../../stdlib/line.rhai")),
    ("std/mail", include_str!("../../stdlib/mail.rhai")),
    ("std/landing", include_str!("../../stdlib/landing.rhai")),
    ("std/maintenance", include_str!("../../stdlib/maintenance.rhai")),
    ("std/markdown", include_str!("../../stdlib/markdown.rhai")),
    ("std/markers", include_str!("../../stdlib/markers.rhai")),
    ("std/merging", include_str!("../../stdlib/merging.rhai")),
    ("std/notify", include_str!("../../stdlib/notify.rhai")),
    ("std/ops", include_str!("../../stdlib/ops.rhai")),
    ("std/package", include_str!("../../stdlib/package.rhai")),
    ("std/pages", include_str!("../../stdlib/pages.rhai")),
    ("std/pause", include_str!("../../stdlib/pause.rhai")),
    ("std/pending", include_str!("../../stdlib/pending.rhai")),
    ("std/pick", include_str!("../../stdlib/pick.rhai")),
    ("std/previous", include_str!("../../stdlib/previous.rhai")),
    ("std/proxy", include_str!("../../stdlib/proxy.rhai")),
    ("std/pulls", include_str!("../../stdlib/pulls.rhai")),
    ("std/request", include_str!("../../stdlib/request.rhai")),
    ("std/review", include_str!("../../stdlib/review.rhai")),
    ("std/rollback", include_str!("../../stdlib/rollback.rhai")),
    ("std/service", include_str!("../../stdlib/service.rhai")),
    ("std/stage", include_str!("../../stdlib/stage.rhai")),
    ("std/status", include_str!("../../stdlib/status.rhai")),
    ("std/trunk", include_str!("../../stdlib/trunk.rhai")),
    ("std/verdict", include_str!("../../stdlib/verdict.rhai")),
    ("std/version", include_str!("../../stdlib/version.rhai")),
    ("std/workflow", include_str!("../../stdlib/workflow.rhai")),
];

/// Returns the text of a module.
pub fn text(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}
