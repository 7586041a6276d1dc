//! What ssh printed about its options, kept for later runs as long as nothing that decides it has changed.
use super::{folder::SshFolder, hop::Hop, included, ssh_options::SshOptions};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, env, fs, os::unix::fs::MetadataExt, path::PathBuf, sync::Mutex, time::Duration};

/// How long what an older configuration says is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How the names of the files end.
const END: &str = ".options";

/// The answers of `ssh -G` for one configuration.
pub(crate) struct SshAnswers {
    /// Where they are kept; none if the same question may have another answer later.
    file: Option<(SshFolder, String)>,
    answers: Mutex<Answers>,
}

/// What `ssh -G` printed, by what it was asked for.
#[derive(Default)]
struct Answers {
    by_hop: BTreeMap<String, String>,
    has_grown: bool,
}

impl SshAnswers {
    /// Reads what is kept for a configuration.
    ///
    /// `texts` are all texts of the configuration, with everything that it includes.
    pub(crate) fn of(folder: &SshFolder, texts: &[&str]) -> SshAnswers {
        let digest = digest(texts);
        let file = digest.map(|digest| (folder.clone(), format!("{digest}{END}")));
        let read = |(folder, name): &(SshFolder, String)| fs::read_to_string(folder.path(name)).ok();
        let kept = file.as_ref().and_then(read).and_then(|text| serde_json::from_str(&text).ok());
        let answers = Answers { by_hop: kept.unwrap_or_default(), has_grown: false };
        SshAnswers { file, answers: Mutex::new(answers) }
    }

    /// Returns the options of a hop, if they are known.
    pub(super) fn known(&self, hop: &Hop) -> Option<SshOptions> {
        self.answers.lock().unwrap().by_hop.get(&hop.key()).map(|text| SshOptions::of(text))
    }

    /// Adds what ssh printed about a hop.
    pub(super) fn learn(&self, hop: &Hop, said: &str) {
        let mut answers = self.answers.lock().unwrap();
        answers.by_hop.insert(hop.key(), said.to_owned());
        answers.has_grown = true;
    }
}

impl Drop for SshAnswers {
    fn drop(&mut self) {
        let answers = self.answers.lock().unwrap();
        let Some((folder, name)) = self.file.as_ref().filter(|_| answers.has_grown) else { return };
        // A later run asks again if this can't be written.
        let text = serde_json::to_string(&answers.by_hop).unwrap_or_default();
        if folder.write(name, &text).is_ok() {
            sweep(folder, name);
        }
    }
}

/// Removes what was kept for configurations that nobody has used for long.
fn sweep(folder: &SshFolder, own: &str) {
    for entry in fs::read_dir(folder.path("")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let age = entry.metadata().ok().and_then(|about| about.modified().ok()?.elapsed().ok());
        if name.ends_with(END) && name != own && age.is_some_and(|age| age > KEPT) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns a digest of what decides the answers; none if something else may decide them, too.
fn digest(texts: &[&str]) -> Option<String> {
    let elsewhere = |line: &str| {
        let words = included::words(line);
        let is = |option: &str| words.first().is_some_and(|word| word.eq_ignore_ascii_case(option));
        // The environment, which ssh puts in before it prints; a name server; or a file that only ssh finds.
        words.iter().any(|word| word.contains("${"))
            || included::is_elsewhere(&words)
            || (is("canonicalizehostname") && words.get(1).is_none_or(|value| !value.eq_ignore_ascii_case("no")))
    };
    if texts.iter().any(|text| text.lines().any(elsewhere)) {
        return None;
    }
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(Sha256::digest(text));
    }
    let (program, about) = ssh()?;
    digest.update(format!("{} {} {}:{}", program.display(), about.len(), about.mtime(), about.mtime_nsec()));
    for variable in ["HOME", "USER", "LOGNAME"] {
        digest.update(format!("{:?}\n", env::var_os(variable)));
    }
    digest.update(format!("{} {:?}", rustix::process::getuid().as_raw(), rustix::system::uname().nodename()));
    Some(hex::encode(digest.finalize()))
}

/// Returns the ssh that would be started.
fn ssh() -> Option<(PathBuf, fs::Metadata)> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).find_map(|folder| {
        let program = folder.join("ssh");
        fs::metadata(&program).ok().filter(fs::Metadata::is_file).map(|about| (program, about))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_until_something_that_decides_it_changes() {
        let runtime = tempfile::tempdir().unwrap();
        let folder = SshFolder::make(Some(runtime.path())).unwrap();
        let hop = |place: &str| Hop { place: place.into(), ..Hop::default() };
        let before = SshAnswers::of(&folder, &["Host a", "Port 1"]);
        assert_eq!(before.known(&hop("a")), None);
        before.learn(&hop("a"), "port 1\n");
        drop(before);
        let known = |texts: &[&str], place: &str| SshAnswers::of(&folder, texts).known(&hop(place));
        assert_eq!(known(&["Host a", "Port 1"], "a"), Some(SshOptions::of("port 1\n")));
        assert_eq!(known(&["Host a", "Port 1"], "b"), None);
        assert_eq!(known(&["Host a", "Port 2"], "a"), None);
    }

    #[test]
    fn an_answer_that_more_than_the_files_decides_is_not_kept() {
        for text in [
            "Include ${X}/y",
            "Host a\n include \"%d/x\"",
            "CanonicalizeHostname yes",
            "IdentityAgent ${X}/agent",
            "UserKnownHostsFile /a ${X}",
        ] {
            assert_eq!(digest(&[text]), None, "{text}");
        }
        assert!(digest(&["Include ~/x", "CanonicalizeHostname no"]).is_some());
    }
}
