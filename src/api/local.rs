//! Primitives that run processes on this machine.
use super::{
    command::{argv, refuse_stars_in, variables, words},
    duration::duration,
};
use crate::{
    command::Command,
    failure::{Cause, Failure},
    local::{LocalCall, LocalCapture, LocalExists, LocalReadFile, LocalRun},
    script::{Argument, Here, RhaiResultOf, here, thrown},
};
use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext, plugin::*};

/// This machine as a script holds it, and how its next call runs.
#[derive(Clone, Debug)]
pub(super) struct LocalValue(pub LocalCall);

impl LocalValue {
    fn new() -> Self {
        // Each call sets the folder to the fabfile's.
        LocalValue(LocalCall::at(Default::default()))
    }
}

/// Reads a command: a string, an array of words, or the result of `sh`.
fn command(value: Dynamic) -> RhaiResultOf<Command> {
    if let Some(command) = value.clone().try_cast::<Command>() {
        return Ok(command);
    }
    if let Some(array) = value.clone().try_cast::<Array>() {
        return argv(array);
    }
    match value.clone().into_immutable_string() {
        Ok(text) => words(&text, Map::new()),
        Err(_) => {
            let failure = Failure::new(Cause::Fabfile, format!("`{value}` isn't a command"));
            Err(thrown(failure.help("write a string, an array of words, or `sh(\"…\")`")))
        }
    }
}

/// Returns the machine with the folder where a command runs. Refuses stars that replaced a secret.
fn at(here: &Here, local: &LocalValue, command: &Command) -> RhaiResultOf<LocalCall> {
    let local = LocalCall { folder: here.script.folder.clone(), ..local.0.clone() };
    refuse_stars_in(here, local.env.values().chain(&local.stdin), command)?;
    Ok(local)
}

fn run(ctx: &NativeCallContext, local: &LocalValue, command: Command) -> RhaiResultOf<String> {
    let here = here(ctx)?;
    let local = at(&here, local, &command)?;
    Ok(here.perform(LocalRun { local, command })?.out)
}

fn capture(ctx: &NativeCallContext, local: &LocalValue, command: Command) -> RhaiResultOf<String> {
    let here = here(ctx)?;
    let local = at(&here, local, &command)?;
    Ok(here.perform(LocalCapture { local, command, any_status: false })?.out)
}

fn test(ctx: &NativeCallContext, local: &LocalValue, command: Command) -> RhaiResultOf<bool> {
    let here = here(ctx)?;
    let local = at(&here, local, &command)?;
    Ok(here.perform(LocalCapture { local, command, any_status: true })?.status == 0)
}

#[export_module(manifest)]
pub mod local {
    /// This machine, and the options for the next calls on it.
    #[expect(dead_code, reason = "names the type for scripts, and documents it")]
    pub(crate) type Local = LocalValue;

    /// Runs a command on this machine that can change something, and returns what it printed.
    ///
    /// The command is a string, an array of words, or the result of `sh`. A status other than 0 is a failure.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::run("npm ci");
    /// local::run(sh("make assets > \"$log\"", #{ log: "build.log" }));
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub(crate) fn run_command(ctx: NativeCallContext, command: Dynamic) -> RhaiResultOf<String> {
        super::run(&ctx, &LocalValue::new(), super::command(command)?)
    }

    /// Runs a command on this machine that can change something.
    ///
    /// rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::run("tar czf {file} public", #{ file: "my assets.tgz" });
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub(crate) fn run_values(ctx: NativeCallContext, command: &str, values: Map) -> RhaiResultOf<String> {
        super::run(&ctx, &LocalValue::new(), words(command, values)?)
    }

    /// Runs a read-only command on this machine and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let version = local::capture("bin/version --short");
    /// ```
    #[rhai_fn(name = "capture", return_raw)]
    pub(crate) fn capture_command(ctx: NativeCallContext, command: Dynamic) -> RhaiResultOf<String> {
        super::capture(&ctx, &LocalValue::new(), super::command(command)?)
    }

