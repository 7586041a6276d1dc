//! What users are free to choose, varied: each row of a covering set is a lab of its own, in which a whole day is lived under load.
//!
//! Two rows are taken each day, and which is said. `RFAB_VARIED=all` takes all that have not passed yet with this binary,
//! `RFAB_VARIED=3,17` those two, and `RFAB_VARIED=rows` only prints them. `RFAB_SEED=2` makes other rows.
mod day;
mod page;
mod turn;

use lab::needs_root;
use std::io::Write as _;

lab::suite!();

/// Says something past libtest's capture, which hides what a test that passes prints.
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
