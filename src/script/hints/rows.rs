//! The table: what was written, and its Rhai spelling.
use super::{Row, Said, Said::*};

type Words = &'static [&'static str];

const fn row(example: &'static str, said: Said, word: Words, before: Words, after: Words, hint: &'static str) -> Row {
    Row { example, said, word, before, after, hint }
}

/// Every row, by what it is about; the particular before the general.
pub const ALL: &[&[Row]] = &[VALUES, TEXTS, CLOSURES, CALLS, FUNCTIONS_MADE, BLOCKS, MODULES, WORDS, STATEMENTS];

const CLOSURE: &str = "write a closure: `|host| …`, as in `targets().each(|host| host.run(\"uptime\"))`";
const BRACES: &str = "a block stands in braces: `if x { … } else { … }`, `for x in list { … }`, `while x { … }`";
const MAP: &str = "write a map as `#{ key: value }`";
const FUNCTION: &str = "write `fn name(parameter) { … }`";
const BODY: &str = "a function's body stands in braces: `fn name(parameter) { … }`";
const NO_CLASSES: &str = "there are no classes; a map `#{ key: value }` holds values, and functions take it";
const TRY: &str = "write `try { … } catch (failure) { … }`; `failure.kind` and `failure.message` say what it is";
const SAY: &str = "write `ui::note(\"…\")`";
const ARGUMENTS: &str =
    "arguments have no names: write the values in their order; options are a map, `#{ at_once: 2 }`";
const IMPORT: &str =
    "write `import \"std/deploy\" as deploying;`, or the name of a file beside the fabfile without `.rhai`";
const VARIABLES: &str = "a fabfile reads nothing of the environment but secrets, by `secret::env(\"NAME\")`; all else is a task's argument: `rfab deploy:stable,port=8080`";
const LOCAL: &str = "write `local::run(\"…\")`; in another folder `local::cd(\"web\").run(\"…\")`";
const HTTP: &str = "write `http::get(url)`, or `http::post(url, #{ text: \"…\" })`";

const VALUES: &[Row] = &[
    row(
        "fn f() { let x = None; }",
        Variable,
        &["None", "undefined", "NULL", "Nil"],
        &[],
        &[],
        "write `()` for no value",
    ),
    row("fn f(x) { x == null }", Reserved, &["null", "nil"], &[], &[], "write `()` for no value"),
    row("fn f() { let x = True; }", Variable, &["True", "TRUE"], &[], &[], "write `true`"),
    row("fn f() { let x = False; }", Variable, &["False", "FALSE"], &[], &[], "write `false`"),
    row("fn f(a, b) { if a and b { } }", Missing("{", ""), &["and"], &[], &[], "write `&&`"),
    row("fn f(a, b) { let c = a and b; }", Missing(";", ""), &["and"], &[], &[], "write `&&`"),
    row("fn f(a, b) { if a or b { } }", Missing("{", ""), &["or"], &[], &[], "write `||`"),
    row("fn f(a, b) { let c = a or b; }", Missing(";", ""), &["or"], &[], &[], "write `||`"),
    row("fn f(a) { if not a { } }", Variable, &["not"], &[], &[], "write `!`, as in `if !done { … }`"),
    row("fn f(a, b) { if a not in b { } }", Missing("{", ""), &["not"], &[], &["in"], "write `!in`"),
    row("fn f(a) { if a is () { } }", Missing("{", ""), &["is"], &[], &[], "write `==`, or `!=`"),
    row("fn f(a) { let x = a <> 2; }", Else, &[">"], &["<"], &[], "write `!=`"),
    row("fn f(a) { let x = a ? 1 : 2; }", Else, &["?"], &[], &[], "write `if x { a } else { b }`, which has a value"),
    row("fn f(a) { a++; }", Else, &["++"], &[], &[], "write `x += 1`"),
    row("fn f(a) { a--; }", Else, &["--"], &[], &[], "write `x -= 1`"),
    row("fn f(a) { ++a; }", Reserved, &["++"], &[], &[], "write `x += 1`"),
    row("fn f(a) { --a; }", Reserved, &["--"], &[], &[], "write `x -= 1`"),
    row(
        "fn f(list) { [x for x in list] }",
        Variable,
        &[],
        &["["],
        &["for"],
        "write `list.map(|x| …)`, or `list.filter(|x| …)`",
    ),
    row(
        "fn f(list) { list[1:3] }",
        Missing("]", ""),
        &[":"],
        &[],
        &[],
        "write `list.extract(1..3)`, or `list.extract(1)` for all from there on",
    ),
    row("fn f() { let x = :stable; }", Else, &[":"], &["=", "(", ","], &["_"], "write a text: `\"stable\"`"),
    row(
        "fn f() { let x = \"%d of %d\" % (1, 2); }",
        Missing(")", ""),
        &[","],
        &["\" % ( _"],
        &[],
        "write `` `${done} of ${all}` `` in backticks",
    ),
    row(
        "fn f() { let x = (1, 2); }",
        Missing(")", "in this expression"),
        &[","],
        &["= ( _", "return ( _"],
        &[],
        "write a list: `[1, 2]`",
    ),
    row("fn f(x) { if x = 1 { } }", Else, &["="], &["if _", "while _"], &[], "write `==` to compare"),
];

