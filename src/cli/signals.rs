//! The signals that end a run.
use std::fs;

/// Those that are heeded: interrupt, terminate, hang up.
const HEEDED: [u8; 3] = [2, 15, HANG_UP];

/// The terminal was closed.
pub const HANG_UP: u8 = 1;

/// Those that were not ignored when the program was started: `nohup` and a shell's `&` have that stay so.
pub fn heeded() -> Vec<u8> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    HEEDED.into_iter().filter(|signal| !ignored(&status, *signal)).collect()
}

fn ignored(status: &str, signal: u8) -> bool {
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.unwrap_or(0) & (1 << (signal - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_ignored_if_its_bit_says_so() {
        let status = |mask: &str| format!("Name:\trfab\nSigBlk:\tffffffffffffffff\nSigIgn:\t{mask}\nSigCgt:\t0\n");
        for (mask, expected) in [
            ("0000000000000001", [false, false, true]),
            ("0000000000000002", [true, false, false]),
            ("0000000000001000", [false, false, false]),
            ("0000000000005003", [true, true, true]),
            ("?", [false, false, false]),
        ] {
            assert_eq!(HEEDED.map(|signal| ignored(&status(mask), signal)), expected, "{mask}");
        }
        assert!(!ignored("", 1));
    }
}
