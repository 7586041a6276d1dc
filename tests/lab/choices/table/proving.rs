//! Choices of how a release proves itself.
use super::{Bar, Choice, Value};

pub const CHOICES: &[Choice] = &[
    Choice {
        name: "probe",
        title: "Where the service reports its version",
        values: &[
            Value::of("header", "A header of the response.", |m| m.probe = "header:X-Release"),
            Value::of("json", "A field of a JSON body.", |m| m.probe = "json:/release"),
            Value::of("body", "The whole body.", |m| (m.probe, m.url) = ("body", "/version")),
            Value::of("process", "Nowhere, but its processes run in the release's folder.", |m| m.probe = "process"),
            Value::of("none", "Nowhere: rfab puts a host back when it's healthy, and reports it as unproven.", |m| {
                m.probe = "none";
            }),
        ],
    },
    Choice {
        name: "says",
        title: "What the service reports",
        values: &[
            Value::of("commit", "12 digits of the commit; for a package, its version.", |m| m.says = "{commit}"),
            Value::of("short", "7 digits of the commit.", |m| m.says = "{short}"),
            Value::of("folder", "The release's folder.", |m| m.says = "{folder}"),
            Value::of("describe", "What `git describe` prints.", |m| m.says = "v3.0.0-4-g{short}"),
            Value::of("tag", "The tag.", |m| m.says = "{tag}"),
            Value::of("bare", "The tag without its `v`.", |m| m.says = "{bare}"),
            Value::of("text around", "The tag in a longer text, found by a pattern.", |m| {
                (m.says, m.pattern) = ("shop {bare} of Monday", ":shop ([0-9.]+) of");
            }),
        ],
    },
];

pub const BARS: &[Bar] = &[
    Bar {
        one: ("probe", &["process", "none"]),
        other: ("says", &["short", "folder", "describe", "tag", "bare", "text around"]),
        why: "rfab doesn't read what the service reports",
    },
    Bar {
        one: ("probe", &["process"]),
        other: ("users", &["other", "root", "password", "password each time"]),
        why: "the login user can't see in which folder another user's processes run",
    },
    Bar {
        one: ("says", &["tag", "bare", "text around"]),
        other: ("reference", &["branch"]),
        why: "a tag can't prove a commit that has none",
    },
];
