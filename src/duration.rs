//! Durations, as people write and read them.
//!
//! A duration is written as a whole number and one unit. The fleet file's schema promises that form, and a longer one
//! such as `2 months` or `-1h` would be a slip.
use jiff::{SignedDuration, Span};
use std::time::Duration;

/// The longest number before a unit, in digits.
const LONGEST: usize = 11;

/// Reads a duration that is the same everywhere: `500ms`, `60s`, `2m`, `1h`.
pub fn read(text: &str) -> Option<Duration> {
    // A day may have 23 or 25 hours.
    if text.ends_with(['d', 'w']) { None } else { SignedDuration::try_from(span(text)?).ok()?.try_into().ok() }
}

/// Reads a stretch of the calendar: as [`read`], or days or weeks, `3d` and `2w`.
pub fn span(text: &str) -> Option<Span> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..digits].parse::<i64>().ok().filter(|_| digits <= LONGEST)?;
    let none = Span::new();
    let span = match &text[digits..] {
        "ms" => none.try_milliseconds(number),
        "s" => none.try_seconds(number),
        "m" => none.try_minutes(number),
        "h" => none.try_hours(number),
        "d" => none.try_days(number),
        "w" => none.try_weeks(number),
        _ => return None,
    };
    span.ok()
}

/// Milliseconds in the form that [`read`] takes: `10m`, `90s`.
pub fn written(milliseconds: u64) -> String {
    match milliseconds {
        0 => "0s".to_owned(),
        time if time % 60_000 == 0 => format!("{}m", time / 60_000),
        time if time % 1_000 == 0 => format!("{}s", time / 1_000),
        time => format!("{time}ms"),
    }
}

/// How long something took, in milliseconds: `80 ms`, `1.2 s`, `3 min 20 s`.
pub fn took(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..10_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => running(milliseconds),
    }
}

/// How long something goes on already, or still, in milliseconds: whole seconds, for the text is drawn each second.
pub fn running(milliseconds: u64) -> String {
    match milliseconds / 1_000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// How many seconds ago something was, in one unit: `2 d`. If another clock is ahead, it's `0 s`.
pub fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A limit, exactly as it was set: `0.4 s`, `600 s`.
pub fn limit(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit_is_read_and_nothing_else() {
        for (text, milliseconds) in
            [("500ms", 500), ("0s", 0), ("60s", 60_000), ("2m", 120_000), ("1h", 3_600_000), ("007s", 7_000)]
        {
            assert_eq!(read(text), Some(Duration::from_millis(milliseconds)), "{text}");
            assert!(span(text).is_some(), "{text}");
        }
        for (text, days) in [("0d", 0), ("3d", 3), ("2w", 14)] {
            let span = span(text).unwrap();
            assert_eq!((span.get_weeks() * 7 + span.get_days(), read(text)), (days, None), "{text}");
        }
        let wrong = ["", "s", "2", "2y", "-2h", "+2h", "1.5h", "1h30m", "1 min", "1 h", "2h ", "2M", "PT2H", "2ä"];
        for text in wrong.into_iter().chain(["99999999w", "999999999999s", "99999999999h", "1h ago"]) {
            assert!(read(text).is_none() && span(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for (milliseconds, text) in
            [(0, "0s"), (500, "500ms"), (1_000, "1s"), (90_000, "90s"), (600_000, "10m"), (3_600_000, "60m")]
        {
            assert_eq!(written(milliseconds), text);
            assert_eq!(read(text), Some(Duration::from_millis(milliseconds)));
        }
    }

    #[test]
    fn durations_read_as_people_say_them() {
        let said = [5, 80, 999, 1_250, 60_000, 61_000, 125_000, 200_999, 3_700_000].map(took);
        let (some, more) = said.split_at(6);
        assert_eq!(some, ["5 ms", "80 ms", "999 ms", "1.2 s", "60 s", "61 s"]);
        assert_eq!(more, ["2 min 5 s", "3 min 20 s", "1 h 1 min"]);
        assert_eq!([0, 1_999, 119_999, 125_000].map(running), ["0 s", "1 s", "119 s", "2 min 5 s"]);
        let said = [-5, 0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(age);
        assert_eq!(said, ["0 s", "0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"]);
        assert_eq!([400, 1_000, 600_000].map(|ms| limit(Duration::from_millis(ms))), ["0.4 s", "1 s", "600 s"]);
    }
}
