//! A host, and the primitives that run on it.
use super::{
    command::{argv, refuse_stars_in, words},
    duration::duration,
};
use crate::{
    command::Command,
    failure::{Cause, Failure},
    remote::{Capture, Exec, LendTerminal, On},
    script::{RhaiResultOf, here, thrown},
    secret::Secret,
};
use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext, plugin::*};

pub use crate::script::HostValue;

fn exec(ctx: &NativeCallContext, on: &On, command: Command) -> RhaiResultOf<String> {
    let here = here(ctx)?;
    refuse_stars_in(&here, on.env.values().chain(&on.stdin), &command)?;
    let state = here.fleet_of(&on.host).state.clone();
    Ok(here.perform(Exec { on: on.clone(), command, any_status: false, state })?.out)
}

fn capture(ctx: &NativeCallContext, on: &On, command: Command) -> RhaiResultOf<String> {
    let here = here(ctx)?;
    refuse_stars_in(&here, on.env.values().chain(&on.stdin), &command)?;
    Ok(here.perform(Capture { on: on.clone(), command, any_status: false, shown: false })?.out)
}

fn test(ctx: &NativeCallContext, on: &On, command: Command) -> RhaiResultOf<bool> {
    let here = here(ctx)?;
    refuse_stars_in(&here, on.env.values().chain(&on.stdin), &command)?;
    Ok(here.perform(Capture { on: on.clone(), command, any_status: true, shown: false })?.status == 0)
}

fn as_root(on: &On) -> On {
    On { user: Some("root".into()), ..on.clone() }
}

#[export_module(manifest)]
pub mod host {
    /// A host of a fleet, and the options for the next calls on it.
    #[expect(dead_code, reason = "names the type for scripts, and documents it")]
    pub(crate) type Host = HostValue;

    /// Runs a command that can change something, and returns what it printed.
    ///
    /// rfab splits the text into words and doesn't use a shell. A status other than 0 is a failure.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.run("bin/clear-cache --all");
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub(crate) fn run_text(ctx: NativeCallContext, host: &mut HostValue, command: &str) -> RhaiResultOf<String> {
        exec(&ctx, &host.0, words(command, Map::new())?)
    }

    /// Runs a command that can change something. rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.run("tar xf {file} -C /srv", #{ file: "my files.tar" });
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub(crate) fn run_values(
        ctx: NativeCallContext,
        host: &mut HostValue,
        command: &str,
        values: Map,
    ) -> RhaiResultOf<String> {
        exec(&ctx, &host.0, words(command, values)?)
    }

    /// Runs a program with its arguments. It can change something.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.run(["touch", "a file"]);
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub(crate) fn run_words(ctx: NativeCallContext, host: &mut HostValue, words: Array) -> RhaiResultOf<String> {
        exec(&ctx, &host.0, argv(words)?)
    }

    /// Runs a shell line made by `sh` that can change something.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.run(sh("cd \"$dir\" && make", #{ dir: "/srv/shop" }));
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub(crate) fn run_line(ctx: NativeCallContext, host: &mut HostValue, command: Command) -> RhaiResultOf<String> {
        exec(&ctx, &host.0, command)
    }

    /// Runs a read-only command and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let kernel = host.capture("uname -r");
    /// ```
    #[rhai_fn(name = "capture", return_raw)]
    pub(crate) fn capture_text(ctx: NativeCallContext, host: &mut HostValue, command: &str) -> RhaiResultOf<String> {
        capture(&ctx, &host.0, words(command, Map::new())?)
    }

    /// Runs a read-only command. rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let size = host.capture("du -s {dir}", #{ dir: "/srv" });
    /// ```
    #[rhai_fn(name = "capture", return_raw)]
    pub(crate) fn capture_values(
        ctx: NativeCallContext,
        host: &mut HostValue,
        command: &str,
        values: Map,
    ) -> RhaiResultOf<String> {
        capture(&ctx, &host.0, words(command, values)?)
    }

    /// Runs a read-only program with its arguments and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let lines = host.capture(["wc", "-l", "/etc/passwd"]);
    /// ```
    #[rhai_fn(name = "capture", return_raw)]
    pub(crate) fn capture_words(ctx: NativeCallContext, host: &mut HostValue, words: Array) -> RhaiResultOf<String> {
        capture(&ctx, &host.0, argv(words)?)
    }

    /// Runs a read-only shell line made by `sh` and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let full = host.capture(sh("df -h | tail -1"));
    /// ```
    #[rhai_fn(name = "capture", return_raw)]
    pub(crate) fn capture_line(ctx: NativeCallContext, host: &mut HostValue, command: Command) -> RhaiResultOf<String> {
        capture(&ctx, &host.0, command)
    }

    /// Runs a read-only command and returns whether it exits with status 0.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if host.test("id shop") { ui::note("shop is there"); }
    /// ```
    #[rhai_fn(name = "test", return_raw)]
    pub(crate) fn test_text(ctx: NativeCallContext, host: &mut HostValue, command: &str) -> RhaiResultOf<bool> {
        test(&ctx, &host.0, words(command, Map::new())?)
    }

