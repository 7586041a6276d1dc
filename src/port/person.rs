//! The person at the terminal.

/// The person at the terminal, if there is one.
pub trait Person: Send + Sync {
    /// Asks a yes-or-no question; `None` without a person.
    fn confirm(&self, question: &str) -> Option<bool>;

    /// Returns whether the person wants the run to end.
    fn stops(&self) -> bool {
        false
    }

    /// Returns an identifier of this terminal; `None` without one.
    fn terminal(&self) -> Option<String>;

    /// Asks for a text, and hides the typed characters if it's secret; `None` without a person.
    fn ask(&self, question: &str, secret: bool) -> Option<String>;

    /// Lends the terminal while `take` runs, and shows nothing else on it. Without a terminal, `take` doesn't run.
    fn lend(&self, take: &mut dyn FnMut(&std::fs::File));
}
