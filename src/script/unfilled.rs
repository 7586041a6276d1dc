//! Finds texts in double quotes that look as if values were filled in: `"to ${name}"`, `"to #{name}"`, `"to %s" %
//! name`.
use super::forbidden::Forbidden;
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};
use std::collections::BTreeSet;

/// Calls with a first text that is for people, or a path or a name: nothing fills it in, and no shell reads it.
const PLAIN: [&str; 22] = [
    "note", "warn", "confirm", "prompt", "next", "step", "refuse", "fleet", "select", "host", "role", "cd", "read",
    "write", "exists", "put", "get", "template", "head", "post", "patch", "delete",
];

/// Calls with a first text that is a command which no shell reads.
const COMMANDS: [&str; 5] = ["run", "capture", "sudo", "test", "terminal"];

const BACKTICKS: &str = "write the text in backticks: `` `to ${name}` ``";

/// Finds the first such text in a file; only names of the file's variables count.
pub fn find(ast: &AST) -> Option<Forbidden> {
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
        let message = "`%` puts no value into a text".to_owned();
        return Some(Forbidden { at, message, help: BACKTICKS });
    }
    let texts = call.args.iter().take(if method { 1 } else { 2 });
    if COMMANDS.contains(&&*call.name) {
        let help = match !call.namespace.is_empty() && call.namespace.root() == "local" {
            true => "write `local::run(\"ls {folder}\", #{ folder: path })`: each value stays one word",
            false => "write `host.run(\"ls {folder}\", #{ folder: path })`: each value stays one word",
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
    let message = format!("the value of `{name}` isn't put into a text in double quotes");
    Some(Forbidden { at: *at, message, help })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(text: &str) -> Option<&'static str> {
        find(&rhai::Engine::new().compile(text).unwrap()).map(|found| found.help)
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