    /// Runs a read-only command and returns whether it exits with status 0.
    ///
    /// rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if host.test("id {user}", #{ user: "shop" }) { ui::note("shop is there"); }
    /// ```
    #[rhai_fn(name = "test", return_raw)]
    pub(crate) fn test_values(
        ctx: NativeCallContext,
        host: &mut HostValue,
        command: &str,
        values: Map,
    ) -> RhaiResultOf<bool> {
        test(&ctx, &host.0, words(command, values)?)
    }

    /// Runs a read-only shell line made by `sh` and returns whether it exits with status 0.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let busy = host.test(sh("[ \"$(nproc)\" -lt 4 ]"));
    /// ```
    #[rhai_fn(name = "test", return_raw)]
    pub(crate) fn test_line(ctx: NativeCallContext, host: &mut HostValue, command: Command) -> RhaiResultOf<bool> {
        test(&ctx, &host.0, command)
    }

    /// Runs a command as root, with sudo.
    ///
    /// If sudo needs a password, rfab asks for it once per run.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.sudo("systemctl reload nginx");
    /// ```
    #[rhai_fn(name = "sudo", return_raw)]
    pub(crate) fn sudo_text(ctx: NativeCallContext, host: &mut HostValue, command: &str) -> RhaiResultOf<String> {
        exec(&ctx, &as_root(&host.0), words(command, Map::new())?)
    }

    /// Runs a command as root, with sudo. rfab replaces each `{name}` in it with the map's value, as one word.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.sudo("chown shop {file}", #{ file: "/srv/shop/a file" });
    /// ```
    #[rhai_fn(name = "sudo", return_raw)]
    pub(crate) fn sudo_values(
        ctx: NativeCallContext,
        host: &mut HostValue,
        command: &str,
        values: Map,
    ) -> RhaiResultOf<String> {
        exec(&ctx, &as_root(&host.0), words(command, values)?)
    }

    /// Runs a program with its arguments as root, with sudo.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.sudo(["systemctl", "reload", "nginx"]);
    /// ```
    #[rhai_fn(name = "sudo", return_raw)]
    pub(crate) fn sudo_words(ctx: NativeCallContext, host: &mut HostValue, words: Array) -> RhaiResultOf<String> {
        exec(&ctx, &as_root(&host.0), argv(words)?)
    }

    /// Runs a shell line made by `sh` as root, with sudo.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.sudo(sh("echo 1 > /proc/sys/vm/drop_caches"));
    /// ```
    #[rhai_fn(name = "sudo", return_raw)]
    pub(crate) fn sudo_line(ctx: NativeCallContext, host: &mut HostValue, command: Command) -> RhaiResultOf<String> {
        exec(&ctx, &as_root(&host.0), command)
    }

    /// Returns a `host` that runs the next calls in this folder.
    ///
    /// A path that doesn't begin with `/` is relative to the folder of the `cd` before it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.cd("/srv/shop/current").run("bin/clear-cache");
    /// ```
    #[rhai_fn(name = "cd")]
    pub(crate) fn cd(host: &mut HostValue, folder: &str) -> HostValue {
        HostValue(On { cd: Some(host.0.place(folder)), ..host.0.clone() })
    }

