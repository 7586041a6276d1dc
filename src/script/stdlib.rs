//! The embedded stdlib: policy in Rhai, which a team may read, copy and change.

/// Every module, by its import name.
pub const MODULES: [(&str, &str); 22] = [
    ("std/abort", include_str!("../../stdlib/abort.rhai")),
    ("std/changelog", include_str!("../../stdlib/changelog.rhai")),
    ("std/cron", include_str!("../../stdlib/cron.rhai")),
    ("std/deploy", include_str!("../../stdlib/deploy.rhai")),
    ("std/drain", include_str!("../../stdlib/drain.rhai")),
    ("std/gitflow", include_str!("../../stdlib/gitflow.rhai")),
    ("std/health", include_str!("../../stdlib/health.rhai")),
    ("std/mail", include_str!("../../stdlib/mail.rhai")),
    ("std/maintenance", include_str!("../../stdlib/maintenance.rhai")),
    ("std/markdown", include_str!("../../stdlib/markdown.rhai")),
    ("std/markers", include_str!("../../stdlib/markers.rhai")),
    ("std/notify", include_str!("../../stdlib/notify.rhai")),
    ("std/ops", include_str!("../../stdlib/ops.rhai")),
    ("std/package", include_str!("../../stdlib/package.rhai")),
    ("std/pause", include_str!("../../stdlib/pause.rhai")),
    ("std/pending", include_str!("../../stdlib/pending.rhai")),
    ("std/previous", include_str!("../../stdlib/previous.rhai")),
    ("std/proxy", include_str!("../../stdlib/proxy.rhai")),
    ("std/rollback", include_str!("../../stdlib/rollback.rhai")),
    ("std/service", include_str!("../../stdlib/service.rhai")),
    ("std/stage", include_str!("../../stdlib/stage.rhai")),
    ("std/status", include_str!("../../stdlib/status.rhai")),
];

/// Returns the text of a module.
pub fn text(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}
