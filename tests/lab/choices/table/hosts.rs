//! Choices of the hosts: what they are, how you log in, and which user you are there.
use super::{Bar, Choice, Value};
use crate::choices::making::{Address, Known, Route};
use crate::choices::need::{BOOKWORM, BULLSEYE, Need, SID, TRIXIE};
use crate::{Kind, Line, Sudo};
use std::time::Duration;

pub const CHOICES: &[Choice] = &[
    Choice {
        name: "groups",
        title: "Groups",
        values: &[
            Value::of("two", "Two, which a flip swaps.", |_| {}),
            Value::of("three", "Three. The five commands keep one live, and a release takes one out at a time.", |m| {
                m.groups = 3
            }),
            Value::of("four", "Four.", |m| m.groups = 4),
            Value::of("one", "One, so nothing would serve while it's out.", |m| m.groups = 1)
                .refused(1, "a release needs at least two groups, and this fleet has fewer"),
        ],
    },
    Choice {
        name: "group size",
        title: "Hosts in a group",
        values: &[
            Value::of("1", "Each group is one host.", |m| m.size = 1),
            Value::of("2", "Two.", |m| m.size = 2),
            Value::of("3", "Three.", |m| m.size = 3),
        ],
    },
    Choice {
        name: "address",
        title: "How a host is addressed",
        values: &[
            Value::of("IPv4", "An IPv4 address in the fleet file.", |_| {}),
            Value::of("IPv6", "An IPv6 address.", |m| m.address = Address::Ipv6),
            Value::of("name", "A name that the balancer's machine resolves.", |m| m.address = Address::Name),
            Value::of("alias", "A name that only the ssh configuration knows, so no probe can reach it.", |m| {
                m.address = Address::Alias;
            })
            .refused(3, "doesn't resolve on `lb1`"),
        ],
    },
    Choice {
        name: "route",
        title: "How ssh reaches a host",
        values: &[
            Value::of("direct", "Directly.", |_| {}),
            Value::of("ProxyJump", "Through one machine, with `ProxyJump` in the ssh configuration.", |m| {
                m.route = Route::Jumps(1);
            }),
            Value::of("two jumps", "Through two machines, with `ProxyJump` for both.", |m| m.route = Route::Jumps(2)),
            Value::of("via", "Through one machine, with `via` in the fleet file.", |m| m.route = Route::Via("jump1")),
            Value::of("via two", "Through two machines: `via = \"jump1,jump2\"`.", |m| {
                m.route = Route::Via("jump1,jump2")
            }),
            Value::of("balancer", "Through the balancer's own machine.", |m| m.route = Route::Balancer),
        ],
    },
    Choice {
        name: "known hosts",
        title: "How host keys are known",
        values: &[
            Value::of("plain", "In a file `known_hosts` beside the fabfile.", |_| {}),
            Value::of("hashed", "In the same file, with hashed names.", |m| m.known = Known::Hashed),
            Value::of("CA", "Through a `@cert-authority` in that file.", |m| m.known = Known::Authority),
            Value::of("named", "In a file that the ssh configuration names: `UserKnownHostsFile`.", |m| {
                m.known = Known::Named;
            }),
        ],
    },
    Choice {
        name: "sshd",
        title: "Sessions and logins that sshd allows",
        values: &[
            Value::of("many", "A hundred.", |_| {}),
            Value::of("one session", "`MaxSessions 1`.", |m| m.sshd = vec!["MaxSessions 1"]),
            Value::of("default", "The defaults of OpenSSH: `MaxSessions 10`, `MaxStartups 10:30:100`.", |m| {
                m.sshd = vec!["MaxSessions 10", "MaxStartups 10:30:100"];
            }),
        ],
    },
    Choice {
        name: "link",
        title: "The network to the hosts",
        values: &[
            Value::of("fast", "As fast as within one machine.", |_| {}),
            Value::of("150 ms", "A round trip of 150 ms.", |m| {
                m.line = Some(Line { round_trip: Duration::from_millis(150), lossy: false })
            })
            .slow(),
            Value::of(
                "lossy",
                "A round trip of 40 ms. Some packets get lost, and every few seconds all packets do for two seconds.",
                |m| m.line = Some(Line { round_trip: Duration::from_millis(40), lossy: true }),
            )
            .slow(),
        ],
    },
    Choice {
        name: "users",
        title: "Who owns the app, and what sudo asks",
        values: &[
            Value::of("same", "The login user owns it, without sudo.", |m| m.sudo = Sudo::None),
            Value::of("other", "Another user owns it, and sudo asks for no password.", |_| {}),
            Value::of("root", "Root owns it, and sudo asks for no password.", |m| m.owner = "root"),
            Value::of("password", "Another user owns it, and sudo asks for a password.", |m| m.sudo = Sudo::Password),
            Value::of("password each time", "The same, with `timestamp_timeout=0`.", |m| m.sudo = Sudo::EachTime),
        ],
    },
    Choice {
        name: "shell",
        title: "The login shell",
        values: &[
            Value::of("sh", "`/bin/sh`.", |_| {}),
            Value::of("bash", "bash, with a `.bashrc` that prints to stdout and stderr.", |m| {
                m.shell = "/bin/bash";
                m.home.push((".bashrc", "echo Welcome!; echo 'stty: no terminal' >&2\n"));
            }),
            Value::of("rbash", "A restricted bash, which runs no programs.", |m| m.shell = "/bin/rbash")
                .refused(1, "exec: restricted"),
            Value::of("fish", "fish.", |m| m.shell = "/usr/bin/fish"),
            Value::of("tcsh", "tcsh.", |m| m.shell = "/bin/tcsh"),
        ],
    },
    Choice {
        name: "home",
        title: "The login user's home",
        values: &[
            Value::of("writable", "The user can write to it.", |_| {}),
            Value::of("read-only", "Nobody can write to it. `state` in the fleet file names another folder.", |m| {
                m.read_only = true;
            }),
        ],
    },
    Choice {
        name: "umask",
        title: "The umask of the login user",
        values: &[
            Value::of("022", "Others can read.", |_| {}),
            Value::of("002", "The group can write.", |m| m.umask = "002"),
            Value::of("077", "Nobody else has access.", |m| m.umask = "077"),
        ],
    },
    Choice {
        name: "Debian",
        title: "The Debian release of hosts and balancers",
        values: &[
            Value::of("here", "The programs of the machine that runs the test.", |_| {}),
            Value::of("bullseye", "Debian 11: OpenSSH 8.4, HAProxy 2.2, sudo 1.9.5.", |m| m.debian = Some(BULLSEYE))
                .needs(Need::Debian(BULLSEYE)),
            Value::of("bookworm", "Debian 12: OpenSSH 9.2, HAProxy 2.6, sudo 1.9.13.", |m| m.debian = Some(BOOKWORM))
                .needs(Need::Debian(BOOKWORM)),
            Value::of("trixie", "Debian 13: OpenSSH 10.0, HAProxy 3.0, sudo 1.9.16.", |m| m.debian = Some(TRIXIE))
                .needs(Need::Debian(TRIXIE)),
            Value::of("sid", "Debian unstable, which becomes the next release.", |m| m.debian = Some(SID))
                .needs(Need::Debian(SID)),
        ],
    },
    Choice {
        name: "tools",
        title: "The tools on a host",
        values: &[
            Value::of("coreutils", "GNU coreutils.", |_| {}),
            Value::of("busybox", "busybox.", |m| m.kind = Kind::Busybox),
        ],
    },
];

pub const BARS: &[Bar] = &[
    Bar { one: ("groups", &["four"]), other: ("group size", &["3"]), why: "the test lab has nine web hosts" },
    Bar {
        one: ("tools", &["busybox"]),
        other: ("users", &["other", "root", "password", "password each time"]),
        why: "busybox has no sudo",
    },
    Bar {
        one: ("tools", &["busybox"]),
        other: ("Debian", &["bullseye"]),
        why: "its busybox 1.30 has no `mv -T`, and setup refuses such a host",
    },
    Bar {
        one: ("tools", &["busybox"]),
        other: ("shell", &["bash", "rbash", "fish", "tcsh"]),
        why: "a machine that has only busybox has only its shell",
    },
];
