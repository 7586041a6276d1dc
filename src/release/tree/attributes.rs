//! What a tree's `.gitattributes` files say of its names: `export-ignore`, `export-subst` and `filter`, by git's rules.
//!
//! Only files in the tree count, not `.git/info/attributes` or the user's: a commit packs to the same bytes
//! everywhere.
use super::pattern;
use std::collections::{BTreeMap, HashMap};

/// The rules of a tree, by folder.
#[derive(Default)]
pub(super) struct Attributes {
    /// Keys are the folders of the files, each with `/` at its end; the top's key is empty.
    rules: BTreeMap<Vec<u8>, Vec<Rule>>,
    macros: HashMap<Vec<u8>, Vec<Word>>,
}

struct Rule {
    pattern: Vec<u8>,
    only_folders: bool,
    /// Whether the pattern is matched only against the last part of a path.
    anywhere: bool,
    words: Vec<Word>,
}

/// An attribute and its value.
#[derive(Clone)]
struct Word {
    name: Vec<u8>,
    value: Value,
}

/// The value of an attribute.
#[derive(Clone, PartialEq)]
enum Value {
    Set,
    /// Unset (`-name`) or unspecified (`!name`).
    Unset,
    Text(Vec<u8>),
}

impl Attributes {
    /// Adds a folder's file; macros count only in the top folder.
    pub(super) fn add(&mut self, folder: &[u8], content: &[u8]) {
        for line in content.split(|b| *b == b'\n') {
            let Some((pattern, words)) = split(line) else { continue };
            if let Some(name) = pattern.strip_prefix(b"[attr]") {
                if folder.is_empty() {
                    self.macros.insert(name.to_vec(), words);
                }
            } else if !pattern.starts_with(b"!") {
                self.rules.entry(folder.to_vec()).or_default().push(rule(pattern, words));
            }
        }
    }

    /// Returns whether a path is excluded; `folder` says whether it is a folder. The folders above it aren't checked.
    pub(super) fn ignores(&self, path: &[u8], folder: bool) -> bool {
        self.value(path, folder, b"export-ignore") == Some(&Value::Set)
    }

    /// Returns whether git-lfs keeps the content of a file.
    pub(super) fn is_large(&self, path: &[u8]) -> bool {
        matches!(self.value(path, false, b"filter"), Some(Value::Text(text)) if text == b"lfs")
    }

    /// Returns whether placeholders in a file are substituted.
    pub(super) fn substitutes(&self, path: &[u8]) -> bool {
        self.value(path, false, b"export-subst") == Some(&Value::Set)
    }

    fn value(&self, path: &[u8], folder: bool, name: &[u8]) -> Option<&Value> {
        let base = path.iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1);
        let mut above = base;
        loop {
            let rules = self.rules.get(&path[..above]).map(Vec::as_slice).unwrap_or_default();
            for rule in rules.iter().rev().filter(|rule| rule.takes(&path[above..], &path[base..], folder)) {
                if let Some(value) = rule.words.iter().rev().find_map(|word| self.said(word, name, 0)) {
                    return Some(value);
                }
            }
            if above == 0 {
                return None;
            }
            above = path[..above - 1].iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1);
        }
    }

    /// Returns what a word sets an attribute to, directly or as a macro.
    fn said<'a>(&'a self, word: &'a Word, name: &[u8], depth: usize) -> Option<&'a Value> {
        if word.name == name {
            return Some(&word.value);
        }
        let words = self.macros.get(&word.name).filter(|_| word.value == Value::Set && depth < 10)?;
        words.iter().rev().find_map(|word| self.said(word, name, depth + 1))
    }
}

impl Rule {
    fn takes(&self, below: &[u8], last: &[u8], folder: bool) -> bool {
        let text = if self.anywhere { last } else { below };
        (folder || !self.only_folders) && pattern::matches(&self.pattern, text)
    }
}

fn rule(mut pattern: Vec<u8>, words: Vec<Word>) -> Rule {
    let only_folders = pattern.len() > 1 && pattern.ends_with(b"/");
    if only_folders {
        pattern.pop();
    }
    let anywhere = !pattern.contains(&b'/');
    if pattern.starts_with(b"/") {
        pattern.remove(0);
    }
    Rule { pattern, only_folders, anywhere, words }
}

/// Splits a line into its pattern and its attributes; `None` for comments and for lines that git skips.
fn split(line: &[u8]) -> Option<(Vec<u8>, Vec<Word>)> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
    let line = &line[line.iter().position(|b| !blank(b))?..];
    if line.starts_with(b"#") || line.len() >= 2048 {
        return None;
    }
    let (pattern, rest) = match line.strip_prefix(b"\"").and_then(unquoted) {
        Some(unquoted) => unquoted,
        None => {
            let end = line.iter().position(blank).unwrap_or(line.len());
            (line[..end].to_vec(), &line[end..])
        }
    };
    let words = rest.split(|b| blank(b)).filter(|word| !word.is_empty()).map(|word| match word {
        [b'-' | b'!', name @ ..] => Word { name: name.to_vec(), value: Value::Unset },
        word => match word.iter().position(|b| *b == b'=') {
            Some(end) => Word { name: word[..end].to_vec(), value: Value::Text(word[end + 1..].to_vec()) },
            None => Word { name: word.to_vec(), value: Value::Set },
        },
    });
    Some((pattern, words.collect()))
}

