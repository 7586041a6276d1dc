//! Choices of what is released, from where, and over what.
use super::{Bar, Choice, Value};
use crate::choices::making::{First, Made, Reference, Repository};
use crate::choices::need::{BOOKWORM, BULLSEYE, Need, SID, TRIXIE};

pub const CHOICES: &[Choice] = &[
    Choice {
        name: "reference",
        title: "What you type",
        values: &[
            Value::of("tag", "A tag: `release:v3.0.1`.", |m| m.reference = Reference::Tag),
            Value::of("stable", "The newest tag: `release:stable`.", |m| m.reference = Reference::Stable),
            Value::of("digits", "The digits of a commit that has a tag.", |m| m.reference = Reference::Digits),
            Value::of("branch", "A branch with commits that have no tag.", |m| m.reference = Reference::Branch),
        ],
    },
    Choice {
        name: "made",
        title: "What is released",
        values: &[
            Value::of("tree", "The tree of a commit.", |_| {}),
            Value::of("build", "What the `build` hook makes from it on your machine.", |m| m.made = Made::Build),
            Value::of("archive", "An archive that CI made from it, with its sha256.", |m| m.made = Made::Archive),
            Value::of("package", "A package, which the hosts' own package manager installs.", |m| {
                m.made = Made::Package
            }),
        ],
    },
    Choice {
        name: "dies",
        title: "How a broken release fails",
        values: &[
            Value::of("never well", "It never becomes healthy: its group stays out.", |_| {}),
            Value::of(
                "late",
                "It's healthy at first, and dies after it's put back. rfab never reports an unhealthy host as healthy, \
                 and the next group stays live.",
                |m| m.dies_late = true,
            ),
        ],
    },
    Choice {
        name: "repository",
        title: "Where the commits come from",
        values: &[
            Value::of("around", "The repository that the fabfile is in.", |_| {}),
            Value::of("bare", "A bare repository on this machine.", |m| m.repository = Repository::Bare),
            Value::of("clone", "Another clone.", |m| m.repository = Repository::Clone),
            Value::of("URL", "A URL.", |m| m.repository = Repository::Url),
            Value::of("worktree", "A work tree of a clone: `git worktree add`.", |m| {
                m.repository = Repository::Worktree;
            }),
            Value::of("shallow", "A shallow clone: `git clone --depth 1`.", |m| m.repository = Repository::Shallow),
            Value::of("blob:none", "A clone without files: `git clone --filter=blob:none`.", |m| {
                m.repository = Repository::Partial("blob:none");
            }),
            Value::of("tree:0", "A clone without files and folders: `git clone --filter=tree:0`.", |m| {
                m.repository = Repository::Partial("tree:0");
            }),
            Value::of("reftable", "A clone with reftables: `git clone --ref-format=reftable`.", |m| {
                m.repository = Repository::Reftable;
            })
            .needs(Need::Reftable),
        ],
    },
    Choice {
        name: "hash",
        title: "The hash that names a commit",
        values: &[
            Value::of("sha1", "40 digits.", |_| {}),
            Value::of("sha256", "64 digits: `git init --object-format=sha256`.", |m| m.hash = "sha256"),
        ],
    },
    Choice {
        name: "operator",
        title: "The Debian release of the machine that runs rfab",
        values: &[
            Value::of("here", "The programs of the machine that runs the test.", |_| {}),
            Value::of("bullseye", "Debian 11: git 2.30, OpenSSH 8.4.", |m| m.operator = Some(BULLSEYE))
                .needs(Need::Debian(BULLSEYE)),
            Value::of("bookworm", "Debian 12: git 2.39, OpenSSH 9.2.", |m| m.operator = Some(BOOKWORM))
                .needs(Need::Debian(BOOKWORM)),
            Value::of("trixie", "Debian 13: git 2.47, OpenSSH 10.0.", |m| m.operator = Some(TRIXIE))
                .needs(Need::Debian(TRIXIE)),
            Value::of("sid", "Debian unstable, which becomes the next release.", |m| m.operator = Some(SID))
                .needs(Need::Debian(SID)),
        ],
    },
    Choice {
        name: "first",
        title: "What is on the hosts before",
        values: &[
            Value::of("rfab", "Releases in rfab's layout.", |_| {}),
            Value::of("nothing", "Nothing.", |m| m.first = First::Nothing),
            Value::of("another tool", "What Capistrano deployed, taken over by `setup:adopt`.", |m| {
                m.first = First::AnotherTool;
            }),
        ],
    },
];

pub const BARS: &[Bar] = &[
    Bar {
        one: ("made", &["package"]),
        other: ("reference", &["stable", "digits", "branch"]),
        why: "a package is named by its version",
    },
    Bar {
        one: ("made", &["package"]),
        other: ("repository", &["bare", "clone", "URL", "worktree", "shallow", "blob:none", "tree:0", "reftable"]),
        why: "rfab doesn't read a repository for a package",
    },
    Bar {
        one: ("made", &["package"]),
        other: ("first", &["another tool"]),
        why: "`setup:adopt` takes over a folder of releases, and a package has none",
    },
    Bar {
        one: ("made", &["package"]),
        other: ("probe", &["process"]),
        why: "a package has no release folder that its processes could run in",
    },
    Bar {
        one: ("made", &["package"]),
        other: ("says", &["short", "describe", "tag"]),
        why: "a package is identified only by its version",
    },
    Bar {
        one: ("made", &["package"]),
        other: ("groups", &["one"]),
        why: "a package can be installed on a single group, so there is nothing to refuse",
    },
    Bar {
        one: ("operator", &["bullseye", "bookworm"]),
        other: ("repository", &["reftable"]),
        why: "git can read reftables only since version 2.45",
    },
];
