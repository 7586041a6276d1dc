//! Pointers of git-lfs.

/// The number of bytes at the start of a file that show whether it is a git-lfs pointer.
pub(super) const BEGINNING: u64 = 1024;

/// What a pointer points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    pub sha256: String,
    pub size: u64,
}

/// Returns whether a file with this beginning is a git-lfs pointer, which has fewer than [`BEGINNING`] bytes.
pub(super) fn is_lfs(beginning: &[u8]) -> bool {
    let versions: [&[u8]; 2] =
        [b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"];
    beginning.len() < BEGINNING as usize && versions.into_iter().any(|version| beginning.starts_with(version))
}

impl Pointer {
    /// Reads a pointer: a version, then `oid` and `size`. `None` if it's another text, or needs an extension.
    pub(super) fn parse(text: &[u8]) -> Option<Pointer> {
        let text = std::str::from_utf8(text).ok()?;
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n').map(|line| line.trim_end_matches('\r'));
        let version = lines.next()?;
        let (oid, size) = (lines.next()?.strip_prefix("oid sha256:")?, lines.next()?.strip_prefix("size ")?);
        let digest = oid.len() == 64 && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let size: u64 = size.parse().ok().filter(|number: &u64| number.to_string() == size)?;
        let whole = version.ends_with("/spec/v1") && digest && lines.next().is_none();
        whole.then(|| Pointer { sha256: oid.to_owned(), size })
    }

    /// Returns the name of the content below a store of git-lfs.
    pub(super) fn place(&self) -> String {
        format!("{}/{}/{}", &self.sha256[..2], &self.sha256[2..4], self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_read_whole_or_not_at_all() {
        let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let head = "version https://git-lfs.github.com/spec/v1\n";
        let good = format!("{head}oid sha256:{oid}\nsize 12345\n");
        let pointer = Pointer { sha256: oid.to_owned(), size: 12345 };
        assert_eq!(Pointer::parse(good.as_bytes()), Some(pointer.clone()));
        assert_eq!(pointer.place(), format!("4d/7a/{oid}"));
        for bad in [
            head.to_owned(),
            good.replace("12345", "-1"),
            good.replace("12345", "012"),
            good.replace("4d7a", "../."),
            good.replace("4d7a", "4D7A"),
            good.replace("sha256", "md5"),
            good.replace("spec/v1", "spec/v2"),
            good.replace("oid", "ext-0-foo sha256:00\noid"),
            format!("{good}more\n"),
        ] {
            assert_eq!(Pointer::parse(bad.as_bytes()), None, "{bad}");
            assert!(is_lfs(bad.as_bytes()), "{bad}");
        }
        assert!(!is_lfs(format!("{good}{}", " ".repeat(1024)).as_bytes()) && !is_lfs(b"version 1\n"));
    }
}
