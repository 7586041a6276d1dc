//! HAProxy, as people have set it up.
use super::{Bar, Choice, Value};
use crate::lab::Socket;

pub const CHOICES: &[Choice] = &[
    Choice {
        name: "socket",
        title: "How HAProxy is asked",
        values: &[
            Value::of("unix", "A unix socket of `level admin`.", |_| {}),
            Value::of("port", "A port of its machine.", |m| m.shape.socket = Socket::Tcp),
            Value::of("master", "The master's socket.", |m| m.shape.socket = Socket::Master),
            Value::of("operator", "A socket of `level operator`.", |m| m.shape.socket = Socket::Operator)
                .refused(7, "may only be read: it is not of `level admin`"),
            Value::of("root's", "A socket that only root may open.", |m| m.shape.socket = Socket::Root)
                .refused(6, "may not open `/run/haproxy/admin.sock`"),
        ],
    },
    Choice {
        name: "balancers",
        title: "Balancers",
        values: &[
            Value::of("one", "One.", |_| {}),
            Value::of("two", "Two, which are told the same.", |m| m.balancers = 2),
        ],
    },
    Choice {
        name: "checks",
        title: "HAProxy's own checks",
        values: &[
            Value::of("yes", "Each server has `check`.", |_| {}),
            Value::of("no", "None has.", |m| m.shape.unchecked = true),
        ],
    },
    Choice {
        name: "bound",
        title: "Clients that are bound to a server",
        values: &[
            Value::of("no", "Nobody is.", |_| {}),
            Value::of("cookie", "By `cookie SRV insert`.", |m| {
                m.shape.backend.push(("", "cookie SRV insert indirect nocache"));
                m.shape.server.push(("", "cookie {name}"));
                m.people = 12;
            }),
            Value::of("stick table", "By `stick on req.hdr(X-Client)`.", |m| {
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
            Value::of("yes", "`agent-check`, which says `up 100%`.", |m| m.shape.agent = true),
        ],
    },
    Choice {
        name: "backup",
        title: "A server that is none of the fleet's",
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
            Value::of("one", "Named as the host.", |_| {}),
            Value::of("numbered", "Named by the host's number: `srv{n}`.", |m| m.shape.names = vec!["srv{n}"]),
            Value::of("two", "`{name}-a` and `{name}-b`.", |m| m.shape.names = vec!["{name}-a", "{name}-b"]),
        ],
    },
    Choice {
        name: "pools",
        title: "Pools of a balancer",
        values: &[
            Value::of("one", "One.", |_| {}),
            Value::of("two", "Each host is in two.", |m| m.pools.insert(0, "aaa")),
            Value::of("tracking", "In two, and the servers of one `track` those of the other.", |m| {
                m.pools.insert(0, "aaa");
                m.shape.tracks.push(("aaa", "bk_web"));
            }),
        ],
    },
    Choice {
        name: "reload",
        title: "A reload amid a deploy",
        values: &[
            Value::of("no", "None.", |_| {}),
            Value::of(
                "yes",
                "HAProxy is reloaded, and forgets that hosts are out, while their services are restarted: \
                 they are taken out again, and the run ends there; typed again, it completes.",
                |m| {
                    m.reloaded = true;
                    // Until a check has found that a server is down it gets requests.
                    m.shape.backend.extend([("", "retries 3"), ("", "option redispatch 1")]);
                },
            ),
        ],
    },
    Choice {
        name: "weight",
        title: "Weights",
        values: &[
            Value::of("none", "None is given.", |_| {}),
            Value::of("50", "`weight 50`.", |m| m.shape.server.push(("", "weight 50"))),
        ],
    },
];

pub const BARS: &[Bar] = &[
    Bar {
        one: ("pools", &["tracking"]),
        other: ("checks", &["no"]),
        why: "HAProxy takes no `track` of a server that isn't checked",
    },
    Bar {
        one: ("dies", &["late"]),
        other: ("checks", &["no"]),
        why: "without checks HAProxy goes on sending requests to an app that is dead",
    },
];
