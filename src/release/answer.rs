//! Reads the answers of the programs on a host. A line that a program never prints is an error.
use super::{
    error::{Amount, ReleaseError},
    name::lower_hex,
    program::Program,
};
use crate::{
    control::{brief, shown},
    port::Ended,
};

/// Returns whether a word is a digest with `length` digits.
pub(super) fn digits(text: &str, length: usize) -> bool {
    text.len() == length && lower_hex(text)
}

/// Reads a hex word back as text.
pub(super) fn text(word: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&hex::decode(word).ok()?).into_owned())
}

/// A program's whole answer, without its trailer.
pub(super) struct AnswerLines<'a> {
    program: Program,
    lines: Vec<&'a str>,
}

impl<'a> AnswerLines<'a> {
    /// Takes an answer that is complete and reports no failure.
    pub(super) fn of(program: Program, ended: &'a Ended) -> Result<Self, ReleaseError> {
        let no_end = |why: String| ReleaseError::NoEnd { program: program.name(), why };
        let said = String::from_utf8_lossy(&ended.err);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
        let why = format!("status {}, {}", ended.status, brief(last, 300));
        if ended.cut {
            return Err(no_end("its answer is too long".to_owned()));
        }
        let out = std::str::from_utf8(&ended.out).map_err(|_| no_end("its answer isn't text".to_owned()))?;
        let trailer = format!("end {}\n", program.name());
        let Some(out) = out.strip_suffix(&trailer).filter(|out| out.is_empty() || out.ends_with('\n')) else {
            return Err(no_end(why));
        };
        let lines = Self { program, lines: out.lines().collect() };
        match (ended.status, lines.lines.split_last()) {
            (0, _) => Ok(lines),
            (3, Some((last, before))) => match last.strip_prefix("failed ") {
                Some(failure) => Err(failed(failure, before).unwrap_or_else(|| lines.nonsense(last))),
                None => Err(lines.nonsense(last)),
            },
            _ => Err(no_end(why)),
        }
    }

    /// Reads each line as a word and its arguments; an unknown line is an error.
    pub(super) fn each<T>(&self, mut read: impl FnMut(&str, &[&str]) -> Option<T>) -> Result<Vec<T>, ReleaseError> {
        let one = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            read(words[0], &words[1..]).ok_or_else(|| self.nonsense(line))
        };
        self.lines.iter().map(one).collect()
    }

    /// Makes the error for a line that the program never prints.
    pub(super) fn nonsense(&self, line: &str) -> ReleaseError {
        ReleaseError::Nonsense { program: self.program.name(), line: format!("`{}`", brief(line, 200)) }
    }
}

/// Reads which failure a program reported; `before` holds the lines with the details.
fn failed(failure: &str, before: &[&str]) -> Option<ReleaseError> {
    let words: Vec<&str> = failure.split(' ').collect();
    let decoded = |word: &str| text(word).map(|text| shown(&text));
    let named = |kind: &str| -> Vec<String> {
        before.iter().filter_map(|line| decoded(line.strip_prefix(kind)?.strip_prefix(' ')?)).collect()
    };
    Some(match words[..] {
        ["absent" | "no-folder"] => ReleaseError::NotSetUp("its path"),
        ["not-set-up"] => ReleaseError::NotSetUp("`releases`, `shared` or `.rfab`"),
        ["missing", ..] => ReleaseError::Missing(shown(&words[1..].join(" "))),
        ["make", path] => ReleaseError::CannotMake(decoded(path)?),
        ["owner", path] => ReleaseError::Owner(decoded(path)?),
        ["others", path] => ReleaseError::Others(decoded(path)?),
        ["link"] => ReleaseError::Led,
        ["link", path] => ReleaseError::IsLink(decoded(path)?),
        ["foreign", tool] => ReleaseError::Foreign(text(tool)?),
        ["current-folder", path] => ReleaseError::CurrentFolder(decoded(path)?),
        ["apart"] => ReleaseError::Apart,
        ["space" | "inodes", need, free] => {
            let amount = if words[0] == "space" { Amount::Bytes } else { Amount::Inodes };
            let big = |line: &&str| {
                let (size, path) = line.strip_prefix("biggest ")?.split_once(' ')?;
                Some((size.parse().ok()?, decoded(path)?))
            };
            let biggest = before.iter().filter_map(big).collect();
            ReleaseError::Full { need: amount(need.parse().ok()?), free: amount(free.parse().ok()?), biggest }
        }
        ["short", got] => ReleaseError::Short { got: got.parse().ok()?, bytes: 0 },
        ["short"] => ReleaseError::Cut { bytes: 0 },
        ["base" | "drifted", ..] => return earlier_failed(&words, before),
        ["manifest", ..] => ReleaseError::Archive("it has a different manifest".to_owned()),
        ["archive", "name", name] => ReleaseError::Archive(format!("it has `{}`", decoded(name)?)),
        ["archive", ..] => ReleaseError::Archive(shown(&words[1..].join(" "))),
        ["unpack", why] => ReleaseError::Unpack(decoded(why)?),
        ["tree"] => ReleaseError::Differs([named("missing"), named("extra"), named("changed")].concat()),
        ["linked"] => match (named("linked-file").first(), named("linked-folder").first()) {
            (Some(_), _) => ReleaseError::LinkedFile(named("linked-file").join("`, `shared/")),
            (None, Some(folder)) => ReleaseError::LinkedFolder(folder.clone()),
            (None, None) => return None,
        },
        ["taken"] => ReleaseError::Taken,
        ["another", there, wanted] if digits(there, 64) && digits(wanted, 64) => {
            ReleaseError::Another { there: there.to_owned(), wanted: wanted.to_owned() }
        }
        ["id-taken"] => ReleaseError::IdTaken,
        ["torn"] => ReleaseError::Torn,
        ["not-staged"] => ReleaseError::NotStaged,
        ["not-a-link" | "current"] => ReleaseError::StrangeCurrent,
        ["write"] => ReleaseError::Host("write".to_owned()),
        ["assets"] => ReleaseError::Host("copy the assets of other releases".to_owned()),
        ["sync"] => ReleaseError::Host("flush the files to the disk".to_owned()),
        ["look" | "stat"] => ReleaseError::Host("read the tree".to_owned()),
        ["place" | "read-back"] => ReleaseError::Host("rename".to_owned()),
        ["proc"] => ReleaseError::Host("read `/proc`, to see which releases run".to_owned()),
        ["path" | "id" | "name" | "keep"] => ReleaseError::Host(format!("use the given {}", words[0])),
        _ => return None,
    })
}

