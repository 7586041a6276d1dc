//! Files that git-crypt or SOPS left encrypted.

/// What encrypted a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    GitCrypt,
    Sops,
}

/// The largest file that is searched for the marks of SOPS, in bytes.
pub(super) const SEARCHED: u64 = 1 << 20;

/// Returns whether SOPS may have written a file of this name: it knows these formats, and others by `.enc` and `.sops`.
pub(super) fn may_be_sops(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    ["yaml", "yml", "json", "env", "ini", "enc", "sops"].contains(&end)
}

/// Returns what a file is encrypted with. `content` may be only the beginning, if SOPS can't have written it.
///
/// git-crypt begins a file with `\0GITCRYPT\0`. SOPS keeps the names of values, writes `ENC[AES256_GCM,…]` for each
/// value, and adds its own table `sops` with the keys and a `mac`.
pub(super) fn encryption(content: &[u8]) -> Option<Encryption> {
    if content.starts_with(b"\0GITCRYPT\0") {
        return Some(Encryption::GitCrypt);
    }
    let has = |text: &[u8]| content.windows(text.len()).any(|window| window == text);
    let tables: [&[u8]; 5] = [b"\nsops:", b"\"sops\":", b"[sops]", b"\nsops_mac=", b"\nsops_version="];
    (has(b"ENC[AES256_GCM,") && has(b"mac") && tables.into_iter().any(has)).then_some(Encryption::Sops)
}

impl Encryption {
    /// Returns the name of the tool.
    pub(super) fn tool(self) -> &'static str {
        match self {
            Encryption::GitCrypt => "git-crypt",
            Encryption::Sops => "SOPS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_of_each_tool_are_known_and_a_text_about_them_is_not_one() {
        let value = "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]";
        for text in [
            format!("db: {value}\nsops:\n    age: []\n    mac: {value}\n"),
            format!("{{\"db\": \"{value}\", \"sops\": {{\"mac\": \"{value}\"}}}}"),
            format!("DB={value}\nsops_mac={value}\n"),
            format!("[db]\npw = {value}\n[sops]\nmac = {value}\n"),
        ] {
            assert_eq!(encryption(text.as_bytes()), Some(Encryption::Sops), "{text}");
        }
        assert_eq!(encryption(b"\0GITCRYPT\0abc"), Some(Encryption::GitCrypt));
        for text in ["", "GITCRYPT", "sops: none\n", "# ENC[AES256_GCM,data:…] is what sops writes", "\0\0GITCRYPT\0"]
        {
            assert_eq!(encryption(text.as_bytes()), None, "{text:?}");
        }
        let names = ["config/prod.yaml", "secrets.enc", ".env", "app.rb", "sops"].map(may_be_sops);
        assert_eq!(names, [true, true, true, false, false]);
    }
}
