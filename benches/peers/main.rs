//! Measures rfab beside the tools that people use instead, and writes `docs/PERFORMANCE.md`.
//!
//! `cargo bench --bench peers` measures all parts, 5 rounds each, and takes about two hours. It needs root on Debian,
//! and installs the other tools: from Debian, and from PyPI into folders of its own. It names those that it can't get,
//! and leaves them out. All runs on this machine, in network namespaces of its own. `cargo bench --bench peers -- WORDS`
//! takes these words:
//!
//! - `logins`, `sends`, `day`, `far`, `git`, `hosts`, `files`: only these parts
//! - a number: the rounds
//! - the name of a Debian release, such as `sid`: ssh and sshd of that release, in place of this machine's
//! - `xfs`: hosts with XFS, which can share the blocks of copies, in place of ext4
//! - `only=TOOL`: only the tools whose names have this, such as `only=native`; for `hosts`
//! - `page`: only write the page again, from what was measured before
//!
//! `RFAB_BINARY` names another rfab to measure. Compare figures of one part only: the machine, and what else it does,
//! change them all.
mod app;
mod contender;
mod cost;
mod day;
mod files;
mod git;
mod hosts;
mod lines;
mod logins;
mod machine;
mod page;
mod plot;
mod results;
mod sends;
mod site;
mod tools;

use lab::Debian;
use results::{Part, Results};

lab::before_main!(lab::begin(env!("CARGO_BIN_EXE_rfab"), env!("CARGO_MANIFEST_DIR"), env!("CARGO_TARGET_TMPDIR")));

/// What measures a part.
type Measure = fn(&Asked, &mut Part);

/// The parts of the benchmark, in the order of the page.
const PARTS: [(&str, Measure); 7] = [
    ("logins", logins::measure),
    ("sends", sends::measure),
    ("day", day::measure),
    ("far", day::measure_far),
    ("git", git::measure),
    ("hosts", hosts::measure),
    ("files", files::measure),
];

/// Parts in which no ssh server's version matters.
const WITHOUT_SSH: [&str; 1] = ["git"];

/// What the words of the line ask for.
struct Asked {
    rounds: usize,
    /// The Debian release of ssh and sshd; `None` for this machine's own.
    debian: Option<Debian>,
    parts: Vec<String>,
    /// Whether the hosts have XFS.
    xfs: bool,
    /// What the names of tools have that are measured.
    only: String,
}

impl Asked {
    fn read() -> Asked {
        let mut asked = Asked { rounds: 5, debian: None, parts: Vec::new(), xfs: false, only: String::new() };
        for word in std::env::args().skip(1).filter(|word| !word.starts_with("--")) {
            match word.parse() {
                Ok(rounds) => asked.rounds = rounds,
                Err(_) if word == "xfs" => asked.xfs = true,
                Err(_) if word == "page" || PARTS.iter().any(|(name, _)| *name == word) => asked.parts.push(word),
                Err(_) => match word.strip_prefix("only=") {
                    Some(tool) => tool.clone_into(&mut asked.only),
                    None => asked.debian = Some(Debian(word.leak())),
                },
            }
        }
        if asked.parts.is_empty() {
            asked.parts = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        }
        asked
    }
}

/// Set while a part is measured.
const APART: &str = "RFAB_APART";

/// Measures each part in a process with a network and a `/tmp` of its own.
///
/// `/tmp` is a new filesystem, if one can be mounted: where many files were deleted, ext4 takes longer to make others.
/// The system doesn't cache its image, because what is written to a disk isn't copied once more either.
/// The other tools are installed before that, while there is a network.
fn apart(asked: &Asked) {
    tools::install();
    let line = "ip link set lo up
        image=$(mktemp) && truncate -s 60G \"$image\" && $make -q \"$image\" &&
            { device=$(losetup --find --show --direct-io=on \"$image\") || device=$(losetup --find --show \"$image\"); } &&
            mount \"$device\" /mnt && losetup --detach \"$device\"
        mounted=$?
        rm -f \"$image\"
        [ $mounted -eq 0 ] || [ \"$make\" != mkfs.xfs ] || exit 1
        [ $mounted -ne 0 ] || { mount --move /mnt /tmp && chmod 1777 /tmp; }
        exec \"$@\"";
    for (name, _) in PARTS.iter().filter(|(name, _)| asked.parts.iter().any(|part| part == name)) {
        let own = std::env::current_exe().expect("this program");
        let words = std::env::args().skip(1).filter(|word| !PARTS.iter().any(|(name, _)| name == word));
        let mut command = std::process::Command::new("unshare");
        command.env("make", if asked.xfs { "mkfs.xfs" } else { "mkfs.ext4" });
        command.args(["--net", "--mount", "--propagation", "private", "sh", "-c", line, "sh"]).arg(own);
        let ended = command.args(words).arg(name).env(APART, "").status();
        let good = ended.as_ref().is_ok_and(std::process::ExitStatus::success);
        assert!(good, "`{name}` can't be measured: {ended:?}");
    }
}

fn main() {
    // The lab starts this program again for its parts.
    lab::part::begin();
    let asked = Asked::read();
    if let Some(debian) = asked.debian {
        assert!(debian.is_made(), "{} isn't made: run `RFAB_VARIED=all cargo test --test varied` once", debian.0);
    }
    if asked.parts != ["page"] && std::env::var_os(APART).is_none() {
        return apart(&asked);
    }
    let mut results = Results::read();
    for (name, measure) in PARTS.iter().filter(|(name, _)| asked.parts.iter().any(|part| part == name)) {
        let with_ssh = !WITHOUT_SSH.contains(name);
        let mut part = Part::begin(&asked, with_ssh);
        measure(&asked, &mut part);
        part.end();
        results.put(name, part);
        results.write();
    }
    page::write(&results);
}
