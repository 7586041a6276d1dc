//! Finds texts in double quotes that look as if values were filled in: `"to ${name}"`, `"to #{name}"`, `"to %s" %
//! name`.
use super::forbidden::{COMMANDS, Forbidden};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};
use std::collections::BTreeSet;

/// Calls with a first text that is for people, or a path or a name: nothing fills it in, and no shell reads it.
const PLAIN: &[&str] = &[
    "ahead",
    "app",
    "archive",
    "ask",
    "build",
    "called",
    "cd",
    "checkout",
    "commit",
    "compare",
    "confirm",
    "contains",
    "delete",
    "drain",
    "encoded",
    "env",
    "exists",
    "fetch",
    "file",
    "files",
    "fleet",
    "following",
    "forward",
    "get",
    "group",
    "head",
    "host",
    "inside",
    "install",
    "is_bump",
    "leave_out",
    "listen",
    "local",
    "mark_done",
    "marked",
    "merge",
    "merged_at",
    "miss",
    "mode",
    "move_refs",
    "newest_stable_tag",
    "next",
    "note",
    "object",
    "once",
    "only_merges",
    "parents",
    "patch",
    "post",
    "prepare_merge",
    "prepare_pick",
    "prepare_squash",
    "prepare_tag",
    "probe",
    "prompt",
    "push_branch",
    "push_tag",
    "pushed",
    "put",
    "read",
    "refs",
    "refuse",
    "remote",
    "replayed",
    "resolve",
    "role",
    "run_hook",
    "select",
    "serves",
    "set",
    "settings",
    "share",
    "shared_path",
    "start_branch",
    "start_merge",
    "start_pick",
    "step",
    "steps",
    "tag",
    "tag_version",
    "tagged",
    "template",
    "tree",
    "try_probe",
    "user",
    "want_known",
    "warn",
    "write",
];

const BACKTICKS: &str = "write the text in backticks: `` `to ${name}` ``";

/// Finds the first such text in a file; only names of the file's variables count.
pub(super) fn find(ast: &AST) -> Option<Forbidden> {
    let variables = variables(ast);
    let mut found = None;
    ast.walk(&mut |path| {
        found = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                check(call, false, *at, &variables)
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => check(call, true, *at, &variables),
            Some(ASTNode::Stmt(Stmt::BreakLoop(thrown, ..) | Stmt::Return(thrown, ..))) => {
                thrown.as_ref().and_then(|thrown| literal(thrown, &variables, BACKTICKS))
            }
            _ => None,
        };
        found.is_none()
    });
    found
}

/// Returns the names of all parameters and variables in the file.
fn variables(ast: &AST) -> BTreeSet<String> {
    let parameters = ast.iter_functions().flat_map(|function| function.params);
    let mut names: BTreeSet<String> = parameters.map(str::to_owned).collect();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Var(variable, ..))) = path.last() {
            names.insert(variable.0.name.to_string());
        }
        true
    });
    names
}

fn check(call: &FnCallExpr, method: bool, at: Position, variables: &BTreeSet<String>) -> Option<Forbidden> {
    if &*call.name == "%" && matches!(call.args.first(), Some(Expr::StringConstant(..))) {
        let message = "`%` doesn't insert values into a string".to_owned();
        return Some(Forbidden { at, message, help: BACKTICKS });
    }
    let texts = call.args.iter().take(if method { 1 } else { 2 });
    if COMMANDS.contains(&&*call.name) {
        let help = if !call.namespace.is_empty() && call.namespace.root() == "local" {
            "write `local::run(\"ls {folder}\", #{ folder: path })`: each value stays one word"
        } else {
            "write `host.run(\"ls {folder}\", #{ folder: path })`: each value stays one word"
        };
        let unquoted = |text: &&Expr| matches!(text, Expr::StringConstant(text, _) if !text.contains('\''));
        return texts.filter(unquoted).find_map(|text| literal(text, variables, help));
    }
    let plain = PLAIN.contains(&&*call.name);
    texts.filter(|_| plain).find_map(|text| literal(text, variables, BACKTICKS))
}