const TEXTS: &[Row] = &[
    row(
        "fn f(x) { ui::note(f\"of {x}\"); }",
        Variable,
        &["f", "F"],
        &[],
        &["\"", "'"],
        "write the text in backticks: `` `to ${name}` ``",
    ),
    row(
        "fn f() { ui::note(r\"a\\b\"); }",
        Variable,
        &["r", "R", "b", "u"],
        &[],
        &["\"", "'"],
        "a text is written `\"…\"`; one in which `\\` means itself `#\"…\"#`",
    ),
    row(
        "fn f() { ui::note('two words'); }",
        Else,
        &["'"],
        &[],
        &[],
        "a text stands in double quotes: `\"…\"`, or in backticks where values are put into it: `` `to ${name}` ``",
    ),
];

const CLOSURES: &[Row] = &[
    row("fn f() { targets().each(lambda host: host.name); }", Variable, &["lambda"], &[], &[], CLOSURE),
    row("fn f() { targets().each(function(host) { 1 }); }", Variable, &[], &["function ("], &[], CLOSURE),
    row("fn f() { targets().each(fn(host) { 1 }); }", Else, &["fn"], &["(", ",", "="], &[], CLOSURE),
    row("fn f() { targets().each(def host: 1); }", Variable, &["def", "function"], &["(", ",", "="], &[], CLOSURE),
    row("fn f() { targets().each(host => host.name); }", Variable, &[], &["(", ",", "="], &["=>", "->"], CLOSURE),
    row(
        "fn f() { targets().each((host) => host.name); }",
        Variable,
        &[],
        &["("],
        &[") =>", ") ->", ", _ ) =>"],
        CLOSURE,
    ),
    row("fn f(x) { let g = x => x; }", Missing(";", ""), &["=>", "->"], &[], &[], CLOSURE),
    row("fn f(x) { targets().each(x => x); }", Missing(",", "arguments"), &["=>", "->"], &[], &[], CLOSURE),
    row("fn f() { targets().each do |host| host.name end }", Missing(";", ""), &["do"], &[")", "_"], &["|"], CLOSURE),
    row("fn f() { targets().each { |host| host.name } }", Missing(";", ""), &["{"], &[")", "_"], &["|"], CLOSURE),
];

const CALLS: &[Row] = &[
    row("fn f() { let x = { a: 1 }; }", Variable, &[], &["= {", "( {", ", {", "return {"], &[":"], MAP),
    row("fn f() { let x = {\"a\": 1}; }", Missing(";", ""), &[":"], &["{ \"", "{ `"], &[], MAP),
    row("fn f() { let x = #{ a = 1 }; }", Missing(":", "map"), &["=", "=>"], &[], &[], MAP),
    row("fn f() { targets().each(at_once=2, |host| 1); }", Variable, &[], &["(", ","], &["=", ":"], ARGUMENTS),
    row("fn f(x) { ui::note(x=1); }", Missing(",", "arguments"), &["=", ":"], &[], &[], ARGUMENTS),
];

