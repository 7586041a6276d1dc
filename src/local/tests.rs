use super::*;
use crate::{command::Command, event::Stream, failure::Failure, port::Ended, remote::Output};
use std::{
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

fn line(text: &str, values: &[(&str, &str)]) -> Command {
    let values = values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Command::line(text, values).unwrap()
}

async fn ran(local: &LocalCall, command: &Command) -> Result<Ended, Failure> {
    process::run(local, command, None, process::KEPT, &Notify::new()).await
}

async fn said(local: &LocalCall, command: &Command) -> Output {
    ran(local, command).await.unwrap().into()
}

/// Returns whether a process is running, and isn't a zombie.
fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits for the text of a file that is written soon.
async fn soon(file: &Path) -> String {
    for _ in 0..200 {
        match std::fs::read_to_string(file) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("nothing comes in {}", file.display());
}

#[tokio::test]
async fn words_arrive_as_they_are_and_values_as_shell_variables() {
    let local = LocalCall::at("/".into());
    let hostile = ["", "a b", "'", "$(touch x)", "-n", "a\nb", "*", "~"];
    let words = [&["printf", "%s|"], &hostile[..]].concat().iter().map(|word| word.to_string()).collect();
    assert_eq!(said(&local, &Command::of(words).unwrap()).await.out, hostile.map(|h| format!("{h}|")).concat());
    let out = said(&local, &line(r#"printf %s "$dir""#, &[("dir", "$(x) 'y'")])).await;
    assert_eq!((&*out.out, out.status), ("$(x) 'y'", 0));
    let unset = said(&local, &line("echo $none", &[])).await;
    assert!(unset.status != 0 && unset.err.contains("none"), "{unset:?}");
}

#[tokio::test]
async fn a_process_has_its_folder_its_environment_its_input_and_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("web")).unwrap();
    lab::runnable::write(&folder.path().join("web/tool"), "#!/bin/sh\necho of the folder\n");
    let local = LocalCall { cd: Some("web".into()), ..LocalCall::at(folder.path().canonicalize().unwrap()) };
    let env = [("A".to_owned(), "x $y".into())].into();
    let whole = LocalCall { env, stdin: Some("given".into()), ..local.clone() };
    let all = line("pwd; printf '%s\\n' \"$A\" \"${PATH:+path}\"; cat; : < /dev/tty", &[]);
    let Output { status, out, .. } = said(&whole, &all).await;
    assert_eq!(out, format!("{}/web\nx $y\npath\ngiven", local.folder.display()));
    assert_ne!(status, 0, "there is no terminal");
    assert_eq!(said(&local, &Command::words("./tool", &[]).unwrap()).await.out, "of the folder");
    assert_eq!(said(&local, &Command::words("cat", &[]).unwrap()).await.out, "", "it reads nothing");
    let unread = LocalCall { stdin: Some("x".repeat(1 << 20).as_str().into()), ..local };
    assert_eq!(said(&unread, &Command::words("true", &[]).unwrap()).await.status, 0, "it need not read all");
}

#[tokio::test]
async fn what_cannot_be_run_says_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plain"), "x").unwrap();
    let local = LocalCall::at(folder.path().to_owned());
    let why = async |local: &LocalCall, text: &str| {
        let failure = ran(local, &Command::words(text, &[]).unwrap()).await.unwrap_err();
        (failure.message, failure.help.unwrap_or_default())
    };
    let none = (
        "there is no program `no-such-program` on this machine",
        "install it, or write its path relative to the fabfile's folder",
    );
    assert_eq!(why(&local, "no-such-program -x").await, (none.0.into(), none.1.into()));
    let plain = ("`./plain` isn't executable on this machine", "make it executable: `chmod +x ./plain`");
    assert_eq!(why(&local, "./plain").await, (plain.0.into(), plain.1.into()));
    let away = LocalCall { cd: Some("no/where".into()), ..local };
    let gone = (
        "there is no folder `no/where` here to run `make all` in no/where in",
        "name the folder relative to the fabfile's folder",
    );
    assert_eq!(why(&away, "make all").await, (gone.0.into(), gone.1.into()));
}

#[tokio::test]
async fn a_status_is_what_it_was_and_a_signal_is_told_as_a_shell_tells_it() {
    let local = LocalCall::at("/".into());
    let ended = said(&local, &line("echo out; echo one >&2; echo two >&2; exit 7", &[])).await;
    assert_eq!((ended.status, &*ended.out, &*ended.err), (7, "out", "one\ntwo"));
    let failure = ended.good("`make`").unwrap_err();
    assert_eq!((&*failure.message, failure.status), ("`make` ended with status 7", Some(7)));
    assert_eq!(failure.help.as_deref(), Some("its last line was: out"));
    assert_eq!(said(&local, &line("kill -9 $$", &[])).await.status, 137);
}

#[tokio::test]
async fn lines_are_heard_as_they_come_and_much_output_keeps_its_ends() {
    let local = LocalCall::at("/".into());
    let heard = Mutex::new(Vec::new());
    let hear = |stream, line: &str| heard.lock().unwrap().push((stream, line.len()));
    let much = line("seq 1 300000; printf end >&2", &[]);
    let ended = process::run(&local, &much, Some(&hear), 1 << 10, &Notify::new()).await.unwrap();
    let heard = heard.into_inner().unwrap();
    assert_eq!(heard.iter().filter(|(stream, _)| *stream == Stream::Out).count(), 300_000);
    assert_eq!(heard.iter().filter(|line| **line == (Stream::Err, 3)).count(), 1);
    let text = String::from_utf8(ended.out).unwrap();
    assert!(
        ended.cut && text.len() < 1200 && text.starts_with("1\n2\n") && text.ends_with("299999\n300000\n"),
        "{text}"
    );
    assert!(text.contains(" bytes left out …\n"), "{text}");
}

#[tokio::test]
async fn a_time_limit_and_a_stop_end_all_that_was_started() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalCall::at(folder.path().to_owned());
    // The second process ignores the request to end.
    let two =
        line("sleep 60 & echo $! > one; sh -c 'trap \"\" TERM; echo $$ > two; while :; do sleep 1; done' & wait", &[]);
    let limited = LocalCall { timeout: Some(Duration::from_millis(400)), ..local.clone() };
    let began = Instant::now();
    let failure = ran(&limited, &two).await.unwrap_err();
    assert!(failure.message.ends_with("took longer than 0.4 s and was stopped"), "{}", failure.message);
    assert!(began.elapsed() < Duration::from_secs(5));
    let (one, other) = (soon(&folder.path().join("one")).await, soon(&folder.path().join("two")).await);
    assert!(!runs(&one) && !runs(&other), "{one} {other}");

    let stops = Notify::new();
    let pid = folder.path().join("pid");
    let waiting = line("echo $$ > pid; sleep 60 & wait", &[]);
    let running = process::run(&local, &waiting, None, process::KEPT, &stops);
    let (ended, pid) = tokio::join!(running, async {
        let pid = soon(&pid).await;
        stops.notify_waiters();
        pid
    });
    assert!(ended.unwrap_err().message.ends_with("was interrupted and was stopped"));
    assert!(!runs(&pid));
}

#[tokio::test]
async fn what_a_command_leaves_running_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalCall::at(folder.path().to_owned());
    let began = Instant::now();
    let output = said(&local, &line("sleep 60 & echo $! > pid; echo left", &[])).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!((output.status, &*output.out), (0, "left"));
    let pid = soon(&folder.path().join("pid")).await;
    assert!(runs(&pid), "it is its own affair");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}

#[test]
fn what_may_be_a_secret_is_sealed_where_a_run_is_written_down() {
    use crate::effect::AnyEffect;
    let env = [("TOKEN".to_owned(), "hunter2".into())].into();
    let local = LocalCall { env, stdin: Some("hunter2".into()), ..LocalCall::at("/srv/shop".into()) };
    let run = LocalRun { local, command: Command::words("bin/announce", &[]).unwrap() };
    let recorded = AnyEffect::recorded(&run, &crate::secret::DigestKey::default());
    assert!(!recorded.get().contains("hunter2") && !AnyEffect::describe(&run).contains("hunter2"), "{recorded}");
}
