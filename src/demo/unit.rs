//! The service manager of a machine: `unit start|stop|restart|status|logs UNIT`, for the one unit `shop`.
//!
//! The command is a script in the machine's `bin`. It asks through a named pipe, because the app runs in this process.
use super::{
    app::{DemoApp, SeenRequests},
    host::DemoHost,
};
use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, process::Command, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::unix::pipe,
    time::sleep,
};

/// The unit's name.
pub(super) const SHOP: &str = "shop";

const SCRIPT: &str = r#"#!/bin/sh
# unit VERB UNIT: asks who runs this machine's units, and waits for the answer: a status, and lines.
set -eu
cd "$HOME/units"
answer=answer.$$
mkfifo "$answer"
trap 'rm -f "$answer"' EXIT
# Open for reading and writing, so that it never waits for a reader.
printf '%s %s %s\n' "$1" "$2" "$answer" 1<> ask
{ read -r status; cat; } < "$answer"
exit "$status"
"#;

/// The units of one machine.
pub(super) struct Units {
    host: Arc<DemoHost>,
    seen: Arc<SeenRequests>,
    app: Option<DemoApp>,
    log: Vec<String>,
}

impl Units {
    /// Writes the script and its pipe, starts the shop, and takes orders from then on.
    pub(super) async fn start(host: Arc<DemoHost>, seen: Arc<SeenRequests>) -> io::Result<()> {
        let (script, folder) = (host.folder.join("bin/unit"), host.folder.join("units"));
        fs::write(&script, SCRIPT)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        fs::create_dir(&folder)?;
        let ask = folder.join("ask");
        if !Command::new("mkfifo").arg(&ask).status()?.success() {
            return Err(io::Error::other("`mkfifo` made no pipe"));
        }
        let orders = pipe::OpenOptions::new().read_write(true).open_receiver(&ask)?;
        let mut units = Units { host, seen, app: None, log: Vec::new() };
        units.begin().await?;
        tokio::spawn(async move {
            let mut lines = BufReader::new(orders).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let [verb, unit, answer] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
                let (status, text) = units.obey(verb, unit).await;
                tell(&folder.join(answer), &format!("{status}\n{text}")).await;
            }
        });
        Ok(())
    }

    async fn begin(&mut self) -> io::Result<()> {
        let host = &self.host;
        let app = DemoApp::start(host.name, &host.path(), host.app, self.seen.clone()).await?;
        self.log.push(format!("serves {} on {}", app.release, host.app));
        self.app = Some(app);
        Ok(())
    }

    async fn end(&mut self) {
        if let Some(app) = self.app.take() {
            let release = app.release.clone();
            app.stop().await;
            self.log.push(format!("stopped serving {release}"));
        }
    }

    /// Returns a status and lines, as `systemctl` would.
    async fn obey(&mut self, verb: &str, unit: &str) -> (u8, String) {
        if unit != SHOP {
            return (5, format!("unit {unit} isn't known here\n"));
        }
        match (verb, &self.app) {
            ("start", Some(_)) => return (0, String::new()),
            ("status", Some(app)) => return (0, format!("{SHOP} is running from {}\n", app.release)),
            ("status", None) => return (3, format!("{SHOP} is stopped\n")),
            ("logs", _) => return (0, self.log.join("\n") + "\n"),
            ("start" | "stop" | "restart", _) => {}
            _ => return (2, "unit start|stop|restart|status|logs UNIT\n".to_owned()),
        }
        self.end().await;
        if verb == "stop" {
            return (0, String::new());
        }
        match self.begin().await {
            Ok(()) => (0, String::new()),
            Err(error) => {
                self.log.push(format!("doesn't start: {error}"));
                (1, format!("{SHOP} doesn't start: {error}\n"))
            }
        }
    }
}

/// Sends the answer to the script's pipe as soon as it is open for reading; the script may have ended.
async fn tell(pipe: &Path, text: &str) {
    let mut text = text.as_bytes();
    for _ in 0..1_000 {
        let Ok(sender) = pipe::OpenOptions::new().open_sender(pipe) else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        while !text.is_empty() && sender.writable().await.is_ok() {
            match sender.try_write(text) {
                Ok(n) => text = &text[n..],
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        return;
    }
}
