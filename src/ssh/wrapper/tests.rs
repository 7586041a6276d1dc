//! The lines as login shells and sudo read them.
use super::*;
use std::{
    path::Path,
    process::{Command as Process, Stdio},
};

fn installed(shell: &str) -> bool {
    Process::new(shell).arg("-c").arg("true").output().is_ok()
}

#[test]
fn every_login_shell_reads_the_line_the_same_way() {
    let hostile =
        ["", "a b", "'", "\\", "$(touch x)", "`x`", "!!", "a\nb", "ünï%d", "~", "{a,b}", "\t", "%", "\"", "\\0101"];
    let words: Vec<String> = ["printf", "%s|"].iter().chain(&hostile).map(|s| s.to_string()).collect();
    let command = Command::of(words).unwrap();
    let line = line(&Job::new(&command), "MARK", None, Sudo::Never, false).unwrap().0;
    let wanted = hostile.map(|h| format!("{h}|")).concat();
    for shell in ["/bin/sh", "/bin/bash", "/usr/bin/fish", "/usr/bin/tcsh", "/usr/bin/zsh"] {
        if !installed(shell) {
            continue;
        }
        let out = Process::new(shell).arg("-c").arg(&line).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let (head, rest) = text.split_once('\n').unwrap();
        assert!(head.starts_with("MARK pid "), "{shell}: {head}");
        assert_eq!(rest, format!("{wanted}\nMARK 0\n"), "{shell} {}", String::from_utf8_lossy(&out.stderr));
    }
}

#[test]
fn a_packed_line_runs_as_any_other_and_half_of_it_does_nothing() {
    let command = Command::line("cat; printf '%s|' \"$value\"", vec![("value".into(), "a 'b\n\\!".into())]).unwrap();
    let (line, first) = line(&Job { packs: true, ..Job::new(&command) }, "MARK", None, Sudo::Never, false).unwrap();
    for cut in [0, 1, first.len() / 2, first.len() - 1, first.len()] {
        let mut run = Process::new("/bin/sh");
        let run = run.args(["-c", &line]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = run.spawn().unwrap();
        let whole = cut == first.len();
        let rest = if whole { &b"rest\n"[..] } else { b"" };
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &[&first[..cut], rest].concat()).unwrap();
        let out = child.wait_with_output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let said = text.split_once('\n').map(|(_, said)| said);
        assert_eq!(said, whole.then_some("rest\na 'b\n\\!|\nMARK 0\n"), "{cut}");
        assert!(whole || !out.status.success());
    }
}

#[test]
fn environment_and_secret_values_come_by_stdin_and_stand_in_no_argument() {
    let hostile = ["s3cret", "a b'c\"$(x)`y`\\0101%d", "one\ntwo\n", "ünï"];
    for shell in ["/bin/dash", "/bin/bash", "/bin/busybox"].into_iter().filter(|shell| Path::new(shell).exists()) {
        for value in hostile {
            let text = r#"printf '%s|%s|%s|' "$OPEN" "$hidden" "${KEPT-none}"; cat"#;
            let secrets = vec![("hidden".to_owned(), value.into())];
            let command = Command::line_with(text, Vec::new(), secrets).unwrap();
            let env = vec![("OPEN".to_owned(), value.to_owned())];
            let job = Job { env, ..Job::new(&command) };
            let line = line(&job, "MARK", None, Sudo::Never, false).unwrap().0;
            assert!(!line.contains("s3cret"), "{line}");
            let mut run = Process::new(shell);
            if shell.ends_with("busybox") {
                run.arg("sh");
            }
            let mut child = run.args(["-c", &line]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            std::io::Write::write_all(&mut stdin, &[&given(&job), &b"rest\n"[..]].concat()).unwrap();
            drop(stdin);
            let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
            let (_, rest) = out.split_once('\n').unwrap();
            assert_eq!(rest, format!("{value}|{value}|none|rest\n\nMARK 0\n"), "{shell}");
        }
        let words = ["sh", "-c", "printf '%s %s' \"$OPEN\" \"$1\"", "x", "y z"].map(str::to_owned);
        let command = Command::of(words.to_vec()).unwrap();
        let job = Job { env: vec![("OPEN".to_owned(), "v".to_owned())], ..Job::new(&command) };
        let line = line(&job, "MARK", None, Sudo::Never, false).unwrap().0;
        let mut child =
            Process::new("/bin/sh").args(["-c", &line]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &given(&job)).unwrap();
        let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert!(out.ends_with("\nv y z\nMARK 0\n"), "{out}");
    }
}

#[test]
fn the_status_the_trace_and_the_ledger_are_written_also_by_busybox() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let command = Command::line("cat; exit 7", Vec::new()).unwrap();
    let note = LedgerLines { file: at("ledger"), intent: "i @AT@".into(), ok: "o".into(), failed: "f".into() };
    let trace = crate::port::Trace { id: "x".into(), folder: at("run") };
    let job = Job { ledger: Some(note), trace: Some(trace), ..Job::new(&command) };
    let line = line(&job, "MARK", None, Sudo::Never, false).unwrap().0;
    let mut child = Process::new("/bin/sh")
        .args(["-c", &line])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"hello").unwrap();
    let out = child.wait_with_output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.ends_with("\nhello\nMARK 7\n"), "{text}");
    let ledger = std::fs::read_to_string(at("ledger")).unwrap();
    assert!(ledger.starts_with("i 2") && ledger.ends_with("Z\nf\n"), "{ledger}");
    let trace = std::fs::read_to_string(at("run/x")).unwrap();
    assert!(trace.starts_with("pid ") && trace.ends_with("\nstatus 7\n"), "{trace}");
}

