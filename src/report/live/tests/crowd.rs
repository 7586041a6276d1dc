//! Many hosts: groups, failed hosts, those at work, the number of the others, and the load on a link.
use super::{super::in_hand::MOST, *};
use unicode_width::UnicodeWidthStr;

/// Shows two hundred hosts: one failed, `done` are done, eight are at work, and the others wait.
fn crowd(shown: &Shown, done: usize) {
    shown.tell(0, "", run()).tell(10, "", targets(200)).tell(20, "1.deploy", task());
    shown.tell(25, "1.deploy", seen((1..=12).map(|n| (n, if n > 6 { PoolState::Out } else { PoolState::Live }, 7))));
    shown.tell(30, "1.deploy", step("deploy to group2")).tell(40, "1.deploy", many(200));
    shown.tell(50, &lane(7), begins("web7", "restart shop")).tell(60, &lane(7), over(7, Some("unit `shop`\nno")));
    for n in (8..).take(done) {
        shown.tell(70, &lane(n), begins(&host(n), STAGE)).tell(80, &lane(n), over(n, None));
    }
    for n in (8 + done..).take(8) {
        shown.tell(1_000 + n as Time, &lane(n), begins(&host(n), STAGE));
        let sent = (1 << 20) * (n as u64 % 8 + 1);
        shown.tell(2_000 + n as Time, &lane(n), done_of(n, sent));
    }
}

fn done_of(number: usize, sent: u64) -> EventKind {
    done(&host(number), "sent", (sent, 12 << 20), "bytes")
}

#[test]
fn above_stand_the_groups_then_who_failed_then_who_works_then_how_many_more() {
    let shown = Shown::on(80, 24);
    crowd(&shown, 120);
    assert_eq!(
        shown.at(4_000),
        "\
rfab prod deploy:stable
targets: prod, 200 of 200 hosts
deploy to group2:
group1  6 live   group2  6 out (42 requests open)
web7    failed: unit `shop`
web128  stage 0002-bbbbbbbbbbbb  1.0 of 12 MiB sent  356 KiB/s  31 s left  2 s
web129  stage 0002-bbbbbbbbbbbb  2.0 of 12 MiB sent  713 KiB/s  14 s left  2 s
web130  stage 0002-bbbbbbbbbbbb  3.0 of 12 MiB sent  1.0 MiB/s  8 s left  2 s
web131  stage 0002-bbbbbbbbbbbb  4.0 of 12 MiB sent  1.3 MiB/s  5 s left  2 s
web132  stage 0002-bbbbbbbbbbbb  5.0 of 12 MiB sent  1.7 MiB/s  4 s left  2 s
web133  stage 0002-bbbbbbbbbbbb  6.0 of 12 MiB sent  2.0 MiB/s  2 s left  2 s
web134  stage 0002-bbbbbbbbbbbb  7.0 of 12 MiB sent  2.4 MiB/s  2 s left  2 s
web135  stage 0002-bbbbbbbbbbbb  8.0 of 12 MiB sent  2.7 MiB/s  1 s left  2 s
… and 191 more: 120 done, 71 waiting
deploy:stable > deploy to group2  4 s
"
    );
}

#[test]
fn a_window_of_ten_rows_shows_as_much_as_fits_at_any_width() {
    for (width, expected) in [
        (
            40,
            "\
rfab prod deploy:stable
targets: prod, 200 of 200 hosts
deploy to group2:
group1 6 live  group2 6 out (42 open)
web7   failed: unit `shop`
web18  stage 0002-bbbbbbbbbbbb  25%  2 s
… and 198 more: 10 done, 181 waiting, 7…
deploy:stable > deploy to group2  4 s
",
        ),
        (
            200,
            "\
rfab prod deploy:stable
targets: prod, 200 of 200 hosts
deploy to group2:
group1  6 live   group2  6 out (42 requests open)
web7   failed: unit `shop`
web18  stage 0002-bbbbbbbbbbbb  3.0 of 12 MiB sent  1.0 MiB/s  8 s left  2 s
… and 198 more: 10 done, 181 waiting, 7 at work
deploy:stable > deploy to group2  4 s
",
        ),
    ] {
        let shown = Shown::on(width, 10);
        crowd(&shown, 10);
        assert_eq!(shown.at(4_000), expected, "{width}");
    }
}