/// Reads what is wrong with the earlier release that a new one was to be built upon.
fn earlier_failed(words: &[&str], before: &[&str]) -> Option<ReleaseError> {
    let path = |line: &&str| Some(text(line.strip_prefix("drifted ")?)?.strip_prefix("./")?.to_owned());
    Some(match words {
        ["base", "gone"] => ReleaseError::Base("it isn't there any more"),
        ["base", "another"] => ReleaseError::Base("it has a different manifest"),
        ["base", "copy"] => ReleaseError::Base("its files can't be copied"),
        ["base", "tools"] => ReleaseError::Base("the host lacks a tool for it"),
        ["base", "differs"] => ReleaseError::Base("it isn't what was staged"),
        ["drifted"] => ReleaseError::Drifted(before.iter().map(path).collect::<Option<_>>()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{listed, set_up};

    fn ended(status: i32, out: &str) -> Ended {
        Ended { status, out: out.into(), err: b"sh: \x1b[2Jgone\n".to_vec(), cut: false }
    }

    #[test]
    fn an_answer_without_its_end_is_unknown() {
        for (status, out) in [
            (0, ""),
            (0, "current-none\n"),
            (0, "current-none\nend stage\n"),
            (0, "current-none\nend list"),
            (0, "current-none end list\n"),
            (255, "current-none\nend list\n"),
            (137, "current-none\nend list\n"),
        ] {
            let failed = listed(&ended(status, out)).unwrap_err();
            assert!(matches!(failed, ReleaseError::NoEnd { program: "list", .. }), "{out:?}: {failed:?}");
            assert!(!failed.to_string().contains('\x1b'));
            assert_eq!(crate::failure::Failure::from(failed).reason(), crate::failure::Reason::Unknown);
        }
        let cut = Ended { cut: true, ..ended(0, "current-none\nend list\n") };
        assert!(matches!(listed(&cut), Err(ReleaseError::NoEnd { .. })));
    }

    #[test]
    fn a_line_that_the_program_never_says_is_an_error() {
        let name = "0001-000000000000";
        let (commit, digest) = ("0".repeat(40), "1".repeat(64));
        let good = format!("release {name} {commit} {digest}\ncurrent {name}\nend list\n");
        assert_eq!(listed(&ended(0, &good)).unwrap().releases.len(), 1);
        for (from, to) in [
            ("current ", "currently "),
            ("release ", "Welcome to web1!\nrelease "),
            (&*commit, "1234567890123456789012345678901234567890"),
            (&*digest, "1"),
            ("current 0001-000000000000\n", ""),
            ("end list", "current-none\nend list"),
            ("end list", "\nend list"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert!(matches!(listed(&ended(0, &bad)), Err(ReleaseError::Nonsense { .. })), "{bad:?}");
        }
        assert!(matches!(listed(&ended(3, "failed oddly\nend list\n")), Err(ReleaseError::Nonsense { .. })));
        assert!(matches!(listed(&ended(3, "end list\n")), Err(ReleaseError::NoEnd { .. })));
        assert_eq!(listed(&ended(3, "failed absent\nend list\n")), Err(ReleaseError::NotSetUp("its path")));
    }

    #[test]
    fn a_commit_has_40_digits_or_64_in_each_answer() {
        for length in [40, 64] {
            let (commit, digest) = ("0".repeat(length), "1".repeat(64));
            let release = format!("release 0001-000000000000 {commit} {digest}\ncurrent 0001-000000000000\nend list\n");
            assert_eq!(listed(&ended(0, &release)).unwrap().releases[0].commit, commit);
            let foreign = format!("current-foreign -\nrevision {commit}\nend list\n");
            assert_eq!(listed(&ended(0, &foreign)).unwrap().revision.as_ref(), Some(&commit));
            let adopted = format!("revision {commit}\nend setup\n");
            assert_eq!(set_up(&ended(0, &adopted)).unwrap().1.commit, Some(commit));
        }
        for length in [39, 41, 63, 65] {
            let foreign = format!("current-foreign -\nrevision {}\nend list\n", "0".repeat(length));
            assert!(listed(&ended(0, &foreign)).is_err(), "{length}");
        }
    }

    #[test]
    fn a_full_disk_names_what_takes_the_most() {
        let out = format!("biggest 2048 {}\nfailed space 3145728 1048576\nend setup\n", hex::encode("releases/x\n"));
        assert_eq!(
            set_up(&ended(3, &out)).unwrap_err().to_string(),
            "the disk has 1.0 MiB free, but 3.0 MiB are needed; `releases/x\\n` has 2.0 MiB"
        );
    }
}
