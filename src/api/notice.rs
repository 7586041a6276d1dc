//! Primitives that tell people and services about a run, in the background.
use super::{
    command::{argv, refuse_stars_in},
    http::{self, WITHIN},
};
use crate::{
    failure::{Cause, Failure},
    http::{HttpRequest, Method},
    local::LocalCall,
    notice::{Delivery, Tell},
    script::{self, Argument, Here, RhaiResultOf, failure_of, here, masked, thrown},
};
use rhai::{Array, Dynamic, FnPtr, Map, NativeCallContext, plugin::*};

/// Tells a service something. If that goes wrong, the reason is kept for the end of the run.
fn tell(here: &Here, service: &str, delivery: RhaiResultOf<Delivery>) -> RhaiResultOf<()> {
    here.listeners.is_told();
    let never = |failure: Failure| Delivery::Never(format!("`{service}`: {}", failure.message));
    let delivery = delivery.unwrap_or_else(|error| never(failure_of(&error)));
    // At the end, several listeners of a run may have the same to say.
    let again = !here.lane.deferred;
    here.perform(Tell { service: service.to_owned(), again, delivery }).or_else(|error| {
        let failure = failure_of(&error);
        if !failure.catchable() {
            return Err(error);
        }
        here.listeners.miss(format!("`{service}`: {}", failure.message));
        Ok(())
    })
}

/// Makes a request of which people see only the service, with a body that has no secrets.
fn request(here: &Here, service: &str, url: &Dynamic, body: Dynamic, options: Map) -> RhaiResultOf<Delivery> {
    let known = Argument::of(url).map(Argument::sealed);
    if known.is_none_or(|url| HttpRequest::new(Method::Post, url.reveal(), WITHIN).is_err()) {
        return Err(thrown(Failure::new(Cause::Fabfile, "rfab can't use its URL")));
    }
    let mut request = http::request(here, Method::Post, url, options)?.called(service);
    let body = masked(body, here.lane.masks());
    if body.is_string() {
        request.body(body.to_string().into(), "text/plain; charset=utf-8");
    } else {
        let json: serde_json::Value = rhai::serde::from_dynamic(&body)?;
        request.body(json.to_string().into(), "application/json");
    }
    Ok(Delivery::Request(request))
}

/// Makes a call of a program that reads a text without secrets.
fn program(here: &Here, command: Array, input: &str) -> RhaiResultOf<Delivery> {
    let (command, folder) = (argv(command)?, here.script.folder.clone());
    let input = here.lane.masks().text(input).into_owned();
    let local = LocalCall { stdin: Some(input.into()), ..LocalCall::at(folder) };
    refuse_stars_in(here, local.env.values(), &command)?;
    Ok(Delivery::Program { local, command })
}

#[export_module(manifest)]
pub mod notice {
    /// Calls the closure with each message that the run sends to people, until the run has ended.
    ///
    /// The message is a map with `event`, the facts of the run (`run`, `line`, `by`, `from`, `fleet`, `release` and
    /// `commit`), and `task`, `message`, `outcome`, `exit`, `failure` and `took` (in seconds). A value that rfab
    /// doesn't know is `()`.
    ///
    /// The last message comes when the run has ended and released its locks. Its `event` is `success` or `failure`, or
    /// `abort` if the run aborted another one. If a closure already listens under this name, the call changes nothing
    /// and returns `false`. An error in the closure never stops the run.
    ///
    /// # Example
    ///
    /// ```rhai
    /// notice::listen("log", |told| notice::post("log", "https://log.example.org/deploys", told));
    /// ```
    #[rhai_fn(name = "listen", return_raw)]
    pub(crate) fn listen(ctx: NativeCallContext, name: &str, f: FnPtr) -> RhaiResultOf<bool> {
        Ok(here(&ctx)?.listeners.add(name, f, ctx.global_runtime_state().clone()))
    }

    /// Sends a message to all closures that listen. It's a map with an `event` and any other keys.
    ///
    /// The texts in it never contain secrets or hidden characters. rfab shortens each text to 500 characters.
    ///
    /// # Example
    ///
    /// ```rhai
    /// notice::tell(#{ event: "waits", message: "somebody has to approve it" });
    /// ```
    #[rhai_fn(name = "tell", return_raw)]
    pub(crate) fn tell_all(ctx: NativeCallContext, told: Map) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        script::tell(&here, told)
    }

    /// Posts a body in the background. It sends a string as it is, and a map or a list as JSON.
    ///
    /// The call returns immediately. The message has 3 s to arrive. If it doesn't, the run doesn't fail: it ends with
    /// one warning about all messages that didn't arrive. rfab never shows the URL, and it masks secrets in the body. A
    /// dry run sends nothing. A resumed run doesn't send a message again.
    ///
    /// # Example
    ///
    /// ```rhai
    /// notice::post("chat", secret::env("CHAT_URL"), #{ text: "the cache is warm" });
    /// ```
    #[rhai_fn(name = "post", return_raw)]
    pub(crate) fn post(ctx: NativeCallContext, service: &str, url: Dynamic, body: Dynamic) -> RhaiResultOf<()> {
        post_options(ctx, service, url, body, Map::new())
    }

    /// Posts a body in the background, with the options `headers`, `bearer`, `basic` and `status` of `http::get`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// notice::post("log", "https://log.example.org/", #{ warm: true }, #{ bearer: secret::env("LOG_TOKEN") });
    /// ```
    #[rhai_fn(name = "post", return_raw)]
    pub(crate) fn post_options(
        ctx: NativeCallContext,
        service: &str,
        url: Dynamic,
        body: Dynamic,
        options: Map,
    ) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let delivery = super::request(&here, service, &url, body, options);
        super::tell(&here, service, delivery)
    }

    /// Runs a program on this machine in the background, with a string as input. Otherwise it works like `post`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// notice::run("mail", ["sendmail", "-t", "-i"], "To: team@example.org\nSubject: done\n\nIt is done.\n");
    /// ```
    #[rhai_fn(name = "run", return_raw)]
    pub(crate) fn run(ctx: NativeCallContext, service: &str, command: Array, input: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let delivery = super::program(&here, command, input);
        super::tell(&here, service, delivery)
    }

    /// Adds to the warning at the end of the run why a service didn't get a message.
    ///
    /// # Example
    ///
    /// ```rhai
    /// notice::miss("chat", "it has no URL");
    /// ```
    #[rhai_fn(name = "miss", return_raw)]
    pub(crate) fn miss(ctx: NativeCallContext, service: &str, why: &str) -> RhaiResultOf<()> {
        here(&ctx)?.listeners.miss(format!("`{service}`: {why}"));
        Ok(())
    }
}