const FUNCTIONS_MADE: &[Row] = &[
    row(
        "fn f(x = 1) { }",
        Missing(",", "parameters"),
        &["="],
        &[],
        &[],
        "a parameter has no default; write a second function, `fn name() { name(1) }`",
    ),
    row(
        "fn f(x: string) { }",
        Missing(",", "parameters"),
        &[":"],
        &[],
        &[],
        "a parameter has no type; write its name alone",
    ),
    row(
        "fn f(x, *rest) { }",
        Missing(")", "parameters"),
        &["*", "**", "..."],
        &[],
        &[],
        "write every parameter; a last one named `options` gets `name=value` of the line as a map",
    ),
    row("fn f(x) -> int { x }", Else, &["->"], &[], &[], "a function's value has no type; leave `-> …` out"),
    row("fn f() = 1;", Else, &["=", "=>", ":"], &[")"], &[], BODY),
    row("fn f()\n    ui::note(\"x\");\nend", Else, &["ui"], &["^"], &["::"], BODY),
    row(
        "def deploy(reference):\n    pass",
        Variable,
        &["def", "function", "func", "fun", "defn", "sub", "proc"],
        &["^"],
        &["_"],
        FUNCTION,
    ),
    row(
        "task :deploy do\nend",
        Variable,
        &["task", "desc", "namespace"],
        &["^"],
        &[":", "\"", "'"],
        "write `fn deploy() { … }`: every function of a fabfile is a task",
    ),
    row(
        "@task\nfn f() { }",
        Reserved,
        &["@"],
        &["^"],
        &[],
        "leave this out: every function of a fabfile is a task, unless it is a `private fn`",
    ),
    row(
        "pub fn f() { }",
        Variable,
        &["pub"],
        &["^"],
        &["fn"],
        "write `fn`: every function is public, unless it is a `private fn`",
    ),
    row(
        "public fn f() { }",
        Reserved,
        &["public"],
        &["^"],
        &["fn", "function"],
        "write `fn`: every function is public, unless it is a `private fn`",
    ),
    row(
        "export fn f() { }",
        Else,
        &["fn"],
        &["export"],
        &[],
        "write `fn`: every function is public, unless it is a `private fn`",
    ),
    row(
        "async fn f() { }",
        Reserved,
        &["async"],
        &["^"],
        &["fn", "function"],
        "write `fn`; hosts are worked on side by side by `targets().parallel(|host| …)`",
    ),
    row(
        "fn take-out() { }",
        Else,
        &["-"],
        &["fn _"],
        &[],
        "a name has letters, digits and `_`; a task `take_out` may be typed `take-out`, too",
    ),
    row("class Deploy { }", Variable, &["class"], &["^"], &["_"], NO_CLASSES),
];

