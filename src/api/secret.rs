//! Primitives that read secrets where they are kept. rfab masks them in everything that it shows.
use super::command::command_error;
use crate::{
    command::Command,
    failure::{Cause, Failure},
    script::{Argument, RhaiResultOf, here, thrown},
    secret::{MASK, Secret},
    source::{SecretSource, Take},
};
use rhai::{Array, Dynamic, NativeCallContext, plugin::*};

fn take(ctx: &NativeCallContext, from: SecretSource) -> RhaiResultOf<Secret> {
    here(ctx)?.perform(Take(from))
}

fn printed(ctx: &NativeCallContext, words: Vec<String>) -> RhaiResultOf<Secret> {
    let folder = here(ctx)?.script.folder.clone();
    match Command::of(words).map_err(command_error)? {
        Command::Words(words) => take(ctx, SecretSource::Command { words, folder }),
        Command::Line { .. } => unreachable!("they are words"),
    }
}

#[export_module(manifest)]
pub mod secret {
    /// Reads a secret from a variable of rfab's own environment.
    ///
    /// The call fails if the variable isn't set or is empty.
    ///
    /// rfab never prints the value: in a string, it's `***`. You can pass the secret to `host.env`, `host.stdin`,
    /// `host.write` and `host.template`, and as a value to `sh`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let password = secret::env("SHOP_DB");
    /// host.env(#{ DATABASE_PASSWORD: password }).run("bin/check");
    /// ```
    #[rhai_fn(name = "env", return_raw)]
    pub(crate) fn env(ctx: NativeCallContext, name: &str) -> RhaiResultOf<Secret> {
        if !crate::command::is_variable(name) || name.is_empty() {
            return Err(thrown(Failure::new(Cause::Fabfile, format!("`{name}` isn't a variable name"))));
        }
        take(&ctx, SecretSource::Env(name.to_owned()))
    }

    /// Reads a secret from a file inside the fabfile's folder, without its last line break.
    ///
    /// rfab refuses a file that all users of this machine can read.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.write("/tmp/key", secret::file("secrets/key"));
    /// ```
    #[rhai_fn(name = "file", return_raw)]
    pub(crate) fn file(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Secret> {
        let file = here(&ctx)?.script.below(path).map_err(thrown)?;
        take(&ctx, SecretSource::File { file, path: path.to_owned() })
    }

    /// Reads a secret from the output of a program on this machine, without its last line break.
    ///
    /// The program runs in the fabfile's folder, without input, for at most 60 s. rfab shows what the program prints to
    /// stderr.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.stdin(secret::command(["pass", "show", "shop/db"])).run("bin/login");
    /// ```
    #[rhai_fn(name = "command", return_raw)]
    pub(crate) fn command(ctx: NativeCallContext, words: Array) -> RhaiResultOf<Secret> {
        let why = "a word of this command is a secret, and every user of this machine can see the words of a command";
        let word = |word: Dynamic| match Argument::of(&word) {
            Some(given) => given.open(why, "let the program read it from its own store").map_err(thrown),
            None => Ok(word.to_string()),
        };
        printed(&ctx, words.into_iter().map(word).collect::<Result<_, _>>()?)
    }

    /// Reads a secret from the output of a program on this machine. rfab splits the text into words, without a shell.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let token = secret::command("pass show shop/token");
    /// ```
    #[rhai_fn(name = "command", return_raw)]
    pub(crate) fn command_text(ctx: NativeCallContext, command: &str) -> RhaiResultOf<Secret> {
        match Command::words(command, &[]).map_err(command_error)? {
            Command::Words(words) => printed(&ctx, words),
            Command::Line { .. } => unreachable!("it was split into words"),
        }
    }

    /// Asks for a secret on the terminal, and doesn't show what you type. Without a terminal, the call fails.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let password = secret::ask("the database password");
    /// ```
    #[rhai_fn(name = "ask", return_raw)]
    pub(crate) fn ask(ctx: NativeCallContext, what: &str) -> RhaiResultOf<Secret> {
        take(&ctx, SecretSource::Ask(what.to_owned()))
    }
}

#[export_module(manifest)]
pub mod unseen {
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub(crate) fn to_string(ctx: NativeCallContext, _secret: &mut crate::secret::Secret) -> String {
        // The top level of a file has no run, and no secret either.
        here(&ctx).into_iter().for_each(|here| here.lane.masks().word());
        MASK.to_owned()
    }

    #[rhai_fn(name = "==", name = "!=", name = "<", name = "<=", name = ">", name = ">=", pure, return_raw)]
    pub(crate) fn compare(_secret: &mut crate::secret::Secret, _other: Dynamic) -> RhaiResultOf<bool> {
        Err(not_compared())
    }

    #[rhai_fn(name = "==", name = "!=", name = "<", name = "<=", name = ">", name = ">=", pure, return_raw)]
    pub(crate) fn compare_behind(_other: &mut Dynamic, _secret: crate::secret::Secret) -> RhaiResultOf<bool> {
        Err(not_compared())
    }
}

fn not_compared() -> Box<EvalAltResult> {
    let failure =
        Failure::new(Cause::Fabfile, "a secret can't be compared: what the script does next would give it away");
    thrown(failure.help("pass it to a program, and let that program compare it"))
}
