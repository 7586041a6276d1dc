//! Finds what no script may contain: commands that are put together from texts, or that only a shell understands.
use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position, Stmt};
use std::collections::BTreeSet;

/// A forbidden call, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Forbidden {
    pub at: Position,
    pub message: String,
    pub help: &'static str,
}

/// Calls whose first text is a command that no shell reads.
pub(super) const COMMANDS: [&str; 5] = ["run", "capture", "sudo", "test", "terminal"];

/// Finds the first forbidden call in a file.
pub(super) fn find(ast: &AST) -> Option<Forbidden> {
    let mut found = None;
    ast.walk(&mut |path| {
        let call = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at) | Expr::MethodCall(call, at))) => Some((call, *at)),
            Some(ASTNode::Stmt(Stmt::FnCall(call, at))) => Some((call, *at)),
            _ => None,
        };
        let method = matches!(path.last(), Some(ASTNode::Expr(Expr::MethodCall(..))));
        if let Some((call, at)) = call {
            found = check(call, method, at);
        }
        // Rhai turns `Fn("sh")` into a value while it parses.
        if let Some(ASTNode::Expr(Expr::DynamicConstant(value, at))) = path.last()
            && value.read_lock::<FnPtr>().is_some_and(|function| function.fn_name() == "sh")
        {
            found = Some(not_written(*at));
        }
        found.is_none()
    });
    found
}

fn check(call: &FnCallExpr, method: bool, at: Position) -> Option<Forbidden> {
    // After `local::` the command is the first argument, as in a method of a host.
    let here = !call.namespace.is_empty() && call.namespace.root() == "local";
    let command = if method || here { call.args.first() } else { call.args.get(1) };
    if COMMANDS.contains(&&*call.name) && command.is_some_and(put_together) {
        return Some(Forbidden {
            at: command.map_or(at, Expr::position),
            message: format!(
                "the command of `{}` is built by joining strings, so a value in it could become words or code",
                call.name
            ),
            help: if here {
                "write `local::run(\"tar xf {file}\", #{ file: name })`: each value stays one word"
            } else {
                "write `host.run(\"tar xf {file}\", #{ file: name })`: each value stays one word"
            },
        });
    }
    if let Some(text) = prints_a_secret(call)
        && put_together(text)
    {
        return Some(Forbidden {
            at: text.position(),
            message:
                "the command of `secret::command` is built by joining strings, so a value in it could become words"
                    .to_owned(),
            help: "write its words: `secret::command([\"pass\", \"show\", name])`",
        });
    }
    if COMMANDS.contains(&&*call.name)
        && let Some(Expr::StringConstant(text, at)) = command
        && let Some(sign) = of_the_shell(text)
    {
        return Some(Forbidden {
            at: *at,
            message: format!("`{sign}` works only in a shell, and no shell reads the command of `{}`", call.name),
            help: if here {
                "write `local::run(sh(\"cd \\\"$dir\\\" && make\", #{ dir: path }))`, or `local::cd(path).run(\"make\")`"
            } else {
                "write `host.run(sh(\"cd \\\"$dir\\\" && make\", #{ dir: path }))`, or `host.cd(path).run(\"make\")`"
            },
        });
    }
    let line = call.args.first();
    let literal = matches!(line, Some(Expr::StringConstant(..)));
    let by_name = &*call.name == "Fn" && matches!(line, Some(Expr::StringConstant(name, _)) if name == "sh");
    // As a method, as in `line.sh()`, or in an overload that doesn't exist.
    let wrong = &*call.name == "sh" && (method || !literal && line.is_some());
    (wrong || by_name).then(|| not_written(line.map_or(at, Expr::position)))
}

fn not_written(at: Position) -> Forbidden {
    Forbidden { at, message: NOT_WRITTEN.to_owned(), help: AS_VARIABLES }
}

/// Why a line for a shell is refused.
pub(super) const NOT_WRITTEN: &str = "the line of `sh` isn't a literal, so a value in it could become code";

/// What to write instead.
pub(super) const AS_VARIABLES: &str =
    "write `sh(\"cd \\\"$dir\\\" && make\", #{ dir: path })`: values arrive as shell variables";

/// Returns a file's shell lines: the string literals that are passed to `sh`.
pub(super) fn lines(ast: &AST) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) = path.last()
            && &*call.name == "sh"
            && let Some(Expr::StringConstant(line, _)) = call.args.first()
        {
            lines.insert(line.to_string());
        }
        true
    });
    lines
}

