//! Pointers of git-lfs.
/// The number of bytes at the start of a file that show whether it is a git-lfs pointer.
pub(super) const BEGINNING: u64 = 1024;

/// Returns whether a file with this beginning is a git-lfs pointer, which has fewer than [`BEGINNING`] bytes.
pub(super) fn is_lfs(beginning: &[u8]) -> bool {
    beginning.len() < BEGINNING as usize && beginning.starts_with(b"version https://git-lfs.github.com/spec/")
}
