//! Runs the commands that come over ssh.
use super::host::{DemoHost, USER};
use russh::{Channel, Disconnect, server::Handle, server::Msg};
use std::{env, os::unix::process::ExitStatusExt, process::Stdio, sync::Arc};
use tokio::{
    io::{AsyncWriteExt, copy},
    process::Command,
};

/// The process between the server and each command, like sshd's process for a session.
const SESSION: &str = r#"/bin/sh -c "$1"; exit "$?""#;

/// Runs a line as the machine's user, and ends the whole connection if the process above the command is killed.
pub(super) async fn run(host: Arc<DemoHost>, line: String, mut channel: Channel<Msg>, connection: Handle) {
    let id = channel.id();
    let (mut out, mut err) = (channel.make_writer(), channel.make_writer_ext(Some(1)));
    let mut child = match command(&host, &line).spawn() {
        Ok(child) => child,
        Err(error) => {
            let _ = err.write_all(format!("{error}\n").as_bytes()).await;
            let _ = connection.exit_status_request(id, 127).await;
            let _ = connection.close(id).await;
            return;
        }
    };
    let (mut stdin, mut stdout, mut stderr) =
        (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    // Reads the channel to its end even if the command doesn't: unread input would stop the connection.
    let feeding = tokio::spawn(async move {
        let mut from = channel.make_reader();
        let _ = copy(&mut from, &mut stdin).await;
        drop(stdin);
        let _ = copy(&mut from, &mut tokio::io::sink()).await;
    });
    let telling = tokio::spawn(async move { tokio::join!(copy(&mut stdout, &mut out), copy(&mut stderr, &mut err)) });
    let status = child.wait().await;
    if status.as_ref().is_ok_and(|status| status.signal().is_some()) {
        let _ = connection.disconnect(Disconnect::ByApplication, String::new(), String::new()).await;
    }
    let _ = telling.await;
    let code = status.ok().and_then(|status| status.code()).unwrap_or(255);
    let _ = connection.exit_status_request(id, code as u32).await;
    let _ = connection.eof(id).await;
    let _ = connection.close(id).await;
    feeding.abort();
}

fn command(host: &DemoHost, line: &str) -> Command {
    let path = env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SESSION, "sh", line])
        .current_dir(&host.folder)
        .env_clear()
        .env("PATH", format!("{}:{path}:/usr/sbin:/sbin", host.folder.join("bin").display()))
        .env("HOME", &host.folder)
        .envs([("USER", USER), ("LOGNAME", USER), ("SHELL", "/bin/sh"), ("LANG", "C.UTF-8")])
        // The terminal's signals must not reach it.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
