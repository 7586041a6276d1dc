//! Primitives that copy, read and write files on a host, and that stream the output and input of its commands.
use super::{
    HostValue,
    command::{argv, refuse_stars_in},
};
use crate::{
    command::Command,
    failure::{Cause, Failure},
    remote::{Dump, Exists, Get, Load, On, Put, ReadFile, WriteFile},
    script::{RhaiResultOf, has_secret, here, owned_well, refuse_stars, revealed, thrown},
    secret::Secret,
};
use rhai::{Array, Map, NativeCallContext, plugin::*};

fn dump(ctx: &NativeCallContext, on: &On, command: Command, to: &str) -> RhaiResultOf<()> {
    let here = here(ctx)?;
    refuse_stars_in(&here, on.env.values().chain(&on.stdin), &command)?;
    let to = here.script.below(to).map_err(thrown)?;
    here.perform(Dump { on: on.clone(), command, to })
}

fn load(ctx: &NativeCallContext, on: &On, from: &str, command: Command) -> RhaiResultOf<String> {
    let here = here(ctx)?;
    let from = here.script.below(from).map_err(thrown)?;
    refuse_stars_in(&here, on.env.values().chain(&on.stdin), &command)?;
    let state = here.fleet_of(&on.host).state.clone();
    Ok(here.perform(Load { on: on.clone(), command, from, state })?.out)
}

#[export_module(manifest)]
pub mod file {
    /// Sends a file or a folder to the host. It replaces what is at that path, completely or not at all.
    ///
    /// An existing file keeps its permissions, and a new one gets `0644`. To set other permissions, see
    /// [`mode`](#hostmodepermissions). rfab follows a link, unless another user could change it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.put("motd.txt", "/tmp/motd.txt");
    /// ```
    #[rhai_fn(name = "put", return_raw)]
    pub(crate) fn put(ctx: NativeCallContext, host: &mut HostValue, from: &str, to: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let from = here.script.below(from).map_err(thrown)?;
        if host.0.mode.is_some() && from.is_dir() {
            let failure = Failure::new(
                Cause::Fabfile,
                "`mode` doesn't apply to a folder: its files keep their execute permission",
            );
            return Err(thrown(failure.help("leave `mode` out, or send its files one by one")));
        }
        here.perform(Put { on: host.0.clone(), from, to: host.0.place(to) })
    }

    /// Copies a file or a folder from the host into the fabfile's folder. rfab refuses a folder that contains links.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.write("/tmp/motd", "welcome\n");
    /// host.get("/tmp/motd", `${host.name}.motd`);
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub(crate) fn get(ctx: NativeCallContext, host: &mut HostValue, from: &str, to: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let to = here.script.below(to).map_err(thrown)?;
        here.perform(Get { on: host.0.clone(), from: host.0.place(from), to })
    }

    /// Runs a command on the host, and saves its output to a file in the fabfile's folder, completely or not at all.
    ///
    /// The command must be read-only, such as a database dump. If it exits with a status other than 0, the call fails
    /// and rfab writes no file.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.user("postgres").get(["pg_dump", "-Fc", "shop"], "shop.dump");
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub(crate) fn get_words(
        ctx: NativeCallContext,
        host: &mut HostValue,
        command: Array,
        to: &str,
    ) -> RhaiResultOf<()> {
        dump(&ctx, &host.0, argv(command)?, to)
    }

    /// Runs a shell line made by `sh`, and saves its output to a file in the fabfile's folder in the same way.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.get(sh("mysqldump shop | gzip"), `${host.name}.sql.gz`);
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub(crate) fn get_line(
        ctx: NativeCallContext,
        host: &mut HostValue,
        command: Command,
        to: &str,
    ) -> RhaiResultOf<()> {
        dump(&ctx, &host.0, command, to)
    }

    /// Runs a command on the host with a file from the fabfile's folder as input, and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.user("postgres").put("motd.txt", ["pg_restore", "-d", "shop"]);
    /// ```
    #[rhai_fn(name = "put", return_raw)]
    pub(crate) fn put_words(
        ctx: NativeCallContext,
        host: &mut HostValue,
        from: &str,
        command: Array,
    ) -> RhaiResultOf<String> {
        load(&ctx, &host.0, from, argv(command)?)
    }

