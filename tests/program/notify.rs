//! What the program tells people outside: whole messages, and what it does if nobody takes them.
use super::{fabfile, ran_in};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// A server that records every request, and ends with the test's process.
struct Recorder {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// How a server answers.
#[derive(Clone, Copy)]
enum Manner {
    Status(u16),
    Hangs,
}

impl Recorder {
    fn start(manner: Manner) -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook/T0P5ECRET", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let all = all.clone();
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap());
                    let (mut head, mut length) = (String::new(), 0);
                    while !head.ends_with("\r\n\r\n") {
                        let from = head.len();
                        if lines.read_line(&mut head).unwrap_or(0) == 0 {
                            return;
                        }
                        let size =
                            head[from..].to_lowercase().strip_prefix("content-length: ").map(|n| n.trim().parse());
                        length = size.map_or(length, Result::unwrap);
                    }
                    let mut body = vec![0; length];
                    lines.read_exact(&mut body).unwrap();
                    all.lock().unwrap().push(format!("{head}{}", String::from_utf8(body).unwrap()));
                    match manner {
                        Manner::Status(status) => {
                            let _ = write!(
                                &stream,
                                "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                            );
                        }
                        Manner::Hangs => thread::sleep(Duration::from_secs(60)),
                    }
                });
            }
        });
        Recorder { url, asked }
    }

    /// Returns the bodies so far, with `RUN` for the run's id.
    fn bodies(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| request.split_once("\r\n\r\n").unwrap().1.to_owned()).collect()
    }
}

fn told(folder: &Path, url: &str, line: &[&str]) -> (String, Option<i32>, Duration) {
    let began = Instant::now();
    let (out, err, code) = ran_in(folder, &[("HOOK", url), ("USER", "anna")], line);
    assert_eq!(err, "");
    (out, code, began.elapsed())
}

const TASKS: &str = r#"
import "std/notify" as telling;
fn good() { telling::about("good", services()); local::run("true"); }
fn bad() { telling::about("bad", services()); local::run("true"); throw "the <tests> & all fail"; }
private fn services() { [telling::slack(|| secret::env("HOOK"))] }
"#;

#[test]
fn slack_is_told_of_the_start_and_of_how_the_run_ended() {
    let (folder, slack) = (fabfile(TASKS), Recorder::start(Manner::Status(200)));
    let (out, code, _) = told(folder.path(), &slack.url, &["good"]);
    assert_eq!((out.as_str(), code), ("rfab good\nrun `true` here\n", Some(0)));
    let good = [
        r#"{"mrkdwn":false,"text":"started good: rfab good, by anna"}"#,
        r#"{"mrkdwn":false,"text":"done: rfab good, by anna"}"#,
    ];
    assert_eq!(slack.bodies(), good);
    let (out, code, _) = told(folder.path(), &slack.url, &["bad"]);
    assert_eq!(code, Some(1), "{out}");
    let bad = r#"{"mrkdwn":false,"text":"a task failed: rfab bad, by anna: the &lt;tests&gt; &amp; all fail"}"#;
    assert_eq!(slack.bodies()[3], bad);
}

