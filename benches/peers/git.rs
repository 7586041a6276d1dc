//! What rfab does with a repository, beside git: the newest of 100,000 tags, and the packing of a tree.
use super::{Asked, app, contender::Rounds, cost::Cost, machine, results::Part};
use lab::{Lab, Plan};
use rfab::{
    fleet::TreeRules,
    release::{PackedTrees, Packing},
};
use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

pub const NEWEST: &str = "the newest stable tag of 100,000";
pub const PACKED: &str = "packing 51 MB in 3,000 files with gzip";

pub fn measure(_: &Asked, part: &mut Part) {
    let lab = Lab::start(Plan::new());
    let mut rounds = Rounds::default();
    tags(&lab, part, &mut rounds);
    packing(&lab, part, &mut rounds);
    rounds.end(part);
}

fn tags(lab: &Lab, part: &Part, rounds: &mut Rounds) {
    let folder = lab.folder.join("tagged");
    make_tags(&folder);
    let at = folder.display();
    let fabfile = "fn stable() { ui::note(git::newest_stable_tag()); }\nfn nothing() { ui::note(\"\"); }\n";
    std::fs::write(folder.join("fabfile.rhai"), fabfile).expect("a fabfile");
    let rfab = machine::binary();
    for _ in 0..part.rounds {
        let git = format!("cd {at} && git tag --sort=-v:refname | head -1");
        rounds.add(NEWEST, "git tag", || Cost::of(lab, &git));
        rounds.add(NEWEST, "rfab", || Cost::of(lab, &format!("cd {at} && {rfab} -q stable")));
        rounds
            .add(NEWEST, "rfab, a task that does nothing", || Cost::of(lab, &format!("cd {at} && {rfab} -q nothing")));
    }
}

/// Makes a repository with 100,000 annotated tags of 1,000 commits.
fn make_tags(folder: &Path) {
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(words);
        command
    };
    let done = |mut command: Command| assert!(command.status().expect("git").success(), "{command:?}");
    std::fs::create_dir_all(folder).expect("a folder");
    done(git(&["init", "--quiet", "--initial-branch=main"]));
    let mut text = String::new();
    for commit in 1..=1000 {
        let _ = write!(
            text,
            "commit refs/heads/main\nmark :{commit}\ncommitter Lab <lab@localhost> {} +0000\ndata 1\nx\n\
             M 100644 inline file\ndata 4\n{commit:04}\n",
            1_700_000_000 + commit
        );
    }
    for tag in 0..100_000 {
        let _ = write!(
            text,
            "tag v{}.{}.{}\nfrom :{}\ntagger Lab <lab@localhost> 1700000000 +0000\ndata 1\nx\n",
            tag / 2500,
            tag / 25 % 100,
            tag % 25,
            tag % 1000 + 1
        );
    }
    let mut import = git(&["fast-import", "--quiet"]);
    let mut child = import.stdin(Stdio::piped()).spawn().expect("git");
    child.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("git reads it");
    assert!(child.wait().expect("git").success());
    done(git(&["pack-refs", "--all"]));
}

fn packing(lab: &Lab, part: &Part, rounds: &mut Rounds) {
    let project = &lab.project;
    app::write(&project.folder);
    let commit = project.release("v4.0.0");
    let repository = project.folder.display().to_string();
    let cache = tempfile::tempdir().expect("a folder");
    for _ in 0..part.rounds {
        let line = format!("git archive v4.0.0 | gzip > {}/archive.tgz", lab.folder.join("tmp").display());
        rounds.add(PACKED, "git archive | gzip", || Cost::of(lab, &line));
        let _ = std::fs::remove_dir_all(cache.path().join("packed"));
        for tool in ["rfab", "rfab, packed by an earlier run"] {
            rounds.add(PACKED, tool, || {
                // Each run has its own, and only the cache is left of the run before.
                let packs = PackedTrees::default();
                let (begun, before) = (Instant::now(), processor());
                let packed = packs.pack(&repository, &commit, &TreeRules::default(), cache.path());
                let packed = packed.map_err(|failure| failure.to_string())?;
                let parcel =
                    packs.whole(&packed, Packing::Gzip, cache.path()).map_err(|failure| failure.to_string())?;
                let wall = begun.elapsed().as_secs_f64();
                Ok(Cost { wall, cpu: processor() - before, bytes: parcel.bytes, resident: 0 })
            });
        }
    }
}

/// Returns the processor time of this process, in seconds.
fn processor() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}
