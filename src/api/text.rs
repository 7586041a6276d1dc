//! Primitives that turn texts into values and shell lines, and that throw failures.
use super::command::command_error;
use crate::{
    command::Command,
    failure::{Cause, Failure, Unchanged},
    script::{Argument, RhaiResultOf, here, thrown},
};
use rhai::{Dynamic, Map, plugin::*};

fn wrong(message: String, help: &str) -> Box<EvalAltResult> {
    thrown(Failure::new(Cause::Fabfile, message).help(help))
}

#[export_module(manifest)]
pub mod text {
    /// Makes a line for `/bin/sh`, such as a pipeline. The line must be a literal string.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.capture(sh("df -h | tail -1"));
    /// ```
    #[rhai_fn(name = "sh", return_raw)]
    pub(crate) fn sh(ctx: NativeCallContext, line: &str) -> RhaiResultOf<Command> {
        here(&ctx)?.script.resolver.written(line).map_err(thrown)?;
        Command::line(line, Vec::new()).map_err(command_error)
    }

    /// Makes a line for `/bin/sh` with values.
    ///
    /// rfab passes the values as shell variables. If the line uses a variable that isn't set, it fails (`set -u`).
    ///
    /// A secret doesn't appear in a process's arguments, unless the line itself puts it there.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.run(sh("cd \"$dir\" && make", #{ dir: "/srv/shop" }));
    /// ```
    #[rhai_fn(name = "sh", return_raw)]
    pub(crate) fn sh_values(ctx: NativeCallContext, line: &str, variables: Map) -> RhaiResultOf<Command> {
        here(&ctx)?.script.resolver.written(line).map_err(thrown)?;
        let (mut values, mut secrets) = (Vec::new(), Vec::new());
        for (name, given) in Argument::each(variables).map_err(thrown)? {
            match given {
                Argument::Text(text) => values.push((name, text)),
                Argument::Secret(secret) => secrets.push((name, secret)),
            }
        }
        Command::line_with(line, values, secrets).map_err(command_error)
    }

    /// Reads a whole number, such as a task's argument.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let lines = number("20");
    /// ```
    #[rhai_fn(name = "number", return_raw)]
    pub(crate) fn number(text: &str) -> RhaiResultOf<i64> {
        text.trim().parse().map_err(|_| wrong(format!("`{text}` isn't a whole number"), "write digits, such as 20"))
    }

    /// Returns `true` for `yes`, `true`, `on` and `1`, and `false` for `no`, `false`, `off` and `0`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if yes("on") { ui::note("on"); }
    /// ```
    #[rhai_fn(name = "yes", return_raw)]
    pub(crate) fn yes(text: &str) -> RhaiResultOf<bool> {
        match text.trim() {
            "yes" | "true" | "on" | "1" => Ok(true),
            "no" | "false" | "off" | "0" => Ok(false),
            _ => Err(wrong(format!("`{text}` is neither yes nor no"), "write `yes` or `no`")),
        }
    }

    /// Pads the text with spaces on the right, up to a width.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let cell = padded("live", 6);
    /// ```
    #[rhai_fn(name = "padded")]
    pub(crate) fn padded(text: &str, width: i64) -> String {
        let width = width.clamp(0, 200) as usize;
        format!("{text:<width$}")
    }

    /// Throws all failures in an array as one failure. If there are none, it does nothing.
    ///
    /// # Example
    ///
    /// ```rhai
    /// together(targets().parallel(|host| { try { host.test("true"); } catch (failure) { return failure; } }));
    /// ```
    #[rhai_fn(name = "together", return_raw)]
    pub(crate) fn together(failures: rhai::Array) -> RhaiResultOf<()> {
        let mut failures: Vec<Failure> = failures.into_iter().filter_map(Dynamic::try_cast::<Failure>).collect();
        if failures.len() < 2 {
            return failures.pop().map_or(Ok(()), |failure| Err(thrown(failure)));
        }
        let worst =
            failures.iter().map(|f| f.cause).reduce(|a, b| if a.exit().worse(b.exit()) == a.exit() { a } else { b });
        let lines: Vec<String> = failures.iter().map(|failure| format!("  {failure}")).collect();
        let message = format!("{} problems:\n{}", failures.len(), lines.join("\n"));
        Err(thrown(Failure {
            help: failures.iter().find_map(|f| f.help.clone()),
            unchanged: Some(Unchanged::Run),
            sources: failures,
            ..Failure::new(worst.unwrap_or(Cause::Failed), message)
        }))
    }

    /// Throws a failure of the kind `refused`, which means that nothing was changed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if targets().len() > 100 { refuse("too many hosts at once"); }
    /// ```
    #[rhai_fn(name = "refuse", return_raw)]
    pub(crate) fn refuse(why: &str) -> RhaiResultOf<()> {
        Err(thrown(Failure::refused(why)))
    }

    /// Parses a JSON string.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let config = parse_json("{\"workers\": 4}");
    /// ```
    #[rhai_fn(name = "parse_json", return_raw)]
    pub(crate) fn parse_json(text: &str) -> RhaiResultOf<Dynamic> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|e| thrown(Failure::failed(format!("this text isn't JSON: {e}"))))?;
        rhai::serde::to_dynamic(value)
    }
}
