//! Reads and writes times for people.
use jiff::{Span, Timestamp, Zoned, civil, tz::TimeZone};

/// Returns the local time.
pub fn here() -> Zoned {
    Zoned::now()
}

/// Reads a time, or how long ago it was, into milliseconds since 1970; a time without an offset is local.
pub fn read(text: &str) -> Result<i64, String> {
    from(text, &here())
}

fn from(text: &str, now: &Zoned) -> Result<i64, String> {
    let at = ago(text, now)
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| local(text.parse::<civil::DateTime>().ok()?, now.time_zone()))
        .ok_or("it isn't a time: write how long ago (30m, 2h, 3d, 2w), a day (2026-11-24), or RFC 3339")?;
    Ok(at.as_millisecond())
}

/// Reads a time such as `30m`, `2h`, `3d` or `2w` ago.
fn ago(text: &str, now: &Zoned) -> Option<Timestamp> {
    let unit = text.chars().last()?;
    let count: i32 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count >= 0)?;
    let (count, none) = (i64::from(count), Span::new());
    let span = match unit {
        'm' => none.try_minutes(count),
        'h' => none.try_hours(count),
        'd' => none.try_days(count),
        'w' => none.try_weeks(count),
        _ => return None,
    };
    Some(now.checked_sub(span.ok()?).ok()?.timestamp())
}

fn local(time: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Returns an RFC 3339 time as local time: `24 Nov 18:03`, or with the year in place of the time if it's another year.
pub fn shown(time: &str, now: &Zoned) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return time.to_owned() };
    let time = time.to_zoned(now.time_zone().clone());
    let format = if time.year() == now.year() { "%e %b %H:%M" } else { "%e %b  %Y" };
    time.strftime(format).to_string()
}

/// Returns milliseconds for people: `80 ms`, `1.2 s`, `3 min 20 s`.
pub fn long(took: u64) -> String {
    match took {
        0..1_000 => format!("{took} ms"),
        1_000..60_000 => format!("{}.{} s", took / 1_000, took % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", took / 60_000, took % 60_000 / 1_000),
        _ => format!("{} h {} min", took / 3_600_000, took % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-11-24T18:03:10+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn a_time_is_how_long_ago_or_when() {
        let read = |text: &str| from(text, &now()).map(|at| Timestamp::from_millisecond(at).unwrap().to_string());
        for (text, at) in [
            ("30m", "2026-11-24T16:33:10Z"),
            ("2h", "2026-11-24T15:03:10Z"),
            // The clock was turned back in between.
            ("31d", "2026-10-24T16:03:10Z"),
            ("2w", "2026-11-10T17:03:10Z"),
            ("2026-11-24", "2026-11-23T23:00:00Z"),
            ("2026-11-24T10:00", "2026-11-24T09:00:00Z"),
            ("2026-11-24 10:00:05", "2026-11-24T09:00:05Z"),
            ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
            ("2026-11-24T10:00:00-02:00", "2026-11-24T12:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(at), "{text}");
        }
        for text in ["", "h", "2", "2y", "-2h", "+2h x", "yesterday", "24.11.2026", "99999999w", "2026-13-01", "2ä"] {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn a_time_is_read_at_a_glance() {
        assert_eq!(shown("2026-11-24T09:05:00Z", &now()), "24 Nov 10:05");
        assert_eq!(shown("2026-03-02T09:05:00Z", &now()), " 2 Mar 10:05");
        assert_eq!(shown("2025-11-24T09:05:00Z", &now()), "24 Nov  2025");
        assert_eq!(shown("then", &now()), "then");
        let long = [80, 1_250, 60_000, 200_999, 3_700_000].map(long);
        assert_eq!(long, ["80 ms", "1.2 s", "1 min 0 s", "3 min 20 s", "1 h 1 min"]);
    }
}
