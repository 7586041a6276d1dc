//! Varies what users are free to choose: each row of a covering set is a lab, in which the test lives a whole day under
//! load.
//!
//! Two rows run each day, and the test prints which. Their network is fast, because a day over a slow one takes up to
//! 17 minutes. With `RFAB_ALL=1`, they have the network of the row. `RFAB_VARIED=all` runs all rows that haven't passed
//! yet with this binary, `RFAB_VARIED=3,17` those two, and `RFAB_VARIED=rows` only prints them. `RFAB_SEED=2` makes
//! other rows.
mod day;
mod page;
mod turn;

use lab::needs_root;
use std::io::Write as _;

lab::suite!();

/// Prints a text past libtest's capture, which hides the output of a test that passes.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn a_day_goes_well_whatever_people_have_chosen() {
    if !needs_root("a_day_goes_well_whatever_people_have_chosen") {
        return;
    }
    turn::take();
}