const BLOCKS: &[Row] = &[
    row("fn f(x) { if x { } elif x { } }", Variable, &["elif", "elsif", "elseif"], &[], &[], "write `else if`"),
    row("fn f() { try:\n 1\nexcept:\n 2 }", Missing("{", "block"), &[":"], &["try"], &[], TRY),
    row("fn f(x) { if x:\n 1 }", Missing("{", "block"), &[":", "then", "do"], &[], &[], BRACES),
    row("fn f(x) { if (x) ui::note(\"x\"); }", Missing("{", "block"), &[], &[")"], &["::", "(", ".", ";"], BRACES),
    row("fn f(x) { if x { }; else { } }", Else, &["else"], &["} ;"], &[], "leave out the `;` between `}` and `else`"),
    row("fn f(x) { unless x { } }", Variable, &["unless"], &[], &[], "write `if !x { … }`"),
    row("fn f(x) { until x { } }", Else, &["until"], &[], &[], "write `while !x { … }`"),
    row("fn f(x) { x += 1; end }", Variable, &["end"], &["^", ";", "}"], &[], "a block ends with `}`"),
    row("fn f() { try { 1 } except { 2 } }", Missing("catch", ""), &["except", "rescue"], &[], &[], TRY),
    row("fn f() { try { 1 } catch Exception { 2 } }", Missing("{", "block"), &[], &["catch"], &[], TRY),
    row("fn f() {\n    begin\n        1\n    rescue\n        2\n    end\n}", Variable, &["begin"], &["^"], &[], TRY),
    row(
        "fn f() { try { 1 } catch { 2 } finally { 3 } }",
        Variable,
        &["finally", "ensure"],
        &[],
        &[],
        "write `defer(|| …);` before it: that runs however the task ends",
    ),
    row("fn f(x) { for y of x { } }", Missing("in", ""), &["of"], &[], &[], "write `for x in list { … }`"),
    row(
        "fn f(x) { for k, v in x { } }",
        Missing("in", ""),
        &[","],
        &[],
        &[],
        "write `for key in map.keys() { … map[key] … }`, or `for (x, count) in list { … }`",
    ),
    row(
        "fn f() { for (let i = 0; i < 3; i += 1) { } }",
        Else,
        &["let", "var"],
        &["for ("],
        &[],
        "write `for i in 0..3 { … }`",
    ),
    row(
        "fn f(x) { switch x { case 1: 2 } }",
        Else,
        &["case", "when"],
        &["{", "^", ";"],
        &["_", "\"", "'"],
        "write `switch x { 1 => …, \"two\" => …, _ => … }`",
    ),
    row(
        "fn f(x) { match x { 1 => 2 } }",
        Reserved,
        &["match", "case"],
        &["^", "{", ";", "="],
        &["_"],
        "write `switch x { 1 => …, \"two\" => …, _ => … }`",
    ),
];

const MODULES: &[Row] = &[
    row("from fabric import task", Variable, &["from"], &["^"], &["_"], IMPORT),
    row("import os", Variable, &[], &["^ import"], &[], IMPORT),
    row("import {x} from \"y\";", Variable, &[], &["import {"], &[], IMPORT),
    row(
        "require \"capistrano\"",
        Variable,
        &["require", "include", "load", "require_relative"],
        &["^"],
        &["\"", "'"],
        IMPORT,
    ),
    row("use std::deploy;", Reserved, &["use"], &["^"], &["_"], IMPORT),
];

