//! The most common mistakes, found in the issue trackers of other tools: each ends in a message that names the fix.

use lab::alone;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// A mistake, and what rfab prints for it.
struct Mistake {
    /// What the person thought, and where we found it.
    thought: &'static str,
    made: Made,
    typed: &'static [&'static str],
    code: i32,
    /// The sentence of the output that names the fix.
    fix: &'static str,
}

/// Where the mistake is.
enum Made {
    /// On the command line, beside the shop of this repository.
    Line,
    /// In a fabfile, after the function `prod`.
    Fabfile(&'static str),
    /// In a fleet file: a line of it, and the line that replaces it.
    Fleet(&'static str, &'static str),
    /// In a folder with only this file.
    Alone(&'static str, &'static str),
}
use Made::*;

const FLEET: &str = r#"[app]
repository = "."
path = "/srv/shop"
[hosts]
"web[1..2]" = { group = "group1", roles = ["web"] }
"web[3..4]" = { group = "group2", roles = ["web"] }
[balancer.lb1]
driver = "haproxy"
host = "lb1.example.org"
socket = "/run/haproxy/admin.sock"
pools = { bk_web = "web" }
server = "{name}"
[roll]
order = ["group1", "group2"]
"#;

const fn line(thought: &'static str, typed: &'static [&'static str], code: i32, fix: &'static str) -> Mistake {
    Mistake { thought, made: Line, typed, code, fix }
}

const fn fabfile(thought: &'static str, text: &'static str, fix: &'static str) -> Mistake {
    Mistake { thought, made: Fabfile(text), typed: &["prod", "act"], code: 3, fix }
}

const fn fleet(thought: &'static str, old: &'static str, new: &'static str, fix: &'static str) -> Mistake {
    Mistake { thought, made: Fleet(old, new), typed: &["prod"], code: 3, fix }
}

const MISTAKES: &[Mistake] = &[
    line(
        "a slip in a task's name: capistrano, \"Don't know how to build task\"",
        &["prod", "depoly", "stable"],
        2,
        "did you mean `deploy`?",
    ),
    line(
        "the same, with its argument behind a colon: it could be a selection, until no host is called so",
        &["prod", "depoly:stable"],
        2,
        "help: `depoly:stable` was taken as `which` of `prod`: did you mean `deploy`?",
    ),
    line(
        "the task first, then where: kamal and ansible",
        &["deploy", "stable", "prod"],
        2,
        "write `rfab prod deploy:stable`",
    ),
    line(
        "hosts by a flag: fabric#66",
        &["--hosts", "web01", "deploy", "stable"],
        2,
        "tip: name hosts in the line: 'rfab prod:web01,web02 …'; or add '--limit web01' to work on only that one",
    ),
    line(
        "the environment by a flag: kamal#809",
        &["-d", "prod", "deploy", "stable"],
        2,
        "tip: name the fleet first in the line: 'rfab prod deploy stable'",
    ),
    line(
        "the login user by a flag: fabric, ansible",
        &["--user=root", "prod"],
        2,
        "tip: set 'user' in the fleet file; other ssh settings belong in your ssh_config",
    ),
    line("the tasks by `-T`: capistrano, rake", &["-T"], 2, "tip: '--list' shows the tasks"),
    line(
        "a subcommand for what is a flag: kamal",
        &["version"],
        2,
        "help: rfab's own commands are flags: `rfab --version`",
    ),
    line(
        "a name of two words",
        &["prod", "proxy", "flip"],
        2,
        "`proxy` was taken as `which` of `prod`: did you mean `proxy_flip`?",
    ),
    line("a name of two words, alone", &["proxy", "flip"], 2, "did you mean `proxy_flip`?"),
    line(
        "what `--trust` does: ssh-keyscan",
        &["trust", "web1"],
        2,
        "rfab's own commands are flags: `rfab --trust all`",
    ),
    line("what `--show` does", &["show", "01JX"], 2, "rfab's own commands are flags: `rfab --show RUN`"),
    line("what `--demo` does", &["demo"], 2, "rfab's own commands are flags: `rfab --demo`"),
    line("what `--history` does", &["history"], 2, "rfab's own commands are flags: `rfab --history`"),
    line("what `--resume` does", &["resume"], 2, "rfab's own commands are flags: `rfab --resume`"),
    Mistake {
        thought: "`init` without a fabfile: every tool",
        made: Alone("README", ""),
        typed: &["init"],
        code: 2,
        fix: "rfab's own commands are flags: `rfab --init`",
    },
    line("a selection that is none", &["prod:nosuch", "status"], 2, "`nosuch`"),
    line("a selection behind a flag that is none", &["--limit", "nosuch", "prod", "status"], 2, "`nosuch`"),
    line("a slip in a flag", &["--hsitory"], 2, "tip: a similar argument exists: '--history'"),
    line(
        "a task without its argument: fabric, \"missing positional argument\"",
        &["prod", "deploy"],
        2,
        "deploy REFERENCE",
    ),
    line(
        "a name that isn't a parameter: fabric 1, a TypeError",
        &["prod", "deploy:refrence=stable"],
        2,
        "help: did you mean `reference`?",
    ),
    Mistake {
        thought: "a task's name where an argument is needed",
        made: Fabfile("fn deploy(reference) { }\nfn restart() { }"),
        typed: &["prod", "deploy", "restart"],
        code: 2,
        fix: "help: write `deploy:restart` for the argument, or `deploy:REFERENCE restart` for the task `restart`",
    },
    line("nothing but the program's name", &[], 2, "rfab testing deploy:stable      the newest stable tag"),
    line(
        "a host that there isn't: ansible#66764, a warning and no hosts",
        &["prod:web1"],
        2,
        "help: did you mean `web01`?",
    ),
    line("a group that there isn't", &["prod:wrker"], 2, "help: did you mean `worker`?"),
    line("a range without brackets", &["prod:web01..03"], 2, "help: write a range in brackets: `web[01..03]`"),
    line("a fleet that there isn't: kamal#809", &["testing:2"], 3, "help: there are `prod.toml`, `testing1.toml`"),
    line("a setting by a wrong key", &["--set", "app.kep=3", "prod"], 3, "help: did you mean `keep`?"),
    line(
        "a command for the hosts without `--`: fabric 1's `fab -- uptime`",
        &["prod", "--"],
        2,
        "help: write it as in `rfab prod -- uptime`",
    ),
    Mistake {
        thought: "another folder: capistrano, \"No Rakefile found\"",
        made: Alone("README.md", ""),
        typed: &["prod"],
        code: 3,
        fix: "help: go to a folder that has one, name it with `-f FILE`, or let `rfab --init` write one",
    },
    Mistake {
        thought: "the file of another tool: mina#37",
        made: Alone("deploy.rb", "set :application, 'shop'\n"),
        typed: &["-f", "deploy.rb", "--list"],
        code: 3,
        fix: "help: write a fabfile in Rhai",
    },
    Mistake {
        thought: "a fabfile of Fabric",
        made: Alone("fabfile.py", "from fabric import task\n"),
        typed: &["-f", "fabfile.py", "--list"],
        code: 3,
        fix: "help: write a fabfile in Rhai",
    },
    fleet(
        "a slip in a key, which others ignore: kamal#960, wheels#3088",
        "[app]",
        "gaurded = true\n[app]",
        "help: did you mean `guarded`?",
    ),
    fleet(
        "a slip in a host's key",
        "{ group = \"group1\", ",
        "{ grup = \"group1\", ",
        "help: write `group`, or give the variable another name",
    ),
    fleet("a role that no host has", "bk_web = \"web\"", "bk_web = \"wbe\"", "help: did you mean `web`?"),
    fleet(
        "a group that the roll doesn't have",
        "\"group1\", \"group2\"]",
        "\"group1\", \"grop2\"]",
        "help: did you mean `group2`?",
    ),
    fleet(
        "a number where a time is needed",
        "server = ",
        "drain_within = 60\nserver = ",
        "help: write it as a string with a unit, such as \"60s\" or \"2m\"",
    ),
    fleet("YAML: ansible, kamal", "repository = ", "keep: 5\nrepository = ", "expected `=`"),
    fleet("a text without quotes", "repository = \".\"", "repository = shop", "string values must be quoted"),
    fabfile("Python's `None` and `f\"…\"`: fabric", "fn act() { let x = None; }", "help: write `()` for no value"),
    fabfile(
        "`def` and a block by its indent: fabric",
        "def act():\n    pass\n",
        "help: write `fn name(parameter) { … }`",
    ),
    fabfile(
        "a command put together from texts: ansible#3354, fabric",
        "fn act(x) { targets().each(|host| host.run(\"rm -r \" + x)) }\nfn act() { act(\"y\") }",
        "help: write `host.run(\"tar xf {file}\", #{ file: name })`: each value stays one word",
    ),
    fabfile(
        "a line for a shell: sshkit, spot",
        "fn act() { targets().each(|host| host.run(\"cd /srv && make\")) }",
        "help: write `host.run(sh(\"cd \\\"$dir\\\" && make\", #{ dir: path }))`, or `host.cd(path).run(\"make\")`",
    ),
    fabfile(
        "a value into double quotes: capistrano's `#{…}`",
        "fn act(x) { ui::note(\"to #{x}\") }\nfn act() { act(1) }",
        "help: write the text in backticks: `` `to ${name}` ``",
    ),
    fabfile(
        "a name in a command that nothing fills: ansible#9424",
        "fn act() { targets().each(|host| host.run(\"ls {dir}\", #{ dri: \"x\" })) }",
        "help: did you mean `dri`?",
    ),
    fabfile(
        "a command outside of a host: capistrano#1674",
        "fn act() { execute(\"uptime\") }",
        "help: write `host.run(\"…\")` within `targets().each(|host| …)`",
    ),
    fabfile(
        "a block of Ruby: capistrano",
        "fn act() { targets().each do |host| host.run(\"uptime\") end }",
        "help: write a closure: `|host| …`, as in `targets().each(|host| host.run(\"uptime\"))`",
    ),
    fabfile(
        "named arguments: fabric",
        "fn act() { targets().each(at_once=2, |host| 1) }",
        "help: arguments have no names: write the values in order, and options as a map, `#{ at_once: 2 }`",
    ),
    fabfile(
        "ansible's `serial`",
        "fn act() { targets().each(#{ serial: 2 }, |host| 1) }",
        "help: write `batches: [1, \"20%\"]`",
    ),
    fabfile(
        "a hook by a name that nothing calls: kamal, deployer",
        "import \"std/deploy\" as d;\nfn act() { d::deploy(\"stable\", #{ after: |host| 1 }) }",
        "help: write `restart: |host| …`, which runs after the switch",
    ),
    fabfile(
        "a task named like what hosts can do: deployer's `run`",
        "fn act() { }\nfn run(x) { }",
        "help: write it `fn run_()`; it is still typed `run`",
    ),
    fabfile(
        "a task named by a word of the language",
        "fn act() { }\nfn sync() { }",
        "help: write `sync_`; a task of that name is still typed `sync`",
    ),
    fabfile(
        "a `;` left out",
        "fn act() {\n    let x = 1\n    let y = 2;\n}",
        "help: write `;` after the statement before it",
    ),
    fabfile(
        "a slip in a function: any NameError",
        "fn act() { targets().each(|host| host.rnu(\"x\")) }",
        "help: did you mean `run`?",
    ),
    fabfile(
        "a dot for a namespace",
        "fn act() { balancer.drain(targets(), \"disk\") }",
        "help: `balancer` is a namespace: write `balancer::…(…)`, with `::`",
    ),
];

/// Returns how a mistake ends: the exit code, and the whole output.
fn made(mistake: &Mistake) -> (i32, String) {
    let (folder, here) = (tempfile::tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")));
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("fleets")).unwrap();
    let prod =
        "fn prod(which) { fleet(\"fleets/prod.toml\").select(which) }\nfn prod() { fleet(\"fleets/prod.toml\") }\n";
    match mistake.made {
        Line => {
            for file in ["fabfile.rhai", "fleets/prod.toml", "fleets/testing1.toml"] {
                fs::copy(here.join(file), folder.path().join(file)).unwrap();
            }
        }
        Fabfile(text) => {
            write("fabfile.rhai", &format!("{text}\n{prod}"));
            write("fleets/prod.toml", FLEET);
        }
        Fleet(old, new) => {
            assert!(FLEET.contains(old), "{old}");
            write("fabfile.rhai", prod);
            write("fleets/prod.toml", &FLEET.replacen(old, new, 1));
        }
        Alone(name, text) => write(name, text),
    }
    let output = alone::cleared(&mut Command::new(env!("CARGO_BIN_EXE_rfab")))
        .args(mistake.typed)
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

#[test]
fn each_of_the_commonest_mistakes_ends_in_a_message_that_names_the_fix() {
    assert!(MISTAKES.len() >= 30);
    let mut wrong = String::new();
    for mistake in MISTAKES {
        let (code, text) = made(mistake);
        if code != mistake.code || !text.contains(mistake.fix) || text.contains("can't be reached") {
            wrong += &format!(
                "{}: exit {code} for {}, and not {:?} in\n{text}\n",
                mistake.thought, mistake.code, mistake.fix
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn help_is_safe_wherever_it_stands() {
    // kamal#1658: `--help` after a command took the lock and rolled back.
    for typed in [&["prod", "deploy", "stable", "--help"][..], &["--help", "nosuch"], &["prod:out", "-h"]] {
        let help = Mistake { thought: "", made: Line, typed, code: 0, fix: "" };
        let (code, text) = made(&help);
        assert!(code == 0 && !text.contains("\ntargets: "), "{typed:?}: {text}");
    }
}