    /// Runs a shell line made by `sh` with a file from the fabfile's folder as input, and returns what it printed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.put("motd.txt", sh("gunzip | mysql shop"));
    /// ```
    #[rhai_fn(name = "put", return_raw)]
    pub(crate) fn put_line(
        ctx: NativeCallContext,
        host: &mut HostValue,
        from: &str,
        command: Command,
    ) -> RhaiResultOf<String> {
        load(&ctx, &host.0, from, command)
    }

    /// Returns the text of a file on the host.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.write("/tmp/motd", "welcome\n");
    /// let motd = host.read("/tmp/motd");
    /// ```
    #[rhai_fn(name = "read", return_raw)]
    pub(crate) fn read(ctx: NativeCallContext, host: &mut HostValue, path: &str) -> RhaiResultOf<String> {
        here(&ctx)?.perform(ReadFile { on: host.0.clone(), path: host.0.place(path) })
    }

    /// Writes text to a file on the host, completely or not at all.
    ///
    /// An existing file keeps its permissions, and a new one gets `0644`. To set other permissions, see
    /// [`mode`](#hostmodepermissions). rfab follows a link, unless another user could change it. If the text contains a
    /// secret, rfab gives the file the permissions of a secret.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.write("/tmp/motd", "welcome\n");
    /// ```
    #[rhai_fn(name = "write", return_raw)]
    pub(crate) fn write(ctx: NativeCallContext, host: &mut HostValue, path: &str, text: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        refuse_stars(here.lane.masks(), text).map_err(thrown)?;
        let secret = here.lane.masks().stands_in(text);
        here.perform(WriteFile { on: host.0.clone(), path: host.0.place(path), text: text.into(), secret })
    }

    /// Writes a secret to a file on the host, completely or not at all.
    ///
    /// A new file gets `0600`. An existing file keeps the permissions of its owner and group; all other users lose
    /// theirs. To set other permissions, see [`mode`](#hostmodepermissions).
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.write("/tmp/token", secret::env("SHOP_TOKEN"));
    /// ```
    #[rhai_fn(name = "write", return_raw)]
    pub(crate) fn write_secret(
        ctx: NativeCallContext,
        host: &mut HostValue,
        path: &str,
        secret: Secret,
    ) -> RhaiResultOf<()> {
        here(&ctx)?.perform(WriteFile { on: host.0.clone(), path: host.0.place(path), text: secret, secret: true })
    }

    /// Fills in a Jinja template from the fabfile's folder, and writes the result to a file on the host.
    ///
    /// The template can use the map's values and `host`. If it uses a value that is missing, the call fails. If a value
    /// is a secret, rfab gives the file the permissions of a secret.
    ///
    /// # Example
    ///
    /// ```rhai
    /// host.template("shop.conf.j2", "/tmp/shop.conf", #{ workers: 4 });
    /// ```
    #[rhai_fn(name = "template", return_raw)]
    pub(crate) fn template(
        ctx: NativeCallContext,
        host: &mut HostValue,
        from: &str,
        to: &str,
        values: Map,
    ) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let from = here.script.below(from).map_err(thrown)?;
        owned_well(&from).map_err(thrown)?;
        let sealed = has_secret(&values);
        let text = crate::template::fill(&from, &host.0.host, &revealed(values.into())).map_err(thrown)?;
        refuse_stars(here.lane.masks(), &text).map_err(thrown)?;
        let secret = sealed || here.lane.masks().stands_in(&text);
        here.perform(WriteFile { on: host.0.clone(), path: host.0.place(to), text: text.into(), secret })
    }

    /// Returns whether there is a file or a folder at this path on the host.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !host.exists("/srv/shop") { ui::warn("run setup first"); }
    /// ```
    #[rhai_fn(name = "exists", return_raw)]
    pub(crate) fn exists(ctx: NativeCallContext, host: &mut HostValue, path: &str) -> RhaiResultOf<bool> {
        here(&ctx)?.perform(Exists { on: host.0.clone(), path: host.0.place(path) })
    }
}