fn literal(text: &Expr, variables: &BTreeSet<String>, help: &'static str) -> Option<Forbidden> {
    let Expr::StringConstant(text, at) = text else { return None };
    let name = text.split(['$', '#']).skip(1).find_map(|rest| {
        let (inside, _) = rest.strip_prefix('{')?.split_once('}')?;
        let name: String = inside.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        variables.contains(&name).then_some(name)
    })?;
    let message = format!("`{name}` isn't inserted: strings in double quotes are literal");
    Some(Forbidden { at: *at, message, help })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(text: &str) -> Option<&'static str> {
        find(&rhai::Engine::new().compile(text).unwrap()).map(|found| found.help)
    }

    /// Calls whose text another reads: a shell, a parser, or the program on stdin.
    const READ_BY_ANOTHER: [&str; 9] =
        ["command", "log", "number", "padded", "parse_json", "pause", "sh", "stdin", "yes"];

    #[test]
    fn each_primitive_that_takes_a_text_is_known_here() {
        let definitions = crate::docs::definitions();
        let signatures = definitions.values().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("fn "));
        let mut taking = BTreeSet::new();
        for (name, parameters) in signatures.filter_map(|line| line.split_once('(')) {
            let (parameters, _) = parameters.split_once(") ->").expect("what it returns");
            // A function stands before its host, and a method behind it.
            if !name.contains(' ') && parameters.split(", ").take(2).any(|parameter| parameter.ends_with(": string")) {
                taking.insert(name);
            }
        }
        // What takes any value doesn't say that it takes a text.
        let requests = ["delete", "head", "patch"];
        let known = PLAIN.iter().chain(&COMMANDS).chain(&READ_BY_ANOTHER).copied();
        let known: BTreeSet<&str> = known.filter(|name| !requests.contains(name)).collect();
        assert_eq!(taking, known);
    }

    #[test]
    fn a_text_that_looks_filled_and_is_not_is_found() {
        for text in [
            "fn f(x) { ui::note(\"to ${x}\") }",
            "fn f(x) { ui::note(\"to #{x.name}\") }",
            "fn f(x) { let y = 1; step(\"to ${ y }\", || 1) }",
            "fn f(x) { fleet(\"fleets/${x}.toml\") }",
            "fn f(x) { throw \"no ${x}\"; }",
            "fn f(x) { [1].map(|host| host.cd(\"/srv/${x}\")) }",
            "fn f(x) { \"to %s\" % x }",
            "fn f(host, x) { balancer::drain(host, \"for ${x}\") }",
        ] {
            assert_eq!(help(text), Some(BACKTICKS), "{text}");
        }
        assert_eq!(help("fn f(x) { http::post(\"https://x/${x}\", 1) }"), Some(BACKTICKS));
        assert!(help("fn f(x) { local::run(\"ls ${x}\") }").unwrap().contains("local::run"));
        assert!(help("fn f(host, x) { host.run(\"ls ${x}\") }").unwrap().contains("{folder}"));
    }

    #[test]
    fn a_text_that_another_reads_or_that_names_no_variable_is_left_alone() {
        for text in [
            "fn f(host, x) { host.run(sh(\"ls ${x}\", #{ x: x })) }",
            "fn f(host, x) { host.run(\"sh -c 'echo ${x}'\") }",
            "fn f(x) { ui::note(\"set ${HOME}, or #{y}, or $x, or {x}\") }",
            "fn f(x) { ui::note(`to ${x}`) }",
            "fn f(host, x) { host.write(\"/etc/x\", \"a=${x}\") }",
            "fn f(x) { 7 % x }",
        ] {
            assert_eq!(help(text), None, "{text}");
        }
    }
}
