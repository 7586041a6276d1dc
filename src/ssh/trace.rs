//! Finds out the state of a call that left its trace on a host.
use super::{connection::SILENT, wrapper};
use crate::{
    command::Command,
    failure::Failure,
    host::Host,
    port::{Job, Trace, Traced, Transport},
};
use std::time::{Duration, SystemTime};

/// Reads from the host what the wrapper recorded about a call.
pub(super) async fn traced(transport: &dyn Transport, host: &Host, trace: &Trace) -> Result<Traced, Failure> {
    let text = include_str!("traced.sh");
    let values = vec![("folder".into(), trace.folder.clone()), ("id".into(), trace.id.clone())];
    let command = Command::line(text, values).expect("a good line");
    let ended = transport.run(host, Job { timeout: Some(SILENT), ..Job::new(&command) }).await?;
    let text = String::from_utf8_lossy(&ended.out);
    match text.trim() {
        // Old traces are removed, even those of finished calls.
        "none" if ended.status == 0 && is_old(&trace.id) => Ok(Traced::Lost),
        "none" if ended.status == 0 => Ok(Traced::NeverStarted),
        "running" if ended.status == 0 => Ok(Traced::Running),
        "lost" if ended.status == 0 => Ok(Traced::Lost),
        other => match other.strip_prefix("status ").and_then(|s| s.parse().ok()) {
            Some(status) if ended.status == 0 => Ok(Traced::Ended(status)),
            _ => Err(Failure::unknown("doesn't report the state of the call").on(&host.name)),
        },
    }
}

/// Returns whether a trace's run began so long ago that the trace may have been removed. A run's name starts with its
/// time, in milliseconds.
fn is_old(trace: &str) -> bool {
    let began = trace.split('-').next().and_then(|time| u64::from_str_radix(time, 16).ok());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let day = Duration::from_secs(24 * 60 * 60);
    began.is_some_and(|began| Duration::from_millis(began) + day * (wrapper::KEPT_DAYS - 1) < now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_old_before_its_traces_are_removed() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        let trace = |began: Duration| format!("{:011x}-0a1b2c-0.1-3", began.as_millis());
        assert!(!is_old(&trace(now)) && !is_old(&trace(now - day * 28)));
        assert!(is_old(&trace(now - day * 30)));
        assert!(!is_old("no-time"));
    }
}