/// Returns the command in a call of `secret::command`.
fn prints_a_secret(call: &FnCallExpr) -> Option<&Expr> {
    let named = &*call.name == "command" && call.namespace.to_string().trim_end_matches("::") == "secret";
    call.args.first().filter(|_| named)
}

/// Returns what only a shell understands in a command without quotes: an operator between words, or its first word.
fn of_the_shell(text: &str) -> Option<&str> {
    if text.contains(['\'', '"', '\\']) {
        return None;
    }
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let built_in = ["cd", "export", "source", "."].contains(&first).then_some(first);
    words.find(|word| ["&&", "||", "|", ">", ">>", "<", "2>&1", "&"].contains(word)).or(built_in)
}

fn put_together(expr: &Expr) -> bool {
    match expr {
        Expr::InterpolatedString(..) => true,
        Expr::FnCall(call, _) => &*call.name == "+" || &*call.name == "to_string" && call.args.iter().any(put_together),
        Expr::Dot(binary, ..) => put_together(&binary.lhs),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<usize> {
        let mut engine = rhai::Engine::new();
        engine.set_max_expr_depths(128, 128);
        find(&engine.compile(text).unwrap()).and_then(|f| f.at.line())
    }

    #[test]
    fn a_command_put_together_from_texts_is_found_wherever_it_stands() {
        for bad in [
            "fn a(host, x) { host.run(`ls ${x}`); }",
            "fn a(host, x) { host.capture(\"ls \" + x) }",
            "fn a(host, x) { let y = [1].map(|i| host.sudo(`a ${x}`)); }",
            "fn a(host, x) { if true { for h in x { run(host, \"a\" + x); } } }",
            "fn a(host, x) { host.run(sh(`cd ${x}`)) }",
            "fn a(host, x) { host.run(sh(x)) }",
            "fn a(host, x) { host.run(sh(\"cd \" + x, #{})) }",
            "fn a(host, x) { host.run(x.sh()) }",
            "fn a(host, x) { host.run((\"cd \" + x).sh(#{})) }",
            "fn a(host, x) { host.run(\"cd x\".sh()) }",
            "fn a(host, x) { host.run(Fn(\"sh\").call(x)) }",
            "fn a(host, x) { host.run(call(Fn(\"sh\"), x)) }",
            "fn a(host, x) { host.run(curry(Fn(\"sh\"), x).call()) }",
            "fn a(host, x) { host.run(#{ sh: |x| x }.sh(x)) }",
            "fn a(host, x) { host.cd(x).run(`ls ${x}`) }",
            "fn a(host) { host.run(\"cd /srv && make\") }",
            "fn a(host) { host.capture(\"ls | wc -l\") }",
            "fn a(host) { host.run(\"cd /srv\") }",
            "fn a(x) { secret::command(`pass show ${x}`) }",
            "fn a(x) { local::run(`ls ${x}`) }",
            "fn a(x) { local::capture(\"ls \" + x, #{}) }",
            "fn a(x) { local::cd(x).test(`ls ${x}`) }",
            "fn a(x) { local::run(sh(`cd ${x}`)) }",
            "fn a() { local::run(\"cd web && npm ci\") }",
        ] {
            assert_eq!(line(bad), Some(1), "{bad}");
        }
    }

    #[test]
    fn literals_arrays_variables_and_texts_that_are_no_commands_are_fine() {
        for good in [
            "fn a(host, x) { host.run(\"ls {x}\", #{ x: `a ${x}` }); host.run([\"ls\", `${x}`]); host.run(x); }",
            "fn a(host, x) { host.run(sh(\"cd $d\", #{ d: `a ${x}` })); }",
            "fn a(x) { ui::note(`ls ${x}` + x); secret::command([\"pass\", `${x}`]); secret::command(x); command(`${x}`) }",
            "fn a(x) { local::run(\"ls {x}\", #{ x: `a ${x}` }); local::run([\"ls\", `${x}`]); local::cd(`${x}`).run(x); }",
            "fn a(host) { host.run(sh(\"cd /srv && make\")); host.run(\"sh -c 'a | b'\"); host.run([\"test\", \"a\", \">\", \"b\"]); }",
            "fn a(host) { host.run(\"find . -name *.pyc -delete\"); host.run(\"cdrecord\"); ui::note(\"a && b\"); }",
        ] {
            assert_eq!(line(good), None, "{good}");
        }
    }
}
