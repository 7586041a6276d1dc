//! A branch and what it follows.
/// A branch and what it follows.
pub(super) struct Branch {
    /// `origin/main`.
    pub shown: String,
    pub remote: String,
    /// The remote's own name for it: `refs/heads/main`.
    pub name: String,
    /// Where the branch stands, and where the followed one stood when it was last fetched.
    pub own: String,
    pub known: String,
}
