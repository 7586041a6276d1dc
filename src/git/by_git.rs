//! Reads a repository with the user's git, which supports formats that libgit2 doesn't.
use super::{
    EntryKind, GitError, LoggedCommit, NamedCommit, Repository, TreeEntry,
    branch::Branch,
    cat_file::Batch,
    entry::{TreeNode, kind_of, lacking},
    id::{many, whole},
    process::{GitEnded, read},
    refused::refused,
    visible::visible,
};
use std::sync::Mutex;

/// A repository that is read by calls of git.
pub(super) struct ByGit {
    at: Repository,
    /// Reads files; started with the first one.
    batch: Mutex<Option<Batch>>,
}

impl ByGit {
    pub(super) fn new(at: &Repository) -> Self {
        Self { at: at.clone(), batch: Mutex::default() }
    }

    fn ask(&self, args: &[&str], input: &str) -> Result<Vec<u8>, GitError> {
        let (ended, out) = read(&self.at, args, input)?;
        if ended.ok { Ok(out) } else { Err(self.failed(&ended)) }
    }

    fn said(&self, args: &[&str], input: &str) -> Result<String, GitError> {
        Ok(String::from_utf8_lossy(&self.ask(args, input)?).trim_end_matches('\n').to_owned())
    }

    fn failed(&self, ended: &GitEnded) -> GitError {
        refused(self.at.work.as_deref().unwrap_or(&self.at.folder), ended)
    }

    pub(super) fn below(&self, prefix: &str) -> Result<Vec<NamedCommit>, GitError> {
        let format = "--format=%(refname)%00%(objecttype) %(objectname)%00%(*objecttype) %(*objectname)";
        let (stars, deep) = (format!("{prefix}*"), format!("{prefix}*/**"));
        // A pattern without a star ends at a slash.
        let patterns = if prefix.ends_with('/') { vec![prefix] } else { vec![stars.as_str(), &deep] };
        let text = self.ask(&[&["for-each-ref", format], &patterns[..]].concat(), "")?;
        let mut found = Vec::new();
        for line in text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()) {
            let mut parts = line.split('\0');
            let (Some(full), Some(own), Some(inner)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let Some(name) = full.strip_prefix(prefix) else { continue };
            let commit = match (own.strip_prefix("commit "), inner.strip_prefix("commit ")) {
                (Some(commit), _) | (_, Some(commit)) => Some(commit.to_owned()),
                // A tag that names another tag.
                _ if inner.starts_with("tag ") => self.peeled(full),
                _ => None,
            };
            found.extend(commit.map(|commit| NamedCommit { name: name.to_owned(), commit }));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    pub(super) fn peeled(&self, name: &str) -> Option<String> {
        let name = format!("{name}^{{commit}}");
        self.said(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name], "").ok()
    }

    pub(super) fn beginning(&self, digits: &str) -> Result<Option<String>, GitError> {
        let all = self.said(&["rev-parse", &format!("--disambiguate={digits}")], "")?;
        let all: Vec<&str> = all.lines().collect();
        match all[..] {
            [] => Ok(None),
            [one] => {
                let kind = self.said(&["cat-file", "-t", one], "")?;
                Ok((kind == "commit").then(|| one.to_owned()))
            }
            _ => Err(many(digits)),
        }
    }

    pub(super) fn at(&self, commit: &str) -> Result<i64, GitError> {
        let unknown = || GitError::Unknown { reference: visible(commit), near: Vec::new() };
        if !whole(commit) {
            return Err(unknown());
        }
        let raw = self.said(&["cat-file", "commit", commit], "").map_err(|_| unknown())?;
        let line = raw.lines().find(|line| line.starts_with("committer ")).ok_or_else(unknown)?;
        // The committer's name can contain any text. The time and the zone are the last two words.
        line.rsplit(' ').nth(1).and_then(|at| at.parse().ok()).ok_or_else(unknown)
    }

    pub(super) fn holds<'a>(&self, tips: impl Iterator<Item = &'a str>, commit: &str) -> Result<bool, GitError> {
        let input: String = tips.map(|tip| format!("^{tip}\n")).collect();
        Ok(self.said(&["rev-list", "--max-count=1", "--stdin"], &format!("{commit}\n{input}"))?.is_empty())
    }