/// Reads a pattern in C's quotes, up to the closing one; returns the rest of the line, too.
fn unquoted(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut pattern = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((pattern, rest)),
            b'\\' => {
                let (&escape, after) = rest.split_first()?;
                rest = after;
                pattern.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'\\' | b'"' => escape,
                    b'0'..=b'3' => {
                        let digits = [escape, *rest.first()?, *rest.get(1)?];
                        rest = &rest[2..];
                        u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok()?
                    }
                    _ => return None,
                });
            }
            byte => pattern.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        git::{EntryKind, Tree, sample::Sample},
        release::tree::filling::commit_part,
    };
    use std::collections::BTreeSet;

    const FILES: [&str; 16] = [
        "a",
        "a.txt",
        "b.txt",
        "docs/a.txt",
        "docs/deep/a.txt",
        "docs/deep/b",
        "test/x",
        "src/test/x",
        "src/test.rs",
        "with space/y",
        "[z]",
        "src/a*b",
        "A.TXT",
        ".hidden",
        "src/.hidden/x",
        "docs/test",
    ];

    /// The attributes in the top folder, and those in `docs`.
    const RULES: [(&str, &str); 49] = [
        ("*.txt export-ignore", ""),
        ("/a.txt export-ignore", ""),
        ("docs export-ignore", ""),
        ("docs/ export-ignore", ""),
        ("test export-ignore", ""),
        ("test/ export-ignore", ""),
        ("/test/ export-ignore", ""),
        ("docs/* export-ignore", ""),
        ("docs/** export-ignore", ""),
        ("docs/deep/ export-ignore\ndocs/deep/a.txt -export-ignore", ""),
        ("**/a.txt export-ignore", ""),
        ("docs/**/a.txt export-ignore", ""),
        ("*.txt export-ignore", "a.txt -export-ignore"),
        ("*.txt export-ignore", "a.txt !export-ignore"),
        ("*.txt export-ignore\na.txt -export-ignore", ""),
        ("a.txt -export-ignore\n*.txt export-ignore", ""),
        ("*.txt -export-ignore", "*.txt export-ignore"),
        ("", "/a.txt export-ignore"),
        ("", "deep/a.txt export-ignore\ndeep/b export-ignore"),
        ("", "deep export-ignore"),
        ("[attr]drop export-ignore\n*.txt drop", ""),
        ("[attr]drop export-ignore\n*.txt -drop", ""),
        ("[attr]drop export-ignore\n[attr]more drop\na* more", ""),
        ("", "[attr]drop export-ignore\n*.txt drop"),
        ("*.txt export-ignore=yes", ""),
        ("*.txt export-ignore -export-ignore", ""),
        ("*.txt text export-ignore eol=lf", ""),
        ("!a.txt export-ignore", ""),
        ("# a.txt export-ignore", ""),
        ("   a.txt\texport-ignore\r", ""),
        ("\"with space/y\" export-ignore", ""),
        ("\"with\\040space\" export-ignore", ""),
        ("with?space export-ignore", ""),
        ("[[]z] export-ignore", ""),
        ("\\[z\\] export-ignore", ""),
        ("src/a\\*b export-ignore", ""),
        ("[[:upper:]]* export-ignore", ""),
        ("[!a-z.]* export-ignore", ""),
        (".* export-ignore", ""),
        (".hidden/ export-ignore", ""),
        ("* export-ignore", ""),
        ("/ export-ignore", ""),
        ("src export-ignore\nsrc/test.rs -export-ignore", ""),
        ("src/*/x export-ignore", ""),
        ("s**/x export-ignore", ""),
        ("d**/b export-ignore", ""),
        ("**\\/a.txt export-ignore", ""),
        ("?.txt export-ignore", ""),
        ("\u{feff}a.txt export-ignore", ""),
    ];

    /// Returns what git itself puts into an archive.
    fn archived(sample: &Sample) -> BTreeSet<String> {
        let out = std::process::Command::new("git")
            .args(["-C", sample.work.to_str().unwrap(), "archive", "--format=tar", "HEAD"])
            .output()
            .unwrap();
        let mut archive = tar::Archive::new(&out.stdout[..]);
        let names = archive.entries().unwrap().filter_map(|entry| {
            let entry = entry.unwrap();
            let file = entry.header().entry_type() == tar::EntryType::Regular;
            file.then(|| String::from_utf8(entry.path_bytes().into_owned()).unwrap())
        });
        names.collect()
    }

    #[test]
    fn what_is_kept_out_is_what_git_archive_keeps_out() {
        let sample = Sample::new();
        FILES.iter().for_each(|file| sample.write(file, b"x"));
        for (n, (top, docs)) in RULES.into_iter().enumerate() {
            sample.write(".gitattributes", top.as_bytes());
            sample.write("docs/.gitattributes", docs.as_bytes());
            let commit = sample.commit_all();
            let rules = crate::fleet::TreeRules::default();
            let tree = commit_part(Tree::read(&sample.repository(), &commit).unwrap(), &rules, &sample.work).unwrap();
            let ours: BTreeSet<String> = super::super::export::exported(&tree)
                .unwrap()
                .into_iter()
                .filter(|kept| matches!(kept.entry.kind, EntryKind::File { .. }))
                .map(|kept| String::from_utf8(kept.entry.path.clone()).unwrap())
                .collect();
            assert_eq!(ours, archived(&sample), "case {n}: {top:?} {docs:?}");
        }
    }
}