    /// Runs a read-only command on this machine. rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let lines = local::capture("wc -l {file}", #{ file: "motd.txt" });
    /// ```
    #[rhai_fn(name = "capture", return_raw)]
    pub(crate) fn capture_values(ctx: NativeCallContext, command: &str, values: Map) -> RhaiResultOf<String> {
        super::capture(&ctx, &LocalValue::new(), words(command, values)?)
    }

    /// Runs a read-only command on this machine and returns whether it exits with status 0.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !local::test("git diff --quiet") { ui::warn("there are changes that are not committed"); }
    /// ```
    #[rhai_fn(name = "test", return_raw)]
    pub(crate) fn test_command(ctx: NativeCallContext, command: Dynamic) -> RhaiResultOf<bool> {
        super::test(&ctx, &LocalValue::new(), super::command(command)?)
    }

    /// Runs a read-only command on this machine and returns whether it exits with status 0.
    ///
    /// rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if local::test("which {program}", #{ program: "npm" }) { local::run("npm ci"); }
    /// ```
    #[rhai_fn(name = "test", return_raw)]
    pub(crate) fn test_values(ctx: NativeCallContext, command: &str, values: Map) -> RhaiResultOf<bool> {
        super::test(&ctx, &LocalValue::new(), words(command, values)?)
    }

    /// Returns a `local` that runs the next calls in this folder. The path is relative to the fabfile's folder.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::cd("web").run("npm run build");
    /// ```
    #[rhai_fn(name = "cd")]
    pub(crate) fn cd_first(folder: ImmutableString) -> LocalValue {
        cd(&mut LocalValue::new(), folder)
    }

    /// Returns a `local` that adds these variables to rfab's own environment for the next calls.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::env(#{ NODE_ENV: "production" }).run("npm run build");
    /// ```
    #[rhai_fn(name = "env", return_raw)]
    pub(crate) fn env_first(variables: Map) -> RhaiResultOf<LocalValue> {
        env(&mut LocalValue::new(), variables)
    }

    /// Returns a `local` with a time limit for the next calls. rfab stops a command that exceeds it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::timeout("5m").run("npm test");
    /// ```
    #[rhai_fn(name = "timeout", return_raw)]
    pub(crate) fn timeout_first(limit: Dynamic) -> RhaiResultOf<LocalValue> {
        timeout(&mut LocalValue::new(), limit)
    }

    /// Returns a `local` that gives the next calls this text or secret as input.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::stdin("v3.0.1 is out\n").run("bin/announce");
    /// ```
    #[rhai_fn(name = "stdin", return_raw)]
    pub(crate) fn stdin_first(text: Dynamic) -> RhaiResultOf<LocalValue> {
        stdin(&mut LocalValue::new(), text)
    }

    /// Returns the text of a file in the project. The path is relative to the fabfile's folder.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let motd = local::read("motd.txt");
    /// ```
    #[rhai_fn(name = "read", return_raw)]
    pub(crate) fn read(ctx: NativeCallContext, path: &str) -> RhaiResultOf<String> {
        let here = here(&ctx)?;
        let whole = here.script.below(path).map_err(thrown)?;
        here.perform(LocalReadFile { path: path.to_owned(), whole })
    }

    /// Returns whether this file or folder exists in the project. The path is relative to the fabfile's folder.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if local::exists("package.json") { local::run("npm ci"); }
    /// ```
    #[rhai_fn(name = "exists", return_raw)]
    pub(crate) fn exists(ctx: NativeCallContext, path: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let whole = here.script.below(path).map_err(thrown)?;
        here.perform(LocalExists { path: path.to_owned(), whole })
    }

    /// Runs a command that can change something, and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::cd("web").env(#{ CI: "1" }).run("npm ci");
    /// ```
    #[rhai_fn(global, name = "run", return_raw)]
    pub(crate) fn run_at(ctx: NativeCallContext, local: &mut LocalValue, command: Dynamic) -> RhaiResultOf<String> {
        super::run(&ctx, local, super::command(command)?)
    }

