//! Time and memory by the number of files of a release, on one host.
use super::{
    Asked, app,
    contender::{Contender, Rounds},
    results::Part,
    sends,
    site::Site,
};

/// How many files of 20 kB a release has in turn: 20 MB, 200 MB and 2 GB.
pub const COUNTS: [usize; 3] = [1_000, 10_000, 100_000];

pub fn measure(asked: &Asked, part: &mut Part) {
    let mut rounds = Rounds::default();
    for count in COUNTS {
        let site = Site::start(asked, 1);
        let (lab, rfab) = (&site.lab, &site.rfab);
        lab.edit("fabfile.rhai", |_| sends::FABFILE.to_owned());
        app::write_many(&lab.project.folder, count);
        lab.project.release("v4.0.0");
        lab.hosts[0].sh("mkdir -p /srv/shop /srv/rsync && chown deploy /srv/shop /srv/rsync").expect_ok();
        lab.rfab(&["prod", "setup"]).output().expect_ok();
        let tree = lab.folder.join("tools-of-others/tree").display().to_string();
        for round in 1..=part.rounds {
            let clean = "rm -rf /srv/rsync/* /srv/shop/releases/* /srv/shop/.rfab/records";
            lab.hosts[0].sh(clean).expect_ok();
            let tags = [format!("v4.{}.0", round - 1), format!("v4.{round}.0")];
            lab.edit("src/m1/p1/f1.py", |text| format!("{text}fixed {round}\n"));
            lab.project.release(&tags[1]);
            for (kind, tag) in [("first send", &tags[0]), ("hotfix", &tags[1])] {
                let work = format!("{kind}, {count} files of 20 kB, 1 host");
                let link = if kind == "hotfix" { format!("--link-dest=/srv/rsync/{}", tags[0]) } else { String::new() };
                let line = format!(
                    "rm -rf {tree} && mkdir -p {tree} && git archive {tag} | tar x -C {tree} && rsync -az --checksum \
                     {link} --mkpath -e \"ssh -F {}\" {tree}/ web1:/srv/rsync/{tag}/",
                    site.config()
                );
                rounds.turn(lab, &Contender::new(&work, "rsync", line));
                let new = if kind == "first send" { " && rm -rf \"$HOME/.cache/rfab\"" } else { "" };
                let contender = Contender::new(&work, "rfab", format!("{rfab} prod send:{tag}"));
                rounds.turn(lab, &contender.after(format!("{rfab} --disconnect{new}")));
            }
        }
    }
    rounds.end(part);
}