    /// Returns a `host` that runs the next calls as this user, with sudo.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.user("postgres").run("psql -c 'vacuum'");
    /// ```
    #[rhai_fn(name = "user", return_raw)]
    pub(crate) fn user(host: &mut HostValue, name: &str) -> RhaiResultOf<HostValue> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
        if !(name.chars().all(good) && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')) {
            return Err(thrown(Failure::new(Cause::Fabfile, format!("`{name}` isn't a user name"))));
        }
        Ok(HostValue(On { user: Some(name.into()), ..host.0.clone() }))
    }

    /// Returns a `host` that adds these variables to the environment of the next calls. A value can be a secret.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.env(#{ RAILS_ENV: "production" }).run("bin/migrate");
    /// ```
    #[rhai_fn(name = "env", return_raw)]
    pub(crate) fn env(host: &mut HostValue, variables: Map) -> RhaiResultOf<HostValue> {
        let mut on = host.0.clone();
        on.env.extend(crate::api::command::variables(variables)?);
        Ok(HostValue(on))
    }

    /// Returns a `host` with a time limit for the next calls. rfab stops a command that exceeds it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.timeout("5m").run("bin/warm-up");
    /// ```
    #[rhai_fn(name = "timeout", return_raw)]
    pub(crate) fn timeout(host: &mut HostValue, limit: Dynamic) -> RhaiResultOf<HostValue> {
        Ok(HostValue(On { timeout: Some(duration(&limit)?), ..host.0.clone() }))
    }

    /// Returns a `host` that gives these permissions, such as `"0640"`, to the files that the next calls write.
    ///
    /// Without this call, an existing file keeps its permissions. A new file gets `0644`, or `0600` if it contains a
    /// secret.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.user("root").mode("0640").template("shop.conf.j2", "/etc/shop.conf", #{ workers: 4 });
    /// ```
    #[rhai_fn(name = "mode", return_raw)]
    pub(crate) fn mode(host: &mut HostValue, permissions: &str) -> RhaiResultOf<HostValue> {
        let digits = permissions.strip_prefix('0').unwrap_or(permissions);
        if digits.len() != 3 || !digits.bytes().all(|digit| (b'0'..b'8').contains(&digit)) {
            let failure = Failure::new(Cause::Fabfile, format!("`{permissions}` isn't a file mode"));
            return Err(thrown(
                failure.help(
                    "write three digits from 0 to 7, such as `\"0640\"`: for the owner, the group and the others",
                ),
            ));
        }
        Ok(HostValue(On { mode: Some(digits.to_owned()), ..host.0.clone() }))
    }

    /// Returns a `host` that gives the next calls this text as input.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.stdin("yes\n").run("bin/reset");
    /// ```
    #[rhai_fn(name = "stdin")]
    pub(crate) fn stdin(host: &mut HostValue, text: ImmutableString) -> HostValue {
        HostValue(On { stdin: Some(text.as_str().into()), ..host.0.clone() })
    }

    /// Returns a `host` that gives the next calls this secret as input.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.stdin(secret::env("SHOP_DB")).run("bin/login");
    /// ```
    #[rhai_fn(name = "stdin")]
    pub(crate) fn stdin_secret(host: &mut HostValue, secret: Secret) -> HostValue {
        HostValue(On { stdin: Some(secret), ..host.0.clone() })
    }

    /// Opens a shell on the host in your terminal, and returns its exit status when it ends.
    ///
    /// What you type there is up to you, as with plain ssh: rfab takes no lock, and no ledger records it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.terminal();
    /// ```
    #[rhai_fn(name = "terminal", return_raw)]
    pub(crate) fn terminal(ctx: NativeCallContext, host: &mut HostValue) -> RhaiResultOf<i64> {
        Ok(here(&ctx)?.perform(LendTerminal { on: host.0.clone(), command: None })?.into())
    }

    /// Runs a program in your terminal, such as a console or a database client.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.cd("/srv/shop/current").terminal("bin/console");
    /// ```
    #[rhai_fn(name = "terminal", return_raw)]
    pub(crate) fn terminal_text(ctx: NativeCallContext, host: &mut HostValue, command: &str) -> RhaiResultOf<i64> {
        let command = Some(words(command, Map::new())?);
        Ok(here(&ctx)?.perform(LendTerminal { on: host.0.clone(), command })?.into())
    }

    /// Runs a program with its arguments in your terminal.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.user("postgres").terminal(["psql", "shop"]);
    /// ```
    #[rhai_fn(name = "terminal", return_raw)]
    pub(crate) fn terminal_words(ctx: NativeCallContext, host: &mut HostValue, command: Array) -> RhaiResultOf<i64> {
        let command = Some(argv(command)?);
        Ok(here(&ctx)?.perform(LendTerminal { on: host.0.clone(), command })?.into())
    }

    /// The host's name in the fleet file.
    #[rhai_fn(get = "name", pure)]
    pub(crate) fn name(host: &mut HostValue) -> String {
        host.0.host.name.to_string()
    }

    /// The address at which rfab reaches the host.
    #[rhai_fn(get = "address", pure)]
    pub(crate) fn address(host: &mut HostValue) -> String {
        host.0.host.address().to_owned()
    }

    /// The host's group; `()` if it has none.
    #[rhai_fn(get = "group", pure)]
    pub(crate) fn group(host: &mut HostValue) -> Dynamic {
        host.0.host.group.as_ref().map_or(Dynamic::UNIT, |g| g.to_string().into())
    }

    /// The host's roles.
    #[rhai_fn(get = "roles", pure)]
    pub(crate) fn roles(host: &mut HostValue) -> Array {
        host.0.host.roles.iter().map(|r| r.to_string().into()).collect()
    }

    /// The host's variables: the keys of its entry in the fleet file that rfab doesn't know.
    #[rhai_fn(get = "vars", pure, return_raw)]
    pub(crate) fn vars(host: &mut HostValue) -> RhaiResultOf<Dynamic> {
        rhai::serde::to_dynamic(&host.0.host.vars)
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub(crate) fn to_string(host: &mut HostValue) -> String {
        host.0.host.name.to_string()
    }

    #[rhai_fn(name = "==", pure)]
    pub(crate) fn equals(one: &mut HostValue, other: HostValue) -> bool {
        one.0.host == other.0.host
    }

    #[rhai_fn(name = "!=", pure)]
    pub(crate) fn differs(one: &mut HostValue, other: HostValue) -> bool {
        one.0.host != other.0.host
    }
}
