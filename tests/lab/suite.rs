//! A suite: a test binary that uses the lab.
use crate::alone;
use std::{path::Path, sync::OnceLock};

/// What Cargo tells a test binary only at compile time.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// The program under test.
    pub rfab: &'static str,
    /// The package's top folder.
    pub project: &'static Path,
    /// A folder that Cargo keeps between runs.
    pub kept: &'static Path,
}

static HERE: OnceLock<Suite> = OnceLock::new();

/// Returns the suite of this process.
///
/// # Panics
///
/// Panics if the test binary doesn't call `lab::suite!()`.
pub fn here() -> Suite {
    *HERE.get().expect("a test binary that uses the lab calls `lab::suite!()`")
}

/// Begins a suite. It runs before `main`, while there is only one thread.
pub fn begin(rfab: &'static str, project: &'static str, kept: &'static str) {
    let _ = HERE.set(Suite { rfab, project: Path::new(project), kept: Path::new(kept) });
    alone::begin();
}

/// Makes a test binary a suite: the lab finds the program under test, and starts the binary again as its parts.
#[macro_export]
macro_rules! suite {
    () => {
        $crate::before_main!($crate::begin(
            env!("CARGO_BIN_EXE_rfab"),
            env!("CARGO_MANIFEST_DIR"),
            env!("CARGO_TARGET_TMPDIR")
        ));

        /// Isn't a test: a lab starts this binary again and names this function.
        #[test]
        #[ignore = "the lab's own processes begin here"]
        fn part_of_a_lab() {
            $crate::part::begin();
        }
    };
}