const ALL: &str = r#"
import "std/notify" as telling;
import "std/mail" as mailing;
fn all() {
    telling::about("all", services());
    telling::waits("approve *it*, @all & <!channel>\u202e");
    throw "a\nb";
}
private fn services() {
    [
        telling::slack(|| secret::env("HOOK")), telling::teams(|| secret::env("HOOK")),
        telling::discord(|| secret::env("HOOK")), telling::mattermost(|| secret::env("HOOK")),
        telling::webhook(|| secret::env("HOOK")),
    ]
}
fn post() { telling::about("post", [mailing::to("team@example.org\nBcc: all@example.org, ü@example.org")]); telling::waits("x\nBcc: y\n\nz"); }
fn hidden() {
    let token = secret::env("TOKEN");
    telling::about("hidden", [telling::webhook(|| secret::env("HOOK"))]);
    notice::post("ours", secret::env("HOOK"), #{ a: token, b: [secret::env("PLAIN"), "its hunter2-value"] });
    throw "the password is hunter2-value";
}
fn nowhere() { telling::about("nowhere", [telling::slack(|| secret::env("HOOK"))]); ui::note("deployed"); }
fn steps() {
    telling::about("steps", [telling::slack(|| secret::env("HOOK"))]);
    local::run(sh("echo first >> done"));
    local::run(sh("echo second >> done; sleep 0.4; test -e fixed"));
}
fn twice() { telling::about("twice", [telling::slack(|| secret::env("HOOK"))]); telling::about("twice", []); again(); }
private fn again() { telling::about("again", [telling::slack(|| secret::env("HOOK"))]); }
"#;

/// Returns a text with `RUN` for the run's id, and `FROM` for this machine.
fn plain(text: &str) -> String {
    let from = this_machine();
    let id = |word: &str| {
        word.len() == 18 && word.as_bytes()[11] == b'-' && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
    };
    let words = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let word = |all: &str| {
        let end = all.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let shown = if id(end) {
            "RUN"
        } else if end == from {
            "FROM"
        } else {
            end
        };
        format!("{shown}{}", &all[end.len()..])
    };
    words.map(word).collect()
}

fn this_machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

#[test]
fn each_service_gets_its_own_whole_message_in_which_nothing_mentions_or_formats() {
    let (folder, hook) = (fabfile(ALL), Recorder::start(Manner::Status(204)));
    let (out, code, _) = told(folder.path(), &hook.url, &["all"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(!out.contains("warning") && !out.contains("P5ECRET"), "{out}");
    let mut bodies: Vec<String> = hook.bodies().iter().map(|body| plain(body)).collect();
    bodies.sort();
    let card = |text: &str| {
        format!(
            r#"{{"attachments":[{{"content":{{"body":[{{"inlines":[{{"text":"{text}","type":"TextRun"}}],"type":"RichTextBlock"}}],"type":"AdaptiveCard","version":"1.4"}},"contentType":"application/vnd.microsoft.card.adaptive"}}],"type":"message"}}"#
        )
    };
    let web = |event: &str, exit: &str, failure: &str, message: &str, outcome: &str, took: &str| {
        format!(
            r#"{{"by":"anna","commit":null,"event":"{event}","exit":{exit},"failure":{failure},"fleet":null,"from":"FROM","line":"all","message":{message},"outcome":{outcome},"release":null,"run":"RUN","task":"all","took":{took}}}"#
        )
    };
    let mut expected = vec![
        r#"{"mrkdwn":false,"text":"started all: rfab all, by anna"}"#.to_owned(),
        r#"{"mrkdwn":false,"text":"waits for a person: rfab all, by anna: approve *it*, @all &amp; &lt;!channel&gt;&lt;U+202E&gt;"}"#.to_owned(),
        r#"{"mrkdwn":false,"text":"a task failed: rfab all, by anna: a"}"#.to_owned(),
        r#"{"allowed_mentions":{"parse":[]},"content":"started all: rfab all, by anna"}"#.to_owned(),
        r#"{"allowed_mentions":{"parse":[]},"content":"waits for a person: rfab all, by anna: approve \\*it\\*, @all & \\<\\!channel\\>\\<U+202E\\>"}"#.to_owned(),
        r#"{"allowed_mentions":{"parse":[]},"content":"a task failed: rfab all, by anna: a"}"#.to_owned(),
        r#"{"text":"started all: rfab all, by anna"}"#.to_owned(),
        "{\"text\":\"waits for a person: rfab all, by anna: approve \\\\*it\\\\*, @\u{200b}all & \\\\<\\\\!channel\\\\>\\\\<U+202E\\\\>\"}".to_owned(),
        r#"{"text":"a task failed: rfab all, by anna: a"}"#.to_owned(),
        card("started all: rfab all, by anna"),
        card("waits for a person: rfab all, by anna: approve *it*, @all & <!channel><U+202E>"),
        card("a task failed: rfab all, by anna: a"),
        web("start", "null", "null", "null", "null", "null"),
        web("waits", "null", "null", r#""approve *it*, @all & <!channel><U+202E>""#, "null", "null"),
        web("failure", "1", r#""a""#, "null", r#""a task failed""#, "0"),
    ];
    expected.sort();
    assert_eq!(bodies, expected);
}

#[test]
fn a_secret_is_in_no_message() {
    let (folder, hook) = (fabfile(ALL), Recorder::start(Manner::Status(200)));
    let variables = [("HOOK", &*hook.url), ("USER", "anna"), ("TOKEN", "hunter2-value"), ("PLAIN", "plain-value")];
    let (out, _, code) = ran_in(folder.path(), &variables, &["hidden"]);
    assert_eq!(code, Some(1), "{out}");
    let bodies = hook.bodies();
    assert!(bodies.contains(&r#"{"a":"***","b":["***","its ***"]}"#.to_owned()), "{bodies:?}");
    assert!(bodies.iter().any(|body| body.contains(r#""failure":"the password is ***""#)), "{bodies:?}");
    let all = format!("{bodies:?}{out}");
    for secret in ["hunter2", "plain-value", "P5ECRET"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

#[test]
fn a_server_that_hangs_refuses_or_fails_delays_nothing_and_is_one_warning_without_its_url() {
    let folder = fabfile(ALL);
    let warned = |url: &str, why: &str| {
        let (out, code, took) = told(folder.path(), url, &["nowhere"]);
        assert_eq!(out, format!("rfab nowhere\ndeployed\nwarning: some notifications failed: {why}\n"));
        assert_eq!(code, Some(0));
        took
    };
    let hangs = Recorder::start(Manner::Hangs);
    let took = warned(&hangs.url, "`slack` took longer than 3 s");
    assert!(took < Duration::from_secs(8), "{took:?}");
    let fails = Recorder::start(Manner::Status(500));
    warned(&fails.url, "`slack` was answered with 500 Internal Server Error");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    warned(&format!("http://{gone}/T0P5ECRET"), "`slack` wasn't answered: Connection refused (os error 111)");
    warned("not a URL", "`slack`: rfab can't use its URL");
    warned("", "`slack`: the variable `HOOK`, which holds a secret, is empty");
}

#[test]
fn a_resumed_run_does_not_tell_its_start_again_and_tells_its_own_end() {
    let (folder, slack) = (fabfile(ALL), Recorder::start(Manner::Status(200)));
    let (out, code, _) = told(folder.path(), &slack.url, &["steps"]);
    assert_eq!(code, Some(1), "{out}");
    std::fs::write(folder.path().join("fixed"), "").unwrap();
    let (out, code, _) = told(folder.path(), &slack.url, &["--resume"]);
    assert_eq!(code, Some(0), "{out}");
    let texts = [
        r#"{"mrkdwn":false,"text":"started steps: rfab steps, by anna"}"#,
        r#"{"mrkdwn":false,"text":"a task failed: rfab steps, by anna: `echo second >> done; sleep 0.4; test -e fixed` ended with status 1"}"#,
        r#"{"mrkdwn":false,"text":"done: rfab steps, by anna"}"#,
    ];
    let texts = texts.map(|text| text.replace(">>", "&gt;&gt;"));
    assert_eq!(slack.bodies(), texts);
}

#[test]
fn a_service_is_told_once_of_an_end_that_two_tasks_tell_it() {
    let (folder, slack) = (fabfile(ALL), Recorder::start(Manner::Status(200)));
    assert_eq!(told(folder.path(), &slack.url, &["twice"]).1, Some(0));
    let texts =
        ["started twice: rfab twice, by anna", "started again: rfab twice, by anna", "done: rfab twice, by anna"];
    assert_eq!(slack.bodies(), texts.map(|text| format!(r#"{{"mrkdwn":false,"text":"{text}"}}"#)));
}

#[test]
fn mail_goes_through_sendmail_and_no_text_adds_a_header() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = fabfile(ALL);
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let sendmail = bin.join("sendmail");
    std::fs::write(&sendmail, "#!/bin/sh\necho \"$@\" >> mails\ncat >> mails\n").unwrap();
    std::fs::set_permissions(&sendmail, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let (out, err, code) = ran_in(folder.path(), &[("PATH", &path), ("USER", "anna")], &["post"]);
    assert_eq!((out.as_str(), err.as_str(), code), ("rfab post\n", "", Some(0)));
    let mail = |text: &str| {
        format!(
            "-t -i\nTo: team@example.org?Bcc: all@example.org, ?@example.org\nSubject: {text}\nAuto-Submitted: auto-generated\n\
             MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n\n\
             run RUN from FROM\n"
        )
    };
    let texts = [
        "started post: rfab post, by anna",
        r"waits for a person: rfab post, by anna: x\nBcc: y\n\nz",
        "done: rfab post, by anna",
    ];
    let mails = std::fs::read_to_string(folder.path().join("mails")).unwrap();
    assert_eq!(plain(&mails), texts.map(mail).concat());
    // Without the program, the run ends as well.
    let (out, _, code) = ran_in(folder.path(), &[("PATH", "/nonexistent"), ("USER", "anna")], &["post"]);
    let warning = "warning: some notifications failed: there is no program `sendmail` on this machine\n";
    assert_eq!((out, code), (format!("rfab post\n{warning}"), Some(0)));
}

#[test]
fn an_interrupted_run_tells_its_end_and_a_killed_one_is_told_by_the_run_that_resumes_it() {
    let (folder, slack) = (fabfile(ALL), Recorder::start(Manner::Status(200)));
    std::fs::write(folder.path().join("fixed"), "").unwrap();
    let drill = |drill: &str, line: &[&str]| {
        let variables = [("HOOK", &*slack.url), ("USER", "anna"), ("RFAB_DRILL", drill)];
        ran_in(folder.path(), &variables, line).2
    };
    let text = |text: &str| format!(r#"{{"mrkdwn":false,"text":"{text}"}}"#);
    let start = "started steps: rfab steps, by anna";
    assert_eq!(drill("int:after:0.steps#2", &["steps"]), Some(130));
    assert_eq!(slack.bodies(), [text(start), text("interrupted (SIGINT): rfab steps, by anna: interrupted")]);
    assert_eq!(told(folder.path(), &slack.url, &["--resume"]).1, Some(0));
    assert_eq!(slack.bodies()[2..], [text("done: rfab steps, by anna")]);
    assert_eq!(drill("kill:amid:0.steps#3", &["steps"]), None);
    assert_eq!(told(folder.path(), &slack.url, &["--resume", "--retry"]).1, Some(0));
    assert_eq!(slack.bodies()[3..], [text(start), text("done: rfab steps, by anna")]);
}

#[test]
fn markers_are_set_where_grafana_and_sentry_document_them() {
    let (folder, server) = (fabfile(ALL), Recorder::start(Manner::Status(201)));
    let url = server.url.strip_suffix("/hook/T0P5ECRET").unwrap();
    std::fs::write(
        folder.path().join("fabfile.rhai"),
        format!(
            r#"
import "std/markers" as marking;
import "std/notify" as telling;
fn marked() {{
    let token = || secret::env("HOOK");
    telling::about("marked", [marking::grafana("{url}", token), ours(marking::sentry("{url}", "org", ["shop"], "prod", token))]);
}}
// There is no repository here that tells a commit.
private fn ours(sentry) {{
    let messages = sentry.messages;
    sentry.messages = |told, key| {{ told.commit = "0123abcd"; told.release = "v3.0.1"; messages.call(told, key) }};
    sentry
}}
"#
        ),
    )
    .unwrap();
    let (out, code, _) = told(folder.path(), "t0ken-t0ken", &["marked"]);
    assert_eq!((out.as_str(), code), ("rfab marked\n", Some(0)));
    let mut asked = Vec::new();
    for request in server.asked.lock().unwrap().iter() {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("authorization: Bearer t0ken-t0ken\r\n"), "{head}");
        // Times differ from run to run.
        let body: String = body.split(',').filter(|part| !part.contains("time")).collect::<Vec<_>>().join(",");
        asked.push(format!("{} {body}", head.split(" HTTP").next().unwrap()));
    }
    asked.sort();
    let expected = [
        r#"POST /api/0/organizations/org/releases/ {"projects":["shop"],"version":"0123abcd"}"#,
        r#"POST /api/0/organizations/org/releases/0123abcd/deploys/ {"environment":"prod","name":"v3.0.1"}"#,
        r#"POST /api/annotations {"tags":["deploy"],"text":"marked: rfab marked, by anna""#,
    ];
    assert_eq!(asked, expected);
    let annotation = server.bodies().into_iter().find(|body| body.contains("timeEnd")).unwrap();
    assert!(annotation.contains(r#""time":1"#) && annotation.contains("000,\"timeEnd\":1"), "{annotation}");
}
