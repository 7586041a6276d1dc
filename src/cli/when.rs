//! Reads and writes times for people.
use crate::duration::span;
use jiff::{Timestamp, Zoned, civil, tz::TimeZone};

/// Returns the local time.
pub(super) fn here() -> Zoned {
    Zoned::now()
}

/// Reads a time, or how long ago it was, into milliseconds since 1970; a time without an offset is local.
pub(super) fn read(text: &str) -> Result<i64, String> {
    from(text, &here())
}

fn from(text: &str, now: &Zoned) -> Result<i64, String> {
    let ago = |text| Some(now.checked_sub(span(text)?).ok()?.timestamp());
    let at = ago(text)
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| local(text.parse::<civil::DateTime>().ok()?, now.time_zone()))
        .ok_or("it isn't a time: write how long ago (30m, 2h, 3d, 2w), a day (2026-11-24), or RFC 3339")?;
    Ok(at.as_millisecond())
}

fn local(time: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Returns an RFC 3339 time as local time: `24 Nov 18:03`, or with the year in place of the time if it's another year.
pub(super) fn shown(time: &str, now: &Zoned) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return time.to_owned() };
    let time = time.to_zoned(now.time_zone().clone());
    let format = if time.year() == now.year() { "%e %b %H:%M" } else { "%e %b  %Y" };
    time.strftime(format).to_string()
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
    }
}