#[test]
fn how_groups_stand_follows_what_is_seen_and_what_is_waited_for() {
    let shown = Shown::on(80, 24);
    let now = |at: Time| shown.at(at).lines().nth(3).unwrap_or_default().to_owned();
    shown.tell(0, "", run()).tell(10, "", targets(12)).tell(20, "1.deploy", task());
    shown.tell(30, "1.deploy", step("out"));
    shown.tell(40, "1.deploy", seen((1..=12).map(|n| (n, PoolState::Live, 3))));
    assert_eq!(now(100), "group1  6 live   group2  6 live");
    shown.tell(110, "1.deploy", seen([(7, PoolState::Out, 1), (8, PoolState::Out, 3), (9, PoolState::Mixed, 0)]));
    assert_eq!(now(200), "group1  6 live   group2  3 live, 2 out, 1 half out (4 requests open)");
    shown.tell(210, &lane(7), begins("web7", "wait until no request is open on web7"));
    shown.tell(220, &lane(8), done("web8", "open requests ended", (1, 3), "requests"));
    let drained = EventKind::EffectFinished {
        effect: "wait_drained",
        kind: EffectKind::Read,
        host: Some("web7".into()),
        text: "wait".into(),
        took: 1,
        failure: None,
    };
    shown.tell(230, &lane(7), drained);
    assert_eq!(now(300), "group1  6 live   group2  3 live, 2 out, 1 half out (2 requests open)");
    shown.tell(310, "1.deploy", seen([(8, PoolState::Out, 0), (1, PoolState::Unknown, 0)]));
    assert_eq!(now(400), "group1  5 live, 1 unknown   group2  3 live, 2 out, 1 half out (drained)");
    shown.tell(410, "1.deploy", seen((7..=9).map(|n| (n, PoolState::Live, 9))));
    assert_eq!(now(500), "group1  5 live, 1 unknown   group2  6 live");
}

#[test]
fn of_groups_that_do_not_all_fit_those_that_are_not_wholly_live_are_shown() {
    let shown = Shown::on(60, 24);
    shown.tell(0, "", run()).tell(10, "", targets(200));
    shown.tell(40, "", seen((1..=96).map(|n| (n, if n == 65 { PoolState::Out } else { PoolState::Live }, 1))));
    let text = shown.at(100);
    assert_eq!(text.lines().nth(2), Some("group11 5 live, 1 out (1 open)  … 15 more groups"));
    // If not even one fits, it is cut.
    let shown = Shown::on(20, 24);
    shown.tell(0, "", run()).tell(10, "", targets(200));
    shown.tell(40, "", seen((1..=96).map(|n| (n, if n == 65 { PoolState::Out } else { PoolState::Live }, 1))));
    assert_eq!(shown.at(100).lines().nth(4), Some("group11 5 live, 1 o…"));
}