const WORDS: &[Row] = &[
    row("fn f() { raise \"x\"; }", Variable, &["raise"], &[], &[], "write `throw \"why\"`"),
    row("fn f() { throw new Error(\"x\"); }", Reserved, &["new"], &["throw"], &[], "write `throw \"why\"`"),
    row("fn f() { let x = new Thing(); }", Reserved, &["new"], &["=", "(", "return"], &["_"], NO_CLASSES),
    row("fn f() { pass }", Variable, &["pass"], &[], &[], "leave it out: a block may be empty, `{ }`"),
    row(
        "fn f() { host.run(\"x\"); }",
        Variable,
        &["host"],
        &[],
        &["."],
        "`targets().each(|host| …)` hands out each host",
    ),
    row("fn f() { subprocess.run([\"npm\", \"ci\"]); }", Variable, &["subprocess"], &[], &["."], LOCAL),
    row("fn f() { os.system(\"make\"); }", Variable, &["os"], &[], &[". system", ". popen"], LOCAL),
    row("fn f() { requests.post(\"https://x\"); }", Variable, &["requests", "urllib", "axios"], &[], &["."], HTTP),
    row("fn f(uri) { Net::HTTP.get(uri); }", Variable, &["Net", "HTTP"], &[], &[], HTTP),
    row(
        "fn f() { self.deploy(); }",
        Variable,
        &["self"],
        &[],
        &[],
        "there is no `self`; a function knows its parameters, and a closure what it captures",
    ),
    row("fn f() { puts \"x\"; }", Variable, &["puts", "echo", "printf"], &[], &["\"", "'", "`", "_"], SAY),
    row("fn f() { print \"x\"; }", Reserved, &["print"], &[], &["\"", "'", "`", "_"], SAY),
    row("fn f() { console.log(\"x\"); }", Variable, &["console"], &[], &["."], SAY),
    row(
        "fn f() { with host.cd(\"/srv\") { } }",
        Reserved,
        &["with"],
        &["^", "{", ";"],
        &["_"],
        "write `host.cd(\"/srv\").run(\"ls\")`: `cd`, `user`, `env` and `timeout` give a host for the calls on it",
    ),
    row(
        "fn f() { await f(); }",
        Reserved,
        &["await"],
        &[],
        &["_"],
        "leave `await` out: a call comes back when it is done",
    ),
    row(
        "fn f() { go f(); }",
        Reserved,
        &["go", "spawn", "thread"],
        &["^", "{", ";"],
        &["_"],
        "hosts are worked on side by side by `targets().parallel(|host| …)`",
    ),
    row("fn f() { var x = 1; }", Reserved, &["var"], &[], &["_"], "write `let x = …;`"),
    row(
        "fn f(x) { del x; }",
        Variable,
        &["del", "delete"],
        &[],
        &["_"],
        "write `map.remove(\"key\")`, or `list.remove(0)`",
    ),
    row("fn f(x) { assert x; }", Variable, &["assert"], &[], &["_"], "write `if !x { throw \"why\" }`"),
    row(
        "fn f() { global x; }",
        Variable,
        &["global", "nonlocal"],
        &[],
        &["_"],
        "a function sees its parameters and the file's literal `const`s; hand the rest over as arguments",
    ),
    row("fn f() { ENV[\"HOME\"] }", Variable, &["ENV"], &[], &["["], VARIABLES),
    row("fn f() { process.env.HOME }", Variable, &["process"], &[], &[". env"], VARIABLES),
    row("fn f() { os.environ[\"HOME\"] }", Variable, &["os"], &[], &[". environ", ". getenv"], VARIABLES),
    row(
        "#!/usr/bin/env rfab\nfn f() { }",
        Reserved,
        &["#!"],
        &[],
        &[],
        "leave this line out: a fabfile is found by its name, or named by `-f FILE`",
    ),
    row(
        "# Deploys.\nfn f() { }",
        Reserved,
        &["#"],
        &[],
        &[],
        "a comment begins with `//`, and what `--list` shows of a task with `///`",
    ),
    row("fn f() { $x }", Reserved, &["$", "@"], &[], &["_"], "a variable is written by its name alone"),
    row(
        "fn f() { #{ public: 1 } }",
        Reserved,
        &[],
        &["#{", ","],
        &[":"],
        "write `\"{word}\": …`: as the key of a map it stands in quotes",
    ),
];

const STATEMENTS: &[Row] = &[
    row(
        "fn f() { let [a, b] = [1, 2]; }",
        Else,
        &["[", "(", "{"],
        &["let", "const"],
        &[],
        "one name at a time: `let a = list[0];`",
    ),
    row(
        "fn f() { let x: int = 1; }",
        Missing(";", ""),
        &[":"],
        &["let _"],
        &[],
        "a variable has no type: `let x = 1;`",
    ),
    row(
        "fn f() { const x = 1; x = 2; }",
        Constant,
        &[],
        &[],
        &[],
        "write `let` where it is made: a `const` keeps its value",
    ),
    row(
        "default_targets = \"prod\";",
        Variable,
        &["default_targets"],
        &["^"],
        &["="],
        "write `const default_targets = …;`",
    ),
    row(
        "fn f() { x = 1; }",
        New,
        &[],
        &["^", "{", ";", "}"],
        &["="],
        "write `let {word} = …;` where it gets its first value",
    ),
    row(
        "fn f(x) { ui::note(\"x\") if x; }",
        Missing(";", ""),
        &["if", "unless"],
        &[")", "_", "\""],
        &[],
        "write the condition first: `if x { … }`",
    ),
    row(
        "fn f() {\n    let x = 1\n    let y = 2;\n}",
        Missing(";", ""),
        &[],
        &["^"],
        &["_", "::", "(", ".", "=", "\""],
        "write `;` behind the statement before it",
    ),
    row(
        "fn f() { fn g() { } }",
        Else,
        &["fn"],
        &["{", "^", ";"],
        &[],
        "move it out of the function, or write a closure: `let g = |x| …;` and `g.call(1)`",
    ),
];

