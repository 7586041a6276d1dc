//! The hosts, how one logs in to them, and who one is there.
use super::{Bar, Choice, Value};
use crate::lab::{Kind, Sudo};
use crate::making::Address;

pub const CHOICES: &[Choice] = &[
    Choice {
        name: "group size",
        title: "Hosts of a group",
        values: &[
            Value::of("1", "Each of two groups is one host.", |m| m.size = 1),
            Value::of("2", "Two.", |m| m.size = 2),
            Value::of("3", "Three.", |m| m.size = 3),
        ],
    },
    Choice {
        name: "address",
        title: "How a host is addressed",
        values: &[
            Value::of("IPv4", "`address` in the fleet file.", |_| {}),
            Value::of("name", "By its name, which the balancer's machine resolves.", |m| m.address = Address::Name),
        ],
    },
    Choice {
        name: "users",
        title: "Who deploys, and whose the app is",
        values: &[
            Value::of("same", "The login user's; no sudo.", |m| m.sudo = Sudo::None),
            Value::of("other", "Another user's, by sudo without a password.", |_| {}),
            Value::of("root", "Root's, by sudo without a password.", |m| m.owner = "root"),
            Value::of("password", "Another user's; sudo wants a password.", |m| m.sudo = Sudo::Password),
            Value::of("password each time", "The same with `timestamp_timeout=0`.", |m| m.sudo = Sudo::EachTime),
        ],
    },
    Choice {
        name: "shell",
        title: "The login shell",
        values: &[
            Value::of("sh", "`/bin/sh`.", |_| {}),
            Value::of("bash", "bash, with a `.bashrc` that prints something.", |m| {
                m.shell = "/bin/bash";
                m.home.push((".bashrc", "echo Welcome!\n"));
            }),
            Value::of("fish", "fish.", |m| m.shell = "/usr/bin/fish"),
            Value::of("tcsh", "tcsh.", |m| m.shell = "/bin/tcsh"),
        ],
    },
    Choice {
        name: "umask",
        title: "The umask of a login",
        values: &[
            Value::of("022", "Others may read.", |_| {}),
            Value::of("002", "The group may write.", |m| m.umask = "002"),
            Value::of("077", "Nobody else may anything.", |m| m.umask = "077"),
        ],
    },
    Choice {
        name: "tools",
        title: "The tools of a host",
        values: &[
            Value::of("coreutils", "Those of GNU.", |_| {}),
            Value::of("busybox", "busybox's.", |m| m.kind = Kind::Busybox),
        ],
    },
];

pub const BARS: &[Bar] = &[
    Bar {
        one: ("tools", &["busybox"]),
        other: ("users", &["other", "root", "password", "password each time"]),
        why: "busybox has no sudo",
    },
    Bar {
        one: ("tools", &["busybox"]),
        other: ("shell", &["bash", "fish", "tcsh"]),
        why: "a machine that has only busybox has only its shell",
    },
];