#[test]
fn wide_characters_and_long_names_are_cut_by_what_they_take_of_a_line() {
    let shown = Shown::on(40, 24);
    let long = "production-web-of-frankfurt-17";
    let hosts = vec!["ウェブ1".into(), long.into()];
    let chosen = EventKind::TargetsChanged { fleet: "prod".into(), of: 2, hosts, selection: "all".into() };
    shown.tell(0, "", run()).tell(10, "", chosen).tell(15, "1.deploy", step("配置"));
    shown.tell(20, "1.deploy/4.ウェブ1", begins("ウェブ1", "run `配置する 配置する 配置する 配置する`"));
    shown.tell(20, &format!("1.deploy/4.{long}"), begins(long, "restart shop"));
    let text = shown.at(3_000);
    assert_eq!(
        text,
        "\
rfab prod deploy:stable
targets: prod, 2 of 2 hosts
配置:
ウェブ1        run `配置する 配置…  2 s
production-w…  restart shop  2 s
prod deploy:stable > 配置  3 s
"
    );
}

#[test]
fn no_live_line_of_any_window_is_wider_than_it_and_none_is_wrapped() {
    for width in 8..=100 {
        for height in [2, 3, 5, 8, 10, 24, 200] {
            let shown = Shown::on(width, height);
            crowd(&shown, 120);
            shown.tell(2_500, &lane(128), EventKind::Noted { host: None, text: "here".into() });
            let lines = shown.view.told.lock().unwrap().in_hand.lines(
                4_000,
                (width.into(), height.into()),
                Palette { color: false },
            );
            assert!(lines.len() <= usize::from(height / 2).clamp(1, MOST), "{width} {height}: {lines:#?}");
            for line in &lines {
                assert!(line.width() <= width.into(), "{width}: {line}");
            }
            // Each line has its own row.
            let text = shown.at(4_000);
            let rows: Vec<&str> = text.lines().collect();
            assert_eq!(rows[rows.len() - lines.len()..], lines, "{width} {height}");
        }
    }
}

#[test]
fn what_a_terminal_writes_when_a_run_is_interrupted_leaves_no_live_line_behind() {
    for width in [20, 40, 80] {
        let shown = Shown::on(width, 24);
        crowd(&shown, 120);
        shown.at(4_000);
        shown.glass.clone().write_all(b"^C").unwrap();
        shown.view.end();
        let text = shown.glass.text();
        assert!(text.ends_with("deploy to group2:\n"), "{text}");
        assert_eq!(shown.glass.0.lock().unwrap().0.screen().cursor_position().1, 0);
    }
}

#[test]
fn a_slow_link_gets_a_bounded_number_of_bytes_a_second_however_much_happens() {
    const MINUTE: Time = 60_000;
    for (width, height) in [(40, 10), (80, 24), (200, 60)] {
        let shown = Shown::with(width, height, Palette { color: true }, true);
        crowd(&shown, 0);
        let (mut now, mut pictures) = (4_000, 0);
        shown.at(now);
        let before = shown.glass.bytes().len();
        while now < MINUTE {
            // All hosts send progress all the time.
            for n in 8..=200 {
                if n == now as usize % 193 + 8 {
                    shown.tell(now, &lane(n), begins(&host(n), STAGE));
                }
                shown.tell(now, &lane(n), done_of(n, now * 200));
            }
            now += shown.view.frame(&mut shown.view.screen.lock().unwrap(), now).as_millis() as Time;
            pictures += 1;
        }
        let took = (now - 4_000) / 1_000;
        let bytes = (shown.glass.bytes().len() - before) as u64;
        assert!(bytes / took <= LINK, "{width}x{height}: {bytes} bytes in {took} s");
        assert!((20..=took * 10 + 1).contains(&pictures), "{width}x{height}: {pictures} pictures in {took} s");
    }
}

#[test]
fn a_run_of_two_hundred_hosts_writes_less_than_400_kibibytes() {
    let shown = Shown::with(80, 24, Palette { color: true }, true);
    shown.tell(0, "", run()).tell(10, "", targets(200)).tell(20, "1.deploy", task()).tell(30, "1.deploy", many(200));
    // Thirty-two in parallel, ten seconds each.
    let (mut shown_next, mut now) = (0, 40);
    while now < 71_000 {
        for n in 1..=200 {
            let began = 40 + (n as Time - 1) / 32 * 10_000;
            if began == now {
                shown.tell(now, &lane(n), begins(&host(n), STAGE));
            } else if began + 9_990 == now {
                shown.tell(now, &lane(n), ends(&host(n), STAGE, 9_990)).tell(now, &lane(n), over(n, None));
            } else if now > began && now < began + 9_990 && (now - began) % 250 == n as Time % 25 * 10 {
                shown.tell(now, &lane(n), done_of(n, (now - began) * 1_250));
            }
        }
        if now >= shown_next {
            shown_next = now + shown.view.frame(&mut shown.view.screen.lock().unwrap(), now).as_millis() as Time;
        }
        now += 10;
    }
    shown.view.end();
    assert_eq!(shown.glass.text().matches(STAGE).count(), 22, "{}", shown.glass.text());
    let bytes = shown.glass.bytes().len();
    assert!(bytes < 400 << 10, "{bytes} bytes");
}

#[test]
fn colours_say_nothing_that_is_not_said_in_words_too() {
    let plain = Shown::on(80, 24);
    crowd(&plain, 120);
    let painted = Shown::with(80, 24, Palette { color: true }, true);
    crowd(&painted, 120);
    assert_eq!(plain.at(4_000), painted.at(4_000));
    assert!(painted.glass.bytes().contains("\x1b[1m\x1b[31mfailed: unit `shop`"), "{:?}", painted.glass.bytes());
}
