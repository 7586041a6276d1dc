//! Choices of the balancer: HAProxy, as people set it up.
use super::{Bar, Choice, Value};
use crate::Socket;

pub const CHOICES: &[Choice] = &[
    Choice {
        name: "socket",
        title: "How rfab talks to HAProxy",
        values: &[
            Value::of("unix", "A Unix socket with `level admin`.", |_| {}),
            Value::of("port", "A port on its machine.", |m| m.shape.socket = Socket::Tcp),
            Value::of("master", "The master's socket.", |m| m.shape.socket = Socket::Master),
            Value::of("operator", "A socket with `level operator`.", |m| m.shape.socket = Socket::Operator)
                .refused(7, "is read-only: it doesn't have `level admin`"),
            Value::of("root's", "A socket that only root can open.", |m| m.shape.socket = Socket::Root)
                .refused(6, "can't open `/run/haproxy/admin.sock`"),
        ],
    },
    Choice {
        name: "balancers",
        title: "Balancers",
        values: &[
            Value::of("one", "One.", |_| {}),
            Value::of("two", "Two, which get the same commands.", |m| m.balancers = 2),
        ],
    },
    Choice {
        name: "mode",
        title: "What HAProxy forwards",
        values: &[
            Value::of("http", "Requests: `mode http`.", |_| {}),
            Value::of("tcp", "Connections: `mode tcp`.", |m| m.shape.tcp = true),
        ],
    },
    Choice {
        name: "checks",
        title: "HAProxy's own checks",
        values: &[
            Value::of("yes", "Each server has `check`.", |_| {}),
            Value::of("no", "No server has `check`.", |m| m.shape.unchecked = true),
        ],
    },
    Choice {
        name: "bound",
        title: "Sticky clients",
        values: &[
            Value::of("no", "None.", |_| {}),
            Value::of("cookie", "With `cookie SRV insert`.", |m| {
                m.shape.backend.push(("", "cookie SRV insert indirect nocache"));
                m.shape.server.push(("", "cookie {name}"));
                m.people = 12;
            }),
            Value::of("stick table", "With `stick on req.hdr(X-Client)`.", |m| {
                m.shape.backend.push(("", "stick-table type string len 32 size 10k expire 1m"));
                m.shape.backend.push(("", "stick on req.hdr(X-Client)"));
                m.people = 12;
            }),
        ],
    },
    Choice {
        name: "agent",
        title: "An agent on each host",
        values: &[
            Value::of("no", "None.", |_| {}),
            Value::of("yes", "`agent-check`, which reports `up 100%`.", |m| m.shape.agent = true),
        ],
    },
    Choice {
        name: "backup",
        title: "A server that isn't in the fleet file",
        values: &[
            Value::of("no", "None.", |_| {}),
            Value::of("yes", "A `backup`, which never counts as capacity.", |m| {
                m.shape.others.push("sorry 127.0.0.1:9 backup");
            }),
        ],
    },
    Choice {
        name: "servers",
        title: "Servers of a host",
        values: &[
            Value::of("one", "One, with the host's name.", |_| {}),
            Value::of("numbered", "One, named after the host's number: `srv{n}`.", |m| m.shape.names = vec!["srv{n}"]),
            Value::of("two", "Two: `{name}-a` and `{name}-b`.", |m| m.shape.names = vec!["{name}-a", "{name}-b"]),
            Value::of(
                "by pool",
                "One, with a different name in each pool: `server = { bk_web = \"{name}.bk_web\" }`.",
                |m| {
                    m.shape.names = vec!["{name}.{pool}"];
                },
            ),
            Value::of("template", "One of `server-template srv 1-4`. A program tells HAProxy the addresses.", |m| {
                (m.shape.names, m.shape.template) = (vec!["srv{n}"], true);
            }),
        ],
    },
    Choice {
        name: "pools",
        title: "Pools of a balancer",
        values: &[
            Value::of("one", "One.", |_| {}),
            Value::of("two", "Each host is in two.", |m| m.pools.insert(0, "aaa")),
            Value::of("tracking", "Each host is in two, and the servers of one `track` those of the other.", |m| {
                m.pools.insert(0, "aaa");
                m.shape.tracks.push(("aaa", "bk_web"));
            }),
        ],
    },
    Choice {
        name: "reload",
        title: "A reload during a deploy",
        values: &[
            Value::of("no", "None.", |_| {}),
            Value::of(
                "yes",
                "While services restart, HAProxy is reloaded and forgets that their hosts are out. rfab takes the hosts out \
                 again, and the run ends there. When you type the line again, it completes. rfab also takes out the hosts \
                 on which a release fails its proof.",
                |m| {
                    m.reloaded = true;
                    // A server that is down gets requests until a check fails, and the servers of a group follow one
                    // another.
                    m.shape.backend.extend([("", "retries 10"), ("", "option redispatch 1")]);
                },
            ),
        ],
    },
    Choice {
        name: "weight",
        title: "Weights",
        values: &[
            Value::of("none", "None is set.", |_| {}),
            Value::of("50", "`weight 50`.", |m| m.shape.server.push(("", "weight 50"))),
            Value::of(
                "0",
                "One host has `weight 0`, and doesn't count as capacity: without the others, nothing would serve.",
                |m| {
                    m.weightless = true;
                    m.shape.server.push(("web1", "weight 0"));
                },
            ),
        ],
    },
    Choice {
        name: "disabled",
        title: "A server that is `disabled` in haproxy.cfg",
        values: &[
            Value::of("no", "None.", |_| {}),
            Value::of("yes", "One is, and a line puts it back by name.", |m| {
                m.disabled = true;
                m.shape.server.push(("web1", "disabled"));
            }),
        ],
    },
];

pub const BARS: &[Bar] = &[
    Bar {
        one: ("pools", &["tracking"]),
        other: ("checks", &["no"]),
        why: "HAProxy accepts `track` only for a server that has checks",
    },
    Bar {
        one: ("dies", &["late"]),
        other: ("checks", &["no"]),
        why: "without checks, HAProxy keeps sending requests to a dead app",
    },
    Bar {
        one: ("mode", &["tcp"]),
        other: ("bound", &["cookie", "stick table"]),
        why: "HAProxy sees no cookies or headers in a TCP connection",
    },
    Bar {
        one: ("weight", &["0"]),
        other: ("group size", &["1"]),
        why: "no host would serve while the other group is out",
    },
    Bar {
        one: ("disabled", &["yes"]),
        other: ("group size", &["1"]),
        why: "no host would serve while the other group is out",
    },
    Bar { one: ("disabled", &["yes"]), other: ("reload", &["yes"]), why: "a reload takes such a server out by itself" },
    Bar {
        one: ("servers", &["template"]),
        other: ("reload", &["yes"]),
        why: "a reload forgets the addresses that a program gave HAProxy",
    },
    Bar {
        one: ("servers", &["template"]),
        other: ("weight", &["0"]),
        why: "all servers of a template have the same settings",
    },
    Bar {
        one: ("servers", &["template"]),
        other: ("disabled", &["yes"]),
        why: "all servers of a template have the same settings",
    },
    Bar {
        one: ("servers", &["template"]),
        other: ("pools", &["tracking"]),
        why: "all servers of a template have the same settings, so all would track the same server",
    },
    Bar {
        one: ("servers", &["template"]),
        other: ("bound", &["cookie"]),
        why: "all servers of a template have the same settings, so all would have the same cookie",
    },
];
