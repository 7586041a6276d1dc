//! The person's terminal, lent to a line on a host.
use super::connection::master::Base;
use crate::{failure::Failure, host::Host, port::Person};
use std::process::{Command, Stdio};

/// Runs a line on the person's terminal, through the existing connection, and returns its exit status.
pub(super) fn lend(person: &dyn Person, base: &Base, host: &Host, line: &str) -> Result<i32, Failure> {
    let mut command = Command::new("ssh");
    command.arg("-F").arg(&base.config).args(["-t", "-o", "LogLevel=ERROR", "-o", "ControlMaster=no", "-o"]);
    command.arg(format!("ControlPath={}", base.socket(host.address()).display()));
    command.args(["--", host.address(), line]);
    let mut ended = None;
    person.lend(&mut |terminal| {
        let own = || terminal.try_clone().map(Stdio::from);
        let run = |(a, b, c): (Stdio, _, _)| command.stdin(a).stdout(b).stderr(c).status();
        ended = Some(own().and_then(|a| Ok((a, own()?, own()?))).and_then(run));
    });
    match ended {
        Some(Ok(status)) => Ok(status.code().unwrap_or(255)),
        Some(Err(e)) => Err(Failure::failed(format!("ssh can't be started: {e}"))),
        None => Err(Failure::failed("a program wants a terminal, and there is none here")
            .on(&host.name)
            .help("type it in a terminal, without a pipe before it")),
    }
}
