//! A branch and its upstream.
/// A branch and its upstream.
pub(super) struct Branch {
    /// The upstream's name for people: `origin/main`.
    pub shown: String,
    pub remote: String,
    /// The upstream's name on the remote: `refs/heads/main`.
    pub name: String,
    /// The commit of the branch, and the commit that the upstream had at the last fetch.
    pub own: String,
    pub known: String,
}
