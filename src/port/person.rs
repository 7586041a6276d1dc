//! The person at the terminal.

/// The person before the terminal, if there is one.
pub trait Person: Send + Sync {
    /// Asks a question that is answered with yes or no; `None` without a person.
    fn confirm(&self, question: &str) -> Option<bool>;

    /// Whether the person wants the run to end.
    fn stops(&self) -> bool {
        false
    }

    /// What tells this terminal from others; `None` without one.
    fn terminal(&self) -> Option<String>;

    /// Asks for a text; what is typed is not shown if it is secret. `None` without a person.
    fn ask(&self, question: &str, secret: bool) -> Option<String>;

    /// Gives the terminal away while `take` runs, which nothing else is shown on meanwhile; without one it does not run.
    fn lend(&self, take: &mut dyn FnMut(&std::fs::File));
}
