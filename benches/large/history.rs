//! A large history, as `git fast-import` reads it. It's the same each time.
use std::{
    io::{BufWriter, Result, Write},
    path::Path,
    process::{Command, Stdio},
};

pub const COMMITS: usize = 50_000;
pub const BRANCHES: usize = 5_000;
pub const TAGS: usize = 20_000;
pub const FILES: usize = 20_000;

/// Makes a bare repository with the history.
///
/// Each commit of `develop` is released: `production` merges it, and has an annotated tag there. Every fourth one is
/// where a feature branch of two commits begins.
pub fn make(folder: &Path) -> Result<()> {
    let git = |words: &[&str]| -> Result<()> {
        let ended = Command::new("git").arg("-C").arg(folder).args(words).status()?;
        assert!(ended.success(), "git {words:?}");
        Ok(())
    };
    git(&["init", "-q", "--bare", "-b", "production"])?;
    git(&["config", "uploadpack.allowFilter", "true"])?;
    let mut import = Command::new("git");
    import.arg("-C").arg(folder).args(["fast-import", "--quiet", "--done"]).stdin(Stdio::piped());
    let mut import = import.spawn()?;
    let out = BufWriter::new(import.stdin.take().expect("piped"));
    History { out, commits: 0 }.write()?;
    assert!(import.wait()?.success(), "git fast-import");
    // As a server keeps it.
    git(&["pack-refs", "--all"])?;
    git(&["repack", "-a", "-d", "-q"])
}

struct History<W> {
    out: W,
    commits: usize,
}

impl<W: Write> History<W> {
    fn write(mut self) -> Result<()> {
        let all = (0..FILES).map(|at| (path(at), content(&format!("file {at}"))));
        let first: Vec<_> = [("VERSION".to_owned(), "2.99.99\n".to_owned())].into_iter().chain(all).collect();
        let mut develop = self.commit("develop", "begin", &[], &first)?;
        let mut production = 0;
        for at in 0..TAGS {
            let change = [(path(at * 7), content(&format!("change {at}")))];
            if at > 0 {
                let parents = [develop, production];
                let merges = if at % 100 == 0 { 2 } else { 1 };
                develop = self.commit("develop", &format!("change {at}"), &parents[..merges], &change)?;
            }
            if at % (TAGS / BRANCHES) == 0 {
                self.feature(at, develop)?;
            }
            let parents = if at == 0 { vec![develop] } else { vec![production, develop] };
            production = self.commit("production", &format!("release {at}"), &parents, &change)?;
            self.tag(at, production)?;
        }
        assert_eq!(self.commits, COMMITS);
        self.out.write_all(b"done\n")?;
        self.out.flush()
    }

    fn feature(&mut self, at: usize, base: usize) -> Result<()> {
        let name = format!("feature/{at}");
        let half = self.commit(&name, "half", &[base], &[(path(at * 11), content(&format!("half {at}")))])?;
        self.commit(&name, "whole", &[half], &[(path(at * 13), content(&format!("whole {at}")))]).map(drop)
    }

    /// Writes a commit to a branch, and returns its mark.
    fn commit(&mut self, branch: &str, what: &str, parents: &[usize], files: &[(String, String)]) -> Result<usize> {
        self.commits += 1;
        let (mark, at) = (self.commits, 1_400_000_000 + self.commits * 600);
        let who = format!("Anna <anna@example.org> {at} +0000");
        write!(self.out, "commit refs/heads/{branch}\nmark :{mark}\nauthor {who}\ncommitter {who}\n")?;
        write!(self.out, "data {}\n{what}\n", what.len())?;
        for (word, parent) in ["from", "merge"].iter().zip(parents) {
            writeln!(self.out, "{word} :{parent}")?;
        }
        for (path, content) in files {
            write!(self.out, "M 100644 inline {path}\ndata {}\n{content}\n", content.len())?;
        }
        writeln!(self.out)?;
        Ok(mark)
    }

    fn tag(&mut self, at: usize, commit: usize) -> Result<()> {
        let name = format!("v{}.{}.{}", at / 7_000, at % 7_000 / 70, at % 70);
        let when = 1_400_000_000 + self.commits * 600;
        write!(self.out, "tag {name}\nfrom :{commit}\ntagger Anna <anna@example.org> {when} +0000\n")?;
        write!(self.out, "data {}\n{name}\n", name.len())
    }
}

fn path(at: usize) -> String {
    let at = at % FILES;
    format!("app/{:03}/{:03}.txt", at % 200, at / 200)
}

/// Returns a file of some twenty lines.
fn content(first: &str) -> String {
    format!("{first}\n{}", "a line that never changes\n".repeat(20))
}