/// Functions and methods by the names that they have elsewhere.
pub const FUNCTIONS: &[(Words, &str)] = &[
    (&["puts", "printf", "println", "echo", "print", "debug", "info"], SAY),
    (&["warning"], "write `ui::warn(\"…\")`"),
    (&["str", "String", "repr", "to_s", "toString"], "write `x.to_string()`, or put it into a text: `` `${x}` ``"),
    (&["int", "Integer", "to_i", "parseInt", "Number"], "write `number(text)`"),
    (&["bool"], "write `yes(text)`"),
    (&["upper", "upcase", "toUpperCase"], "write `text.to_upper()`"),
    (&["lower", "downcase", "toLowerCase"], "write `text.to_lower()`"),
    (&["strip", "chomp"], "write `text.trim()`, which changes the variable itself"),
    (&["startswith", "startsWith", "start_with"], "write `text.starts_with(\"…\")`"),
    (&["endswith", "endsWith", "end_with"], "write `text.ends_with(\"…\")`"),
    (&["includes", "include"], "write `list.contains(x)`, or `x in list`"),
    (&["size", "length", "count"], "write `list.len()`"),
    (&["forEach", "foreach", "each_with_index"], "write `for x in list { … }`, or `for (x, i) in list { … }`"),
    (&["format", "sprintf", "interpolate"], "write the text in backticks: `` `to ${name}` ``"),
    (&["isinstance", "typeof", "is_a"], "write `type_of(x) == \"string\"`"),
    (&["require", "require_relative", "load"], IMPORT),
    (&["raise", "fail", "die", "Error", "Exception"], "write `throw \"why\"`"),
    (
        &["execute", "shell", "exec", "system", "ssh", "subprocess"],
        "write `host.run(\"…\")` within `targets().each(|host| …)`; on this machine `local::run(\"…\")`",
    ),
    (&["local", "lcd", "run_locally", "popen", "check_call", "check_output", "execSync"], LOCAL),
    (&["fetch", "curl", "wget", "urlopen"], HTTP),
    (
        &["open", "open_file", "read_file", "readFile"],
        "write `host.read(path)`, or `host.write(path, text)`; a file of the project is read by `local::read(path)`",
    ),
    (&["upload", "rsync", "scp"], "write `host.put(from, to)`"),
    (&["download"], "write `host.get(from, to)`"),
    (&["getenv"], VARIABLES),
    (&["getpass", "password", "ask_password"], "write `secret::ask(\"the database password\")`"),
];

/// Keys of limits and hooks by the names that they have elsewhere.
pub const KEYS: &[(Words, &str)] = &[
    (&["serial", "batch", "batch_size"], "write `batches: [1, \"20%\"]`"),
    (&["limit", "parallel", "pool_size", "forks", "concurrency"], "write `at_once: 4`"),
    (&["max_fail_percentage", "max_failures", "on_error"], "write `max_failed: 1`"),
    (
        &["before", "before_deploy", "build", "install"],
        "write `prepare: |host| …`, which runs in the new release before the switch",
    ),
    (&["migration", "migrations"], "write `migrate: |host| …`, which runs once a release"),
    (&["after", "after_deploy", "reload"], "write `restart: |host| …`, which runs after the switch"),
];
