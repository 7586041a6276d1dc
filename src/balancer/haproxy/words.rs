//! What HAProxy reports of a server: the words of `show stat`, the bits of `show servers state`.
//!
//! Both come from its sources, and are the same from 2.2 to 3.5-dev:
//!
//! | word | source (`src/stats-proxy.c`, before 3.0 `src/stats.c`) |
//! |---|---|
//! | `DOWN`, `DOWN (agent)`, `DOWN n/m`, `UP n/m`, `UP`, `NOLB n/m`, `NOLB`, `DRAIN n/m`, `DRAIN`, `DRAIN (agent)`, `no check` | `srv_hlt_st[]`, chosen by `stats_fill_sv_computestate()` |
//! | `MAINT (resolution)`, `MAINT (via x/y)`, `MAINT` | `stats_fill_sv_line()`, `case ST_I_PX_STATUS` |
//!
//! | bit | source (`include/haproxy/server-t.h`, `enum srv_admin`) |
//! |---|---|
//! | 0x01 `FMAINT`, 0x08 `FDRAIN` | the server itself was told so: `srv_adm_set_maint()`, `srv_adm_set_drain()` |
//! | 0x02 `IMAINT`, 0x10 `IDRAIN` | the server that it tracks was told so |
//! | 0x20 `RMAINT` | its name doesn't resolve |
//! | 0x04 `CMAINT` | `disabled` in the configuration; stays after `ready`, which clears 0x01: not a state |
//! | 0x40 `HMAINT`, since 3.1 `FQDN_CHANGED` | its name was changed on the socket; never cleared: not a state |
use crate::port::{Admin, Checked};

const FMAINT: u32 = 0x01;
const IMAINT: u32 = 0x02;
const CMAINT: u32 = 0x04;
const FDRAIN: u32 = 0x08;
const IDRAIN: u32 = 0x10;
const RMAINT: u32 = 0x20;
const FQDN_CHANGED: u32 = 0x40;

/// Returns what a server itself was told, and its state with the server that it tracks. `None` for an unknown bit.
pub(super) fn admin(bits: u32) -> Option<(Admin, Admin)> {
    let known = FMAINT | IMAINT | CMAINT | FDRAIN | IDRAIN | RMAINT | FQDN_CHANGED;
    let of = |maint: u32, drain: u32| match bits {
        bits if bits & maint != 0 => Admin::Maint,
        bits if bits & drain != 0 => Admin::Drain,
        _ => Admin::Ready,
    };
    (bits & !known == 0).then(|| (of(FMAINT, FDRAIN), of(FMAINT | IMAINT | RMAINT, FDRAIN | IDRAIN)))
}

/// Returns the health that a status reports. A word that isn't in the table is `Unknown`.
///
/// `falling` says whether the last checks failed, which `DRAIN (agent)` hides.
pub(super) fn health(status: &str, falling: bool) -> Checked {
    match status {
        "UP" | "DRAIN" | "no check" => Checked::Up,
        "DRAIN (agent)" if falling => Checked::Falling,
        "DRAIN (agent)" => Checked::Up,
        "DOWN" | "DOWN (agent)" => Checked::Down,
        // The server is up, but its check asks for no new requests: `http-check disable-on-404`.
        "NOLB" => Checked::Down,
        "MAINT" | "MAINT (resolution)" => Checked::Unknown,
        status if status.starts_with("MAINT (via ") => Checked::Unknown,
        status => match status.split_once(' ') {
            Some(("UP" | "DRAIN", rest)) if is_fraction(rest) => Checked::Falling,
            Some(("DOWN", rest)) if is_fraction(rest) => Checked::Rising,
            Some(("NOLB", rest)) if is_fraction(rest) => Checked::Down,
            _ => Checked::Unknown,
        },
    }
}

/// Returns whether the table of [`health`] has a word.
pub(super) fn is_known(status: &str) -> bool {
    status.starts_with("MAINT") || health(status, false) != Checked::Unknown
}

fn is_fraction(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    text.split_once('/').is_some_and(|(n, m)| digits(n) && digits(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_haproxys_sources_says_how_a_servers_checks_stand() {
        for (status, falling, wanted) in [
            ("UP", false, Checked::Up),
            ("DRAIN", false, Checked::Up),
            ("DRAIN (agent)", false, Checked::Up),
            ("DRAIN (agent)", true, Checked::Falling),
            ("no check", false, Checked::Up),
            ("UP 1/2", true, Checked::Falling),
            ("DRAIN 1/2", true, Checked::Falling),
            ("DOWN 1/3", true, Checked::Rising),
            ("DOWN 0/2", true, Checked::Rising),
            ("DOWN", true, Checked::Down),
            ("DOWN (agent)", false, Checked::Down),
            ("NOLB", false, Checked::Down),
            ("NOLB 2/3", true, Checked::Down),
            ("MAINT", false, Checked::Unknown),
            ("MAINT (resolution)", false, Checked::Unknown),
            ("MAINT (via x/y)", false, Checked::Unknown),
        ] {
            assert_eq!(health(status, falling), wanted, "{status}");
            assert!(is_known(status), "{status}");
        }
        for status in ["", "new word", "UP (new)", "UP 1/", "UP 1/2/3", "up", "DRAINING", "UP  1/2"] {
            assert_eq!((health(status, false), is_known(status)), (Checked::Unknown, false), "{status}");
        }
    }

    #[test]
    fn a_servers_own_state_is_told_from_what_it_follows_and_from_its_configuration() {
        use Admin::{Drain, Maint, Ready};
        for (bits, own, all) in [
            (0, Ready, Ready),
            (FMAINT, Maint, Maint),
            (FDRAIN, Drain, Drain),
            (FMAINT | FDRAIN, Maint, Maint),
            (IMAINT, Ready, Maint),
            (IDRAIN, Ready, Drain),
            (FDRAIN | IMAINT, Drain, Maint),
            (FMAINT | IDRAIN, Maint, Maint),
            (RMAINT, Ready, Maint),
            // `disabled` in the configuration, and the same server after `ready` and after `drain`.
            (FMAINT | CMAINT, Maint, Maint),
            (CMAINT, Ready, Ready),
            (CMAINT | FDRAIN, Drain, Drain),
            (FQDN_CHANGED, Ready, Ready),
            (FQDN_CHANGED | FDRAIN, Drain, Drain),
        ] {
            assert_eq!(admin(bits), Some((own, all)), "{bits:#x}");
        }
        assert_eq!((admin(0x80), admin(0x100 | FMAINT)), (None, None));
    }
}
