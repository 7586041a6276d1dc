//! The files that an ssh configuration includes, directly or indirectly.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The most files that are read; ssh itself stops at 16 nested files.
const MOST: usize = 1000;

/// Reads the texts of all included files, even of a file that ssh reads only for some hosts, and of every file that a
/// pattern may match.
pub(super) fn texts(text: &str, home: &Path) -> Vec<String> {
    let (mut texts, mut seen) = (Vec::new(), BTreeSet::new());
    let mut ahead = files(text, home);
    while let Some(file) = ahead.pop() {
        if seen.len() == MOST {
            break;
        }
        if !seen.insert(file.clone()) {
            continue;
        }
        // ssh itself reports a file that it can't read.
        let Ok(text) = fs::read(&file) else { continue };
        let text = String::from_utf8_lossy(&text).into_owned();
        ahead.extend(files(&text, home));
        texts.push(text);
    }
    texts.sort();
    texts
}

/// Returns whether a text sets an option for any host.
pub(super) fn sets(text: &str, option: &str) -> bool {
    text.lines().any(|line| words(line).first().is_some_and(|word| word.eq_ignore_ascii_case(option)))
}

/// Returns whether the words of a line include files that only ssh finds: another user's, or those whose names depend
/// on the environment, or have quotes and escapes that aren't read here.
pub(super) fn is_elsewhere(words: &[String]) -> bool {
    let is_unread =
        |name: &String| name.contains(['$', '%', '\'', '\\']) || (name.starts_with('~') && !name.starts_with("~/"));
    words.split_first().is_some_and(|(word, names)| word.eq_ignore_ascii_case("include") && names.iter().any(is_unread))
}

fn files(text: &str, home: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in text.lines() {
        let words = words(line);
        let Some((keyword, names)) = words.split_first() else { continue };
        if keyword.eq_ignore_ascii_case("include") {
            names.iter().for_each(|name| files.extend(meant(name, home)));
        }
    }
    files
}

/// Returns the files that a name or pattern of an `Include` may mean.
fn meant(name: &str, home: &Path) -> Vec<PathBuf> {
    let path = match name.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => home.join(".ssh").join(name),
    };
    let mut found = matching(&path);
    found.retain(|path| path.is_file());
    found
}

/// Returns what a path leads to, in which `*`, `?` and `[` stand for anything.
pub(super) fn matching(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let text = part.as_os_str().to_string_lossy();
        let is_pattern = text.contains(['*', '?', '[']);
        let within = |folder: &PathBuf| {
            if is_pattern {
                fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
            } else {
                vec![folder.join(part)]
            }
        };
        found = found.iter().flat_map(within).take(MOST).collect();
    }
    found.retain(|path| path.exists());
    found
}

/// Returns the words of a line; the first may be followed by `=`.
pub(super) fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    if line.starts_with('#') {
        return Vec::new();
    }
    let (keyword, rest) = line.split_at(line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len()));
    let rest = rest.trim_start().strip_prefix('=').unwrap_or(rest);
    let (mut words, mut word, mut quoted) = (vec![keyword.to_owned()], String::new(), false);
    for c in rest.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_however_they_are_included_and_each_once() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = home.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        put(".ssh/config", "Include conf.d/*.conf\nHost a\n  include=\"~/two words\"\n# Include none\n");
        put(".ssh/conf.d/a.conf", "Match host b\n\tINCLUDE deep/./c ~/missing\n");
        put(".ssh/conf.d/b.conf", "Include ~/.ssh/config");
        put(".ssh/deep/c", "HostName c");
        put("two words", "HostName two");
        put(".ssh/other", "HostName other");
        let text = format!("Host *\n    Include \"{}\"\n", home.path().join(".ssh/config").display());
        let texts = texts(&text, home.path());
        assert_eq!(texts.len(), 5, "{texts:?}");
        for needed in ["HostName c", "HostName two"] {
            assert!(texts.iter().any(|text| text == needed), "{needed}");
        }
    }

    #[test]
    fn an_option_is_seen_in_any_case_and_not_in_a_comment_or_a_value() {
        for set in ["GlobalKnownHostsFile /x", "  globalknownhostsfile=/x", "Host a\n\tGLOBALKNOWNHOSTSFILE \"/x\""] {
            assert!(sets(set, "GlobalKnownHostsFile"), "{set}");
        }
        for not in ["# GlobalKnownHostsFile /x", "UserKnownHostsFile /GlobalKnownHostsFile", ""] {
            assert!(!sets(not, "GlobalKnownHostsFile"), "{not}");
        }
    }
}
