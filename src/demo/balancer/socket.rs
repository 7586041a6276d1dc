//! The admin socket: one line of commands and one answer, or any number of them after `prompt`.
use super::{admin, server::SharedPool};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

/// The longest line of commands.
const LONGEST: u64 = 16 << 10;

pub(super) async fn serve(pool: SharedPool, listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(pool.clone(), stream));
    }
}

async fn converse(pool: SharedPool, stream: UnixStream) -> std::io::Result<()> {
    let (from, mut to) = stream.into_split();
    let (mut from, mut prompting) = (BufReader::new(from), false);
    loop {
        let mut line = String::new();
        if (&mut from).take(LONGEST).read_line(&mut line).await? == 0 || !line.ends_with('\n') {
            return Ok(());
        }
        for command in line.trim_end_matches(['\r', '\n']).split(';') {
            let answer = match command.trim() {
                "quit" => return Ok(()),
                "prompt" => {
                    prompting = !prompting;
                    "\n".to_owned()
                }
                command => admin::answer(&mut pool.lock().unwrap(), command),
            };
            to.write_all(answer.as_bytes()).await?;
            if prompting {
                to.write_all(b"> ").await?;
            }
        }
        if !prompting {
            return Ok(());
        }
    }
}
