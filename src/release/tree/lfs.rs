//! Pointers of git-lfs.
/// So many bytes of a file tell whether it is a pointer of git-lfs.
pub const BEGINNING: u64 = 1024;

/// Returns whether a file that begins so is a pointer of git-lfs, which has fewer than [`BEGINNING`] bytes.
pub fn is_lfs(beginning: &[u8]) -> bool {
    beginning.len() < BEGINNING as usize && beginning.starts_with(b"version https://git-lfs.github.com/spec/")
}
