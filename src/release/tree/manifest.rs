//! The content of a release, line by line.
use crate::release::name::{lower_hex, whole};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Every name below a release's top, sorted by its bytes, and the commit that the release was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// 40 hex digits, or 64 by sha256.
    pub commit: String,
    pub entries: Vec<ManifestEntry>,
}

/// One name of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// The path from the release's top, without `./`.
    pub path: String,
    pub what: ManifestKind,
}

/// What a name of a release is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestKind {
    /// A folder of mode 755.
    Folder,
    File {
        executable: bool,
        size: u64,
        sha256: String,
    },
    /// A link that stays inside the release.
    Link {
        target: String,
    },
    /// A link to a folder in `shared/`, which is made if it is missing.
    SharedFolder {
        target: String,
    },
    /// A link to a file in `shared/`, which must be there.
    SharedFile {
        target: String,
    },
}

const HEADER: &str = "rfab-manifest 1 ";

impl Manifest {
    /// Returns the manifest as the text that lies beside a release.
    pub fn text(&self) -> String {
        let mut text = self.header();
        self.entries.iter().for_each(|entry| text += &entry.line());
        text
    }

    /// Returns the first line of the text, with its end.
    pub(super) fn header(&self) -> String {
        format!("{HEADER}{}\n", self.commit)
    }

    /// Parses the text; refuses anything that `text` doesn't write, with the line's number.
    pub fn parse(text: &str) -> Result<Manifest, String> {
        let mut lines = text.strip_suffix('\n').ok_or("the last line has no line break")?.split('\n');
        let commit = lines.next().and_then(|line| line.strip_prefix(HEADER)).ok_or("line 1: not a manifest")?;
        if !whole(commit) {
            return Err("line 1: no commit".to_owned());
        }
        let entries =
            lines.enumerate().map(|(n, line)| entry(line).ok_or_else(|| format!("line {}: not an entry", n + 2)));
        let manifest = Manifest { commit: commit.to_owned(), entries: entries.collect::<Result<_, _>>()? };
        if !manifest.entries.is_sorted_by(|a, b| a.path < b.path) {
            return Err("the entries aren't sorted".to_owned());
        }
        Ok(manifest)
    }

    /// Returns the sha256 of the text, which identifies the tree.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.text()))
    }
}

impl ManifestEntry {
    /// Returns the line of the manifest's text, with its end.
    pub(super) fn line(&self) -> String {
        let (kind, mode, size, what) = match &self.what {
            ManifestKind::Folder => ('d', "755", "-".to_owned(), "-"),
            ManifestKind::File { executable, size, sha256 } => {
                ('f', if *executable { "755" } else { "644" }, size.to_string(), sha256.as_str())
            }
            ManifestKind::Link { target } => ('l', "777", "-".to_owned(), target.as_str()),
            ManifestKind::SharedFolder { target } => ('D', "777", "-".to_owned(), target.as_str()),
            ManifestKind::SharedFile { target } => ('F', "777", "-".to_owned(), target.as_str()),
        };
        format!("{kind}\t{mode}\t{size}\t{what}\t./{}\n", self.path)
    }
}

fn entry(line: &str) -> Option<ManifestEntry> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [kind, mode, size, what, path] = fields[..] else { return None };
    let path = path.strip_prefix("./").filter(|path| !path.is_empty())?.to_owned();
    let target = || what.to_owned();
    let what = match (kind, mode, size) {
        ("d", "755", "-") if what == "-" => ManifestKind::Folder,
        ("f", "644" | "755", size) if what.len() == 64 && lower_hex(what) => {
            let number: u64 = size.parse().ok().filter(|number: &u64| number.to_string() == size)?;
            ManifestKind::File { executable: mode == "755", size: number, sha256: target() }
        }
        ("l", "777", "-") => ManifestKind::Link { target: target() },
        ("D", "777", "-") => ManifestKind::SharedFolder { target: target() },
        ("F", "777", "-") => ManifestKind::SharedFile { target: target() },
        _ => return None,
    };
    Some(ManifestEntry { path, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let entry = |path: &str, what| ManifestEntry { path: path.to_owned(), what };
        Manifest {
            commit: "9".repeat(40),
            entries: vec![
                entry("a b", ManifestKind::Folder),
                entry("a b/ü", ManifestKind::File { executable: true, size: 3, sha256: "0".repeat(64) }),
                entry("l", ManifestKind::Link { target: "a b/ü".into() }),
                entry("log", ManifestKind::SharedFolder { target: "../../shared/log".into() }),
            ],
        }
    }

    #[test]
    fn the_text_is_one_line_a_name_and_reads_back() {
        let (nine, zero) = ("9".repeat(40), "0".repeat(64));
        let text = format!(
            "rfab-manifest 1 {nine}\nd\t755\t-\t-\t./a b\nf\t755\t3\t{zero}\t./a b/ü\nl\t777\t-\ta b/ü\t./l\n\
             D\t777\t-\t../../shared/log\t./log\n"
        );
        assert_eq!(sample().text(), text);
        assert_eq!(Manifest::parse(&text), Ok(sample()));
        assert_eq!(sample().digest(), hex::encode(Sha256::digest(&text)));
    }

    #[test]
    fn any_other_text_is_refused() {
        let good = sample().text();
        for (from, to) in [
            ("rfab-manifest 1", "rfab-manifest 2"),
            ("999", "99g"),
            ("\t755\t3", "\t4755\t3"),
            ("\t3\t", "\t03\t"),
            ("./log", "log"),
            ("./log", "./a"),
            ("./log\n", "./log"),
            ("\t-\t../../", "\t../../"),
            ("D\t", "x\t"),
        ] {
            assert!(Manifest::parse(&good.replacen(from, to, 1)).is_err(), "{from} {to}");
        }
    }
}
