mod crowd;

use super::*;
use crate::{
    event::{EffectKind, HostPlace, HostRow, Outcome, PoolState, Stream},
    failure::{Exit, Failure},
};

/// A terminal in memory, and all bytes that it received.
#[derive(Clone)]
struct Glass(Arc<Mutex<(vt100::Parser, Vec<u8>)>>);

impl Glass {
    fn of(width: u16, height: u16) -> Self {
        Self(Arc::new(Mutex::new((vt100::Parser::new(height, width, 1_000), Vec::new()))))
    }

    /// Returns the text on it, without blanks at the line ends.
    fn text(&self) -> String {
        let glass = self.0.lock().unwrap();
        let (_, width) = glass.0.screen().size();
        let rows: Vec<String> = glass.0.screen().rows(0, width).map(|row| format!("{}\n", row.trim_end())).collect();
        rows.concat().trim_end().to_owned() + "\n"
    }

    fn bytes(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().1.clone()).unwrap()
    }

    fn size(&self) -> (usize, usize) {
        let (rows, columns) = self.0.lock().unwrap().0.screen().size();
        (columns.into(), rows.into())
    }
}

impl Write for Glass {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (parser, all) = &mut *self.0.lock().unwrap();
        parser.process(bytes);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A view with a clock that the test sets.
struct Shown {
    glass: Glass,
    view: LiveView<Glass>,
}

impl Shown {
    fn on(width: u16, height: u16) -> Self {
        Self::with(width, height, Palette { color: false }, true)
    }

    fn with(width: u16, height: u16, palette: Palette, rewraps: bool) -> Self {
        let glass = Glass::of(width, height);
        let asked = glass.clone();
        let size: Size = Arc::new(move || asked.size());
        Self { view: LiveView::new(glass.clone(), size, rewraps, Loud::Normal, palette), glass }
    }

    fn tell(&self, at: Time, lane: &str, what: EventKind) -> &Self {
        self.view.told(&Event { v: 1, at, run: "r".into(), lane: lane.into(), what });
        self
    }

