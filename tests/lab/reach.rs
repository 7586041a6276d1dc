//! What reaches the hosts of the labs that a test starts: OpenSSH's client, or the one in rfab.
use super::Output;
use std::{cell::RefCell, env};

/// How rfab says that a host needs OpenSSH's client.
const FALLBACK: &str = "reached by OpenSSH's client, not by rfab's own: ";

thread_local! {
    /// The reasons for which a host may need OpenSSH's client; none where that is what reaches all hosts.
    static NATIVE: RefCell<Option<Vec<&'static str>>> = RefCell::new(asked_for());
}

/// With `RFAB_NATIVE=1`, every test has the client in rfab.
fn asked_for() -> Option<Vec<&'static str>> {
    env::var_os("RFAB_NATIVE").map(|_| Vec::new())
}

/// Runs a test with the client in rfab. The test fails if a host needs the other one.
pub fn natively(test: impl FnOnce()) {
    natively_but_for(&[], test);
}

/// The same, where a host may need the other client for these reasons.
pub fn natively_but_for(reasons: &[&'static str], test: impl FnOnce()) {
    struct Again;
    impl Drop for Again {
        fn drop(&mut self) {
            NATIVE.with_borrow_mut(|native| *native = asked_for());
        }
    }
    NATIVE.with_borrow_mut(|native| *native = Some(reasons.to_vec()));
    let _again = Again;
    test();
}

/// Returns whether the test of this thread has the client in rfab.
pub(super) fn is_native() -> bool {
    NATIVE.with_borrow(Option::is_some)
}

/// Fails a test with the client in rfab if a host needed the other one for a reason that wasn't expected.
#[track_caller]
pub(super) fn expect_no_fallback(output: &Output) {
    NATIVE.with_borrow(|native| {
        let Some(reasons) = native else { return };
        for line in output.stdout.lines().chain(output.stderr.lines()) {
            if let Some((_, why)) = line.split_once(FALLBACK) {
                assert!(reasons.iter().any(|reason| why.contains(reason)), "an unexpected fallback: {line}");
            }
        }
    });
}