    pub(super) fn only_in(
        &self,
        here: &str,
        not_here: &str,
        most: usize,
        folder: Option<&str>,
    ) -> Result<(Vec<LoggedCommit>, bool), GitError> {
        let count = format!("--max-count={}", most + 1);
        let format = "--format=%an%x00%ct%x00%s";
        let not = format!("^{not_here}");
        let mut args = vec!["--literal-pathspecs", "rev-list", "--date-order", &count, format, "--encoding=UTF-8"];
        args.extend([here, &not, "--"]);
        args.extend(folder);
        let text = self.said(&args, "")?;
        let mut found = Vec::new();
        let mut lines = text.lines();
        while let (Some(head), Some(line)) = (lines.next(), lines.next()) {
            let commit = head.strip_prefix("commit ").unwrap_or(head).to_owned();
            let mut parts = line.splitn(3, '\0').map(|part| part.trim().to_owned());
            let mut next = || parts.next().unwrap_or_default();
            let (author, at, subject) = (next(), next().parse().unwrap_or_default(), next());
            found.push(LoggedCommit { commit, subject, author, at });
        }
        let more = found.len() > most;
        found.truncate(most);
        Ok((found, more))
    }

    pub(super) fn ahead(&self, here: &str, not_here: &str) -> Result<usize, GitError> {
        let text = self.said(&["rev-list", "--count", here, &format!("^{not_here}")], "")?;
        text.parse().map_err(|_| GitError::Read(format!("git counts `{}` commits", visible(&text))))
    }

    pub(super) fn followed(&self) -> Result<Option<Branch>, GitError> {
        let Ok(head) = self.said(&["symbolic-ref", "--quiet", "HEAD"], "") else { return Ok(None) };
        let format =
            "--format=%(refname)%00%(upstream)%00%(upstream:short)%00%(upstream:remotename)%00%(upstream:remoteref)";
        let text = self.said(&["for-each-ref", format, &head], "")?;
        let Some(line) = text.lines().find(|line| line.split('\0').next() == Some(&head)) else { return Ok(None) };
        let parts: Vec<&str> = line.split('\0').collect();
        let [_, upstream, shown, remote, name] = parts[..] else { return Ok(None) };
        let (Some(own), Some(known)) = (self.peeled(&head), self.peeled(upstream)) else { return Ok(None) };
        Ok(Some(Branch { shown: shown.to_owned(), remote: remote.to_owned(), name: name.to_owned(), own, known }))
    }

    pub(super) fn tree(&self, commit: &str, nodes: &mut Vec<TreeNode>) -> Result<(), GitError> {
        let (ended, out) = read(&self.at, &["ls-tree", "-r", "-t", "-z", "-l", "--full-tree", commit], "")?;
        if !ended.ok {
            return Err(lacking(&ended.why()));
        }
        let strange = || GitError::Read("git lists a tree in an unknown form".to_owned());
        for line in out.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(strange)?;
            let head = std::str::from_utf8(&line[..tab]).map_err(|_| strange())?;
            let fields: Vec<&str> = head.split(' ').filter(|field| !field.is_empty()).collect();
            let [mode, _, id, size] = fields[..] else { return Err(strange()) };
            let kind = kind_of(u32::from_str_radix(mode, 8).map_err(|_| strange())?)?;
            let entry = TreeEntry { path: line[tab + 1..].to_vec(), kind };
            let size = matches!(kind, EntryKind::File { .. }).then(|| size.parse().ok()).flatten();
            nodes.push((entry, id.to_owned(), size));
        }
        Ok(())
    }

    pub(super) fn has_folder(&self, commit: &str, path: &str) -> Option<bool> {
        let path = path.trim_end_matches('/');
        let args = ["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path];
        let line = self.said(&args, "").ok()?;
        Some(line.split(' ').nth(1)? == "tree")
    }

    pub(super) fn size(&self, file: &str) -> Result<u64, GitError> {
        let text = self.said(&["cat-file", "-s", file], "")?;
        text.parse().map_err(|_| GitError::Read(format!("git reports that it has `{}` bytes", visible(&text))))
    }

    pub(super) fn content(&self, file: &str) -> Result<Vec<u8>, GitError> {
        let mut batch = self.batch.lock().unwrap();
        if batch.is_none() {
            *batch = Some(Batch::open(&self.at)?);
        }
        batch.as_mut().expect("it was opened").content(file)
    }
}