    /// Runs a command that can change something. rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::cd("web").run("npm run {script}", #{ script: "build" });
    /// ```
    #[rhai_fn(global, name = "run", return_raw)]
    pub(crate) fn run_values_at(
        ctx: NativeCallContext,
        local: &mut LocalValue,
        command: &str,
        values: Map,
    ) -> RhaiResultOf<String> {
        super::run(&ctx, local, words(command, values)?)
    }

    /// Runs a read-only command and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let outdated = local::cd("web").capture("npm outdated --parseable");
    /// ```
    #[rhai_fn(global, name = "capture", return_raw)]
    pub(crate) fn capture_at(ctx: NativeCallContext, local: &mut LocalValue, command: Dynamic) -> RhaiResultOf<String> {
        super::capture(&ctx, local, super::command(command)?)
    }

    /// Runs a read-only command. rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let version = local::cd("web").capture("npm pkg get {key}", #{ key: "version" });
    /// ```
    #[rhai_fn(global, name = "capture", return_raw)]
    pub(crate) fn capture_values_at(
        ctx: NativeCallContext,
        local: &mut LocalValue,
        command: &str,
        values: Map,
    ) -> RhaiResultOf<String> {
        super::capture(&ctx, local, words(command, values)?)
    }

    /// Runs a read-only command and returns whether it exits with status 0.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let installed = local::cd("web").test("npm ls");
    /// ```
    #[rhai_fn(global, name = "test", return_raw)]
    pub(crate) fn test_at(ctx: NativeCallContext, local: &mut LocalValue, command: Dynamic) -> RhaiResultOf<bool> {
        super::test(&ctx, local, super::command(command)?)
    }

    /// Runs a read-only command and returns whether it exits with status 0.
    ///
    /// rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let installed = local::cd("web").test("npm ls {name}", #{ name: "vite" });
    /// ```
    #[rhai_fn(global, name = "test", return_raw)]
    pub(crate) fn test_values_at(
        ctx: NativeCallContext,
        local: &mut LocalValue,
        command: &str,
        values: Map,
    ) -> RhaiResultOf<bool> {
        super::test(&ctx, local, words(command, values)?)
    }

    /// Returns a `local` that runs the next calls in this folder. The path is relative to the fabfile's folder.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::timeout("5m").cd("web").run("npm ci");
    /// ```
    #[rhai_fn(global, name = "cd")]
    pub(crate) fn cd(local: &mut LocalValue, folder: ImmutableString) -> LocalValue {
        LocalValue(LocalCall { cd: Some(folder.into()), ..local.0.clone() })
    }

    /// Returns a `local` that adds these variables to the environment of the next calls.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::cd("web").env(#{ NODE_ENV: "production" }).run("npm run build");
    /// ```
    #[rhai_fn(global, name = "env", return_raw)]
    pub(crate) fn env(local: &mut LocalValue, variables: Map) -> RhaiResultOf<LocalValue> {
        let mut machine = local.0.clone();
        machine.env.extend(super::variables(variables)?);
        Ok(LocalValue(machine))
    }

    /// Returns a `local` with a time limit for the next calls. rfab stops a command that exceeds it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::cd("web").timeout("5m").run("npm test");
    /// ```
    #[rhai_fn(global, name = "timeout", return_raw)]
    pub(crate) fn timeout(local: &mut LocalValue, limit: Dynamic) -> RhaiResultOf<LocalValue> {
        Ok(LocalValue(LocalCall { timeout: Some(duration(&limit)?), ..local.0.clone() }))
    }

    /// Returns a `local` that gives the next calls this text or secret as input.
    ///
    /// # Example
    ///
    /// ```rhai
    /// local::cd("web").stdin("y\n").run("npx create-report");
    /// ```
    #[rhai_fn(global, name = "stdin", return_raw)]
    pub(crate) fn stdin(local: &mut LocalValue, text: Dynamic) -> RhaiResultOf<LocalValue> {
        let given = Argument::of(&text).ok_or_else(|| {
            thrown(Failure::new(
                Cause::Fabfile,
                format!("a command's input must be text, but its type is {}", text.type_name()),
            ))
        })?;
        Ok(LocalValue(LocalCall { stdin: Some(given.sealed()), ..local.0.clone() }))
    }
}
