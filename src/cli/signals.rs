//! The signals that end a run.
use crate::{
    event::EventKind,
    session::{Session, Stop},
    world::real::RealWorld,
};
use std::{fs, sync::Arc};

/// The signals that rfab handles: interrupt, terminate, hang up.
const HEEDED: [u8; 3] = [2, 15, HANG_UP];

/// The signal for a closed terminal.
const HANG_UP: u8 = 1;

/// Returns the signals to handle: those that weren't ignored when the program started, as under `nohup` or a shell's `&`.
fn heeded() -> Vec<u8> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    HEEDED.into_iter().filter(|signal| !ignored(&status, *signal)).collect()
}

fn ignored(status: &str, signal: u8) -> bool {
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.unwrap_or(0) & (1 << (signal - 1)) != 0
}

/// Handles signals: the first lets current effects end and runs the `defer`s; the second ends remote commands, too.
pub(super) fn watch(world: &Arc<RealWorld>, session: &Arc<Session>, stop: Arc<Stop>) {
    use tokio::signal::unix::{SignalKind, signal};
    // From here on: a signal that came before its stream is there would kill this process in the middle of its work.
    let stream = |number: u8| Some((number, signal(SignalKind::from_raw(number.into())).ok()?));
    let streams: Vec<_> = world.within(|| heeded().into_iter().filter_map(stream).collect());
    // The runtime belongs to the world, and the session holds the world: what is spawned here must hold neither.
    let (weak, session) = (Arc::downgrade(world), Arc::downgrade(session));
    world.spawn(async move {
        let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
        for (number, mut stream) in streams {
            let told = told.clone();
            tokio::spawn(async move { while stream.recv().await.is_some() && told.send(number).is_ok() {} });
        }
        while let Some(number) = hear.recv().await {
            let first = stop.signal().is_none();
            // If a terminal closes, both a dying shell and the kernel send this signal.
            if !first && number == HANG_UP {
                continue;
            }
            stop.by(number);
            if !first && stop.closing() {
                continue;
            }
            let text = if first {
                "interrupted: what is running finishes, and nothing new starts; interrupt again to stop it"
            } else {
                "interrupted again: stopping the commands that are still running"
            };
            if let Some(session) = session.upgrade() {
                session.lane().tell(EventKind::Warned { host: None, text: text.to_owned() });
            }
            if !first && let Some(world) = weak.upgrade() {
                world.real.stops.notify_waiters();
                for site in world.real.sites() {
                    site.transport.stop_all().await;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_ignored_if_its_bit_says_so() {
        let status = |mask: &str| format!("Name:\trfab\nSigBlk:\tffffffffffffffff\nSigIgn:\t{mask}\nSigCgt:\t0\n");
        for (mask, expected) in [
            ("0000000000000001", [false, false, true]),
            ("0000000000000002", [true, false, false]),
            ("0000000000001000", [false, false, false]),
            ("0000000000005003", [true, true, true]),
            ("?", [false, false, false]),
        ] {
            assert_eq!(HEEDED.map(|signal| ignored(&status(mask), signal)), expected, "{mask}");
        }
        assert!(!ignored("", 1));
    }
}
