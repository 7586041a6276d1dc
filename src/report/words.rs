//! Counts and amounts, worded in one place.

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// Returns bytes as people say them.
pub(super) fn bytes(number: u64) -> String {
    let unit = unit(number);
    format!("{} {}", amount(number, unit), UNITS[unit])
}

/// Returns a part of some bytes, both in the whole's unit.
pub(super) fn bytes_of(done: u64, total: u64) -> String {
    let unit = unit(total);
    format!("{} of {} {}", amount(done, unit), amount(total, unit), UNITS[unit])
}

fn unit(number: u64) -> usize {
    (0..UNITS.len() - 1).find(|unit| number < 1 << (10 * (unit + 1))).unwrap_or(UNITS.len() - 1)
}

/// Returns the number in a unit, with one decimal if it has only one digit before it.
fn amount(number: u64, unit: usize) -> String {
    let whole = number >> (10 * unit);
    let tenths = ((number as u128 * 10) >> (10 * unit)) as u64 % 10;
    if unit == 0 || whole >= 10 { whole.to_string() } else { format!("{whole}.{tenths}") }
}

/// Returns a number and its noun.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_people_say_them() {
        assert_eq!([count(0, "host"), count(1, "host"), count(2, "host")], ["0 hosts", "1 host", "2 hosts"]);
    }

    #[test]
    fn bytes_read_as_people_say_them() {
        let said = [0, 1023, 1024, 1_640_000, 12 << 20, 5 << 40].map(bytes);
        assert_eq!(said, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "12 MiB", "5.0 TiB"]);
        assert_eq!(bytes_of(300_000, 12 << 20), "0.2 of 12 MiB");
    }
}