    fn at(&self, now: Time) -> String {
        self.view.frame(&mut self.view.screen.lock().unwrap(), now);
        self.glass.text()
    }
}

fn targets(hosts: usize) -> EventKind {
    let hosts: Vec<_> = (1..=hosts).map(host).map(|host| (*host).into()).collect();
    EventKind::TargetsChanged { fleet: "prod".into(), of: hosts.len(), hosts, selection: "all".into() }
}

fn host(number: usize) -> String {
    format!("web{number}")
}

fn lane(number: usize) -> String {
    format!("1.deploy/4.web{number}")
}

fn run() -> EventKind {
    EventKind::RunStarted { line: "prod deploy:stable".into(), who: "anna".into(), world: "real" }
}

fn task() -> EventKind {
    EventKind::TaskStarted { task: "deploy:stable".into() }
}

fn step(step: &str) -> EventKind {
    EventKind::StepStarted { step: step.into(), host: None }
}

fn begins(host: &str, text: &str) -> EventKind {
    EventKind::EffectStarted { effect: "x", kind: EffectKind::Change, host: Some(host.into()), text: text.into() }
}

fn ends(host: &str, text: &str, took: Time) -> EventKind {
    let (host, text) = (Some(host.into()), text.into());
    EventKind::EffectFinished { effect: "x", kind: EffectKind::Change, host, text, took, failure: None }
}

fn done(host: &str, what: &str, (done, total): (u64, u64), unit: &'static str) -> EventKind {
    EventKind::Progressed { host: Some(host.into()), what: what.into(), done, total, unit }
}

/// Returns the balancer's state of hosts in groups of six, with the open requests of each.
fn seen(stand: impl IntoIterator<Item = (usize, PoolState, u64)>) -> EventKind {
    let place = |(number, balancer, open): (usize, _, _)| {
        let group = format!("group{}", (number - 1) / 6 + 1);
        HostPlace { host: (*host(number)).into(), group: Some((*group).into()), balancer, open }
    };
    EventKind::BalanceSeen { fleet: "prod".into(), hosts: stand.into_iter().map(place).collect() }
}

fn many(hosts: usize) -> EventKind {
    EventKind::HostsStarted { hosts: (1..=hosts).map(|number| (*host(number)).into()).collect() }
}

fn over(number: usize, why: Option<&str>) -> EventKind {
    EventKind::HostFinished { host: (*host(number)).into(), failure: why.map(Failure::failed) }
}

const STAGE: &str = "stage 0002-bbbbbbbbbbbb";

/// Shows three hosts: one receives a release, one is drained, one is probed.
fn three(shown: &Shown) {
    shown.tell(0, "", run()).tell(10, "", targets(3)).tell(20, "1.deploy", task()).tell(30, "1.deploy", step("group1"));
    shown.tell(1_000, &lane(1), begins("web1", STAGE));
    shown.tell(1_500, &lane(1), done("web1", "sent", (1 << 20, 12 << 20), "bytes"));
    shown.tell(3_000, &lane(1), done("web1", "sent", (4 << 20, 12 << 20), "bytes"));
    shown.tell(2_000, &lane(2), begins("web2", "wait until no request is open on web2"));
    shown.tell(2_900, &lane(2), done("web2", "open requests ended", (9, 12), "requests"));
    shown.tell(2_500, &lane(3), begins("web3", "probe web3 for bbbbbbbbbbbb"));
    shown.tell(2_950, &lane(3), done("web3", "good responses", (2, 3), "responses"));
}

#[test]
fn each_host_at_work_has_a_line_with_its_progress_below_what_scrolled() {
    let shown = Shown::on(80, 24);
    three(&shown);
    assert_eq!(
        shown.at(3_000),
        "\
rfab prod deploy:stable
targets: prod, 3 of 3 hosts
group1:
web1  stage 0002-bbbbbbbbbbbb  4.0 of 12 MiB sent  2.0 MiB/s  4 s left  2 s
web2  wait until no request is open on web2  3 requests still open  1 s
web3  probe web3 for bbbbbbbbbbbb  2 of 3 good responses
deploy:stable > group1  3 s
"
    );
    shown.tell(3_100, &lane(1), ends("web1", STAGE, 2_100));
    assert_eq!(
        shown.at(3_700),
        "\
rfab prod deploy:stable
targets: prod, 3 of 3 hosts
group1:
web1  stage 0002-bbbbbbbbbbbb  2.1 s
web2  wait until no request is open on web2  3 requests still open  1 s
web3  probe web3 for bbbbbbbbbbbb  2 of 3 good responses  1 s
deploy:stable > group1  3 s
"
    );
}

#[test]
fn what_is_sent_while_it_is_packed_has_no_time_left() {
    let shown = Shown::on(80, 24);
    three(&shown);
    shown.tell(3_000, &lane(1), done("web1", "sent", (4 << 20, 0), "bytes"));
    let text = shown.at(3_000);
    let line = text.lines().find(|line| line.starts_with("web1"));
    assert_eq!(line, Some("web1  stage 0002-bbbbbbbbbbbb  4.0 MiB sent  2.0 MiB/s  2 s"));
}

#[test]
fn an_effect_that_ended_stays_a_moment_unless_its_host_does_something_else() {
    let shown = Shown::on(80, 24);
    three(&shown);
    shown.at(3_000);
    shown.tell(
        3_050,
        &lane(1),
        EventKind::EffectFinished {
            effect: "x",
            kind: EffectKind::Read,
            host: Some("web1".into()),
            text: STAGE.into(),
            took: 2_050,
            failure: None,
        },
    );
    assert!(shown.at(3_500).contains("\nweb1  stage 0002-bbbbbbbbbbbb"));
    shown.tell(3_510, "1.deploy/5.web1", begins("web1", "activate 0002-bbbbbbbbbbbb"));
    let text = shown.at(3_520);
    assert_eq!(
        text.lines().filter(|line| line.starts_with("web1")).collect::<Vec<_>>(),
        ["web1  activate 0002-bbbbbbbbbbbb"]
    );
}

#[test]
fn on_forty_columns_the_progress_is_short_and_the_text_is_cut() {
    let shown = Shown::on(40, 24);
    three(&shown);
    assert_eq!(
        shown.at(3_000),
        "\
rfab prod deploy:stable
targets: prod, 3 of 3 hosts
group1:
web1  stage 0002-bbbbbbbbbbbb  33%  2 s
web2  wait until no reques…  3 open  1 s
web3  probe web3 for bbbbbbbbbbbb  2/3
deploy:stable > group1  3 s
"
    );
}

#[test]
fn two_hundred_hosts_take_half_of_the_window_and_the_rest_is_counted() {
    for (width, height) in [(40, 10), (80, 10), (200, 10)] {
        let shown = Shown::on(width, height);
        shown.tell(0, "", run()).tell(10, "", targets(200)).tell(20, "1.deploy", task());
        for n in 1..=200 {
            // The last hosts began first.
            shown.tell(1_000 - n as Time, &lane(n), begins(&host(n), STAGE));
        }
        let text = shown.at(3_000);
        assert_eq!(
            text,
            "\
rfab prod deploy:stable
targets: prod, 200 of 200 hosts
web198  stage 0002-bbbbbbbbbbbb  2 s
web199  stage 0002-bbbbbbbbbbbb  2 s
web200  stage 0002-bbbbbbbbbbbb  2 s
… and 197 more at work
deploy:stable  3 s
",
            "{width}"
        );
        if width != 80 {
            continue;
        }
        // They scroll by; none is lost or left behind.
        for n in 1..=200 {
            shown.tell(4_000, &lane(n), ends(&host(n), STAGE, 3_000 + n as Time));
            shown.at(4_000);
        }
        assert_eq!(shown.at(4_600).lines().last(), Some("deploy:stable  4 s"));
        let glass = shown.glass.0.clone();
        let mut glass = glass.lock().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for back in (0..=220).rev().step_by(5) {
            glass.0.screen_mut().set_scrollback(back);
            seen.extend(glass.0.screen().rows(0, width).map(|row| row.trim_end().to_owned()));
        }
        let lines = seen.iter().filter(|line| line.contains(STAGE)).count();
        assert_eq!(lines, 200, "{seen:#?}");
    }
}

#[test]
fn at_the_end_the_live_part_is_gone_and_the_table_stands() {
    let shown = Shown::on(100, 24);
    three(&shown);
    shown.at(3_000);
    let row = |host: &str| HostRow {
        host: host.into(),
        old: None,
        new: Some("0002-bbbbbbbbbbbb".into()),
        balancer: PoolState::Out,
        result: Outcome::Failed,
        note: None,
        looked: None,
        old_name: None,
        new_name: None,
    };
    let finished = EventKind::RunFinished {
        exit: Exit::Failed,
        took: 3_000,
        table: vec![row("web1")],
        next: vec!["prod deploy:stable".into()],
        failures: vec![Failure::failed("the disk is full").on(&"web1".into())],
        logs: vec![],
    };
    shown.tell(3_100, "", finished);
    shown.view.end();
    assert_eq!(
        shown.glass.text(),
        "\
rfab prod deploy:stable
targets: prod, 3 of 3 hosts
group1:

error: host `web1`: the disk is full (it gets no traffic)

host  old  new                balancer  result
web1  -    0002-bbbbbbbbbbbb  out       failed
1 host: 1 failed; 1 out of the balancer

next: rfab prod deploy:stable
"
    );
}

#[test]
fn while_a_person_is_asked_nothing_else_is_shown_and_afterwards_nothing_is_missing() {
    let shown = Shown::on(80, 24);
    three(&shown);
    shown.at(3_000);
    let mut asked = String::new();
    shown.view.aside(&mut || {
        shown.tell(3_000, &lane(3), EventKind::Noted { host: Some("web3".into()), text: "told meanwhile".into() });
        shown.glass.clone().write_all(b"fleet `prod` is guarded: go on? [y/N]\r\ny\r\n").unwrap();
        assert!(shown.view.screen.try_lock().is_err(), "nobody else draws");
        asked = shown.glass.text();
    });
    assert_eq!(
        asked,
        "\
rfab prod deploy:stable
targets: prod, 3 of 3 hosts
group1:
fleet `prod` is guarded: go on? [y/N]
y
"
    );
    let after = shown.at(4_000);
    assert!(after.starts_with(&(asked + "web3  told meanwhile\nweb1  stage")), "{after}");
    assert_eq!(after.lines().count(), 10, "{after}");
}

#[test]
fn what_a_host_prints_cannot_move_the_live_lines() {
    let shown = Shown::with(60, 24, Palette { color: true }, true);
    three(&shown);
    let hostile = "\x1b[2J\x1b[9A\rgone\u{202e}\x1b]0;t\x07\x1b[31mred";
    shown.tell(2_999, &lane(2), EventKind::Printed { host: "web2".into(), stream: Stream::Out, line: hostile.into() });
    shown.tell(2_999, &lane(2), begins("web2", hostile));
    let text = shown.at(3_000);
    assert_eq!(text.lines().nth(3), Some("web2  | ␛[2J␛[9A␍gone<U+202E>␛]0;t␇red"));
    assert_eq!(text.lines().nth(5), Some("web2  ␛[2J␛[9A␍gone<U+202E>␛]0;t␇red"));
    assert_eq!(text.lines().count(), 8, "{text}");
}

#[test]
fn without_colours_only_the_cursor_is_moved() {
    let paints = |bytes: &str| {
        let sequences = bytes.split('\x1b').skip(1).filter_map(|rest| rest.chars().find(char::is_ascii_alphabetic));
        sequences.filter(|end| *end == 'm').count()
    };
    for (color, painted) in [(false, false), (true, true)] {
        let shown = Shown::with(80, 24, Palette { color }, true);
        three(&shown);
        shown.at(3_000);
        shown.at(9_000);
        let bytes = shown.glass.bytes();
        assert!(bytes.contains("\x1b[2K"), "{bytes:?}");
        assert_eq!(paints(&bytes) > 0, painted, "{bytes:?}");
    }
}

#[test]
fn a_window_that_gets_narrower_or_wider_keeps_one_live_part() {
    // This terminal cuts what is too wide, and doesn't rewrap.
    let shown = Shown::with(80, 24, Palette { color: false }, false);
    three(&shown);
    shown.at(3_000);
    for (width, now) in [(60, 4_000), (30, 5_000), (120, 6_000)] {
        shown.glass.0.lock().unwrap().0.screen_mut().set_size(24, width);
        let text = shown.at(now);
        assert_eq!(text.lines().filter(|line| line.starts_with("web")).count(), 3, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
        assert_eq!(text.lines().count(), 7, "{text}");
    }
}

#[test]
fn lines_that_the_terminal_wrapped_anew_are_wiped_whole() {
    let shown = Shown::on(80, 24);
    three(&shown);
    shown.at(3_000);
    {
        // Simulates how such a terminal rewraps the picture to 40 columns.
        let glass = &mut *shown.glass.0.lock().unwrap();
        let rows: Vec<String> = glass.0.screen().rows(0, 80).map(|row| row.trim_end().to_owned()).collect();
        glass.0 = vt100::Parser::new(24, 40, 0);
        glass.0.process(rows.join("\r\n").trim_end().as_bytes());
    }
    let text = shown.at(3_100);
    assert_eq!(text.lines().nth(3), Some("web1  stage 0002-bbbbbbbbbbbb  33%  2 s"), "{text}");
    assert_eq!(text.lines().count(), 7, "{text}");
}

#[test]
fn a_terminal_that_went_away_holds_nobody_up() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let live = Live::new(Gone, Arc::new(|| (80, 24)), true, Loud::Normal, Palette { color: true }).unwrap();
    let line = "x".repeat(1_000);
    // Far more than may wait for a working terminal.
    for at in 0..3_000 {
        let what = EventKind::Printed { host: "web1".into(), stream: Stream::Out, line: line.clone() };
        live.tell(&Event { v: 1, at, run: "r".into(), lane: "".into(), what });
    }
}

#[test]
fn a_run_that_ends_without_a_word_leaves_no_live_line() {
    let glass = Glass::of(80, 24);
    let live = Live::new(glass.clone(), Arc::new(|| (80, 24)), true, Loud::Normal, Palette { color: false }).unwrap();
    for what in [run(), begins("web1", STAGE)] {
        live.tell(&Event { v: 1, at: 0, run: "r".into(), lane: "".into(), what });
    }
    while !glass.text().contains(STAGE) {
        thread::sleep(Duration::from_millis(5));
    }
    drop(live);
    assert_eq!(glass.text(), "rfab prod deploy:stable\n");
}
