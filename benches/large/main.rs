//! Measures a hotfix in a large repository, step by step, beside git alone: `cargo bench --bench large`.
//!
//! It prints the median of the processor time and of the time that a person waits, and how many times git's own that is.
//! It fails if a step takes far longer than git.
mod clone;
mod history;

use clone::{Clone, Spent};
use std::{fs, process::ExitCode};

const TIMES: usize = 5;

/// A step may take this many times git's own processor time, and this much more.
const RATIO: u128 = 2;
const MORE: u128 = 250;

/// What is typed for a step: git's lines, and rfab's. `@` is the version.
struct Step {
    name: &'static str,
    git: &'static [&'static str],
    rfab: &'static str,
}

const STEPS: [Step; 7] = [
    Step { name: "start", git: &["fetch -q", "switch -q -c hotfix/@ production"], rfab: "start @" },
    Step { name: "bump", git: &["commit -q -a -m @"], rfab: "bump @" },
    Step { name: "publish", git: &["push -q -u origin hotfix/@"], rfab: "publish @" },
    Step {
        name: "finish",
        git: &[
            "fetch -q",
            "switch -q production",
            "merge -q --no-ff --no-edit hotfix/@",
            "tag -a -m v@ v@",
            "switch -q develop",
            "merge -q --no-ff --no-edit v@",
            "push -q --atomic origin production develop v@",
        ],
        rfab: "finish @",
    },
    Step { name: "tidy", git: &["push -q origin :hotfix/@", "branch -q -D hotfix/@"], rfab: "tidy @" },
    Step {
        name: "list 5,000 features",
        git: &["fetch -q", "for-each-ref --format=%(refname)%(ahead-behind:develop) refs/remotes/origin/feature/"],
        rfab: "list feature",
    },
    Step { name: "find stable", git: &["fetch -q --tags", "tag --sort=-v:refname"], rfab: "stable" },
];

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = folder.path().join("origin.git");
    fs::create_dir(&origin).expect("a folder");
    history::make(&origin).expect("git makes the history");
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!(
        "{} commits, {} branches, {} tags, {} files; {build} build; each figure is the median of {TIMES}",
        history::COMMITS,
        history::BRANCHES + 2,
        history::TAGS,
        history::FILES
    );
    let clones = [("full", &[][..]), ("blob:none", &["--filter=blob:none"])];
    let good = clones.map(|(name, how)| measure(name, &Clone::of(folder.path(), &origin, name, how)));
    if good == [true, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures all steps in a clone, and returns whether none takes far longer than git.
fn measure(name: &str, clone: &Clone) -> bool {
    println!("\n{name} clone; rfab's first fetch: {}", clone.rfab("fetch"));
    println!("{:<22} {:>24} {:>24} {:>8}", "", "git", "rfab", "times");
    let mut spent: [[Vec<Spent>; 2]; STEPS.len()] = Default::default();
    for time in 0..TIMES {
        for (step, [git, rfab]) in STEPS.iter().zip(&mut spent) {
            // A developer doesn't type these within minutes.
            if matches!(step.name, "start" | "finish") {
                clone.age_the_last_fetch();
            }
            let typed = |line: &str, way: usize| line.replace('@', &format!("3.{way}.{time}"));
            if step.name == "bump" {
                clone.write_version(&typed("@", 0));
            }
            git.push(step.git.iter().map(|line| clone.git(&typed(line, 0))).sum());
            rfab.push(clone.rfab(&typed(step.rfab, 1)));
        }
    }
    let mut good = true;
    for (step, mut both) in STEPS.iter().zip(spent) {
        let [git, rfab] = both.each_mut().map(|times| Spent::median(times));
        good &= rfab.cpu.as_millis() <= git.cpu.as_millis() * RATIO + MORE;
        println!("{:<22} {git:>24} {rfab:>24} {:>8.1}", step.name, rfab.wall.as_secs_f64() / git.wall.as_secs_f64());
    }
    good
}