#[test]
fn what_has_not_begun_when_its_operator_dies_does_not_begin_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let command = Command::line(&format!("touch {}", at("begun")), Vec::new()).unwrap();
    let trace = crate::port::Trace { id: "x".into(), folder: at("run") };
    let line = line(&Job { trace: Some(trace), ..Job::new(&command) }, "MARK", None, Sudo::Never, false).unwrap().0;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Process::new("/bin/sh").args(["-c", &line]).stdout(writer).status().unwrap();
    assert_eq!(std::fs::read_dir(at("run")).unwrap().count(), 0);
    assert!(!folder.path().join("begun").exists());
}

/// Runs a job's line with POSIX sh, after the line `before`.
fn run(job: &Job<'_>, before: &str, sweep: bool) -> (String, String) {
    let line = line(job, "MARK", None, Sudo::Never, sweep).unwrap().0;
    let mut command = Process::new("/bin/sh");
    let out = command.args(["-c", &format!("{before}\n{line}")]).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out.stdout), text(out.stderr))
}

#[test]
fn a_trace_that_cannot_be_written_lets_nothing_begin() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let command = Command::line(&format!("touch {}", at("begun")), Vec::new()).unwrap();
    let job = |folder: String| {
        let trace = crate::port::Trace { id: "x".into(), folder };
        Job { trace: Some(trace), ..Job::new(&command) }
    };
    std::fs::write(at("file"), "").unwrap();
    assert_eq!(run(&job(at("file/run")), "", false).0, "MARK pid 0\n\nMARK trace\n");
    // A folder in the trace's place, so that it can't be written, as on a disk that is full or read-only.
    std::fs::create_dir_all(at("run/x.new")).unwrap();
    assert_eq!(run(&job(at("run")), "", false).0, "MARK pid 0\n\nMARK trace\n");
    assert!(!folder.path().join("begun").exists());
    std::fs::remove_dir(at("run/x.new")).unwrap();
    assert!(run(&job(at("run")), "", false).0.ends_with("\nMARK 0\n"));
    assert!(folder.path().join("begun").exists());
}

#[test]
fn traces_of_long_ago_are_removed_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let now = std::time::SystemTime::now();
    for (name, days) in [("old", KEPT_DAYS + 2), ("young", KEPT_DAYS - 2), ("new", 0)] {
        let file = std::fs::File::create(folder.path().join(name)).unwrap();
        file.set_modified(now - day * days).unwrap();
    }
    let command = Command::line("true", Vec::new()).unwrap();
    let trace = crate::port::Trace { id: "x".into(), folder: folder.path().display().to_string() };
    let job = Job { trace: Some(trace), ..Job::new(&command) };
    let names = || {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names.join(" ")
    };
    run(&job, "", false);
    assert_eq!(names(), "new old x young");
    run(&job, "", true);
    assert_eq!(names(), "new x young");
}

#[test]
fn what_start_up_files_print_stands_before_the_mark_on_both_outputs() {
    let command = Command::line("echo out; echo err >&2", Vec::new()).unwrap();
    let (out, err) = run(&Job::new(&command), "printf noise; printf 'noise\n' >&2", false);
    assert!(out.starts_with("noiseMARK pid ") && out.ends_with("\nout\n\nMARK 0\n"), "{out}");
    assert_eq!(err, "noise\nMARK\nerr\n");
}
