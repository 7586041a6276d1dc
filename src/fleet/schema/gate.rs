//! The keys of a gate.
use super::{SchemaTable, ValueKind, key};

/// What a forge must know of a commit before it's deployed.
pub const GATE: SchemaTable = SchemaTable {
    path: "gate",
    open: false,
    keys: &[
        key("forge", ValueKind::Word(&["github", "gitlab", "gitea"]), "needed", "the software that the forge runs"),
        key(
            "project",
            ValueKind::Text,
            "needed",
            "the project on the forge, as `owner/name`. With GitLab, it can be in nested groups",
        ),
        key(
            "url",
            ValueKind::Text,
            "`https://api.github.com` or `https://gitlab.com/api/v4`; with `gitea`, needed",
            "the root of the forge's API. It must be `https`, except on your own machine",
        ),
        key(
            "token",
            ValueKind::Text,
            "needed",
            "where the [token](guide/gates.md#the-token) is kept: `env:NAME` is an environment variable, `file:PATH` is a file inside the fabfile's folder, and `command:WORDS` is what a program prints",
        ),
        key(
            "branch",
            ValueKind::Text,
            "needed",
            "the branch with the rules that list the required checks. `release/*` means the release line that [has the commit](guide/trunk.md#gates)",
        ),
        key("checks", ValueKind::YesNo, "`true`", "whether the branch's required checks must be green"),
        key("reviews", ValueKind::Number, "none", "how many people must have approved the pull request"),
        key(
            "pulls",
            ValueKind::YesNo,
            "`false`",
            "whether [pull requests move the branches](guide/hotfix.md#protected-branches) that a finished hotfix is merged into. Write `true` if the forge protects them",
        ),
        key("within", ValueKind::Time, "`30m`", "how long a deploy waits for checks and reviews. After that, it fails"),
        key(
            "environment",
            ValueKind::Text,
            "none",
            "the environment that rfab reports deploys for. Without it, rfab doesn't report deploys, and the token needs only read access",
        ),
    ],
};
