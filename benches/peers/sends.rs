//! How a release reaches ten hosts: for the first time, and with two small files changed.
use super::{
    Asked, app,
    contender::{Contender, Rounds},
    lines,
    results::Part,
    site::Site,
    tools,
};
use std::fmt::Write;

const HOSTS: usize = 10;

/// The pieces of work, in the page's words.
pub const FIRST: &str = "first send, 51 MB in 3,000 files, 10 hosts";
pub const COLD: &str = "hotfix: 2 small files changed, 10 hosts, new connections";
pub const WARM: &str = "hotfix: 2 small files changed, 10 hosts, open connections";

pub const FABFILE: &str = r#"
fn prod() { fleet("fleets/prod.toml") }
fn setup() { targets().parallel(|host| release::set_up(host)); }
fn send(tag) {
    let release = release::number(release::resolve(tag));
    targets().parallel(|host| release::stage(host, release));
}
"#;

/// Where each tool has its releases on a host.
const PLACES: &str = "/srv/shop /srv/rsync /srv/classic /srv/ansible /srv/capistrano";

pub fn measure(asked: &Asked, part: &mut Part) {
    let site = Site::start(asked, HOSTS);
    let lab = &site.lab;
    lab.edit("fabfile.rhai", |_| FABFILE.to_owned());
    app::write(&lab.project.folder);
    lab.project.release("v4.0.0");
    for host in &lab.hosts {
        host.sh(&format!("mkdir -p {PLACES} && chown deploy {PLACES}")).expect_ok();
        // Capistrano clones a repository of root's, as the login user.
        std::fs::write(format!("{}/.gitconfig", host.home()), "[safe]\n\tdirectory = *\n").expect("a home");
    }
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    prepare(&site);
    let mut rounds = Rounds::default();
    let mut number = 0;
    let mut next = || {
        let earlier = format!("v4.{number}.0");
        number += 1;
        let tag = format!("v4.{number}.0");
        lab.edit("src/m1/p1/f1.py", |text| format!("{text}fixed {number}\n"));
        lab.project.release(&tag);
        (earlier, tag)
    };
    for round in 0..part.rounds {
        for host in &lab.hosts {
            // Nothing is deleted: that would slow down what comes next.
            let line = format!(
                "mkdir -p /srv/before/{round}/records && cd /srv && mv shop/.rfab/records /srv/before/{round}/records
                 for one in rsync/* shop/releases/* classic/* ansible/* capistrano/*; do
                     mv \"$one\" \"/srv/before/{round}/$(echo \"$one\" | tr / -)\"; done; :"
            );
            host.sh(&line).expect_ok();
        }
        let (_, tag) = next();
        for contender in others(&site, FIRST, &tag, None).into_iter().chain([rfab(&site, FIRST, "rfab", &tag, true)]) {
            rounds.turn(lab, &contender);
        }
        let (earlier, tag) = next();
        for contender in others(&site, COLD, &tag, Some(&earlier)) {
            rounds.turn(lab, &contender);
        }
        rounds.turn(lab, &rfab(&site, COLD, "rfab", &tag, true));
        rounds.turn(lab, &rfab(&site, WARM, "rfab", &next().1, false));
        if site.native {
            rounds.turn(lab, &rfab(&site, COLD, "rfab, native", &next().1, true));
        }
    }
    rounds.end(part);
}

/// Sends a tag by rfab.
fn rfab(site: &Site, work: &str, tool: &str, tag: &str, new: bool) -> Contender {
    let rfab = &site.rfab;
    let native = if tool.ends_with("native") { " --transport native" } else { "" };
    let mut before = if new { format!("{rfab} --disconnect") } else { "true".to_owned() };
    if work == FIRST {
        before += " && rm -rf \"$HOME/.cache/rfab\"";
    }
    Contender::new(work, tool, format!("{rfab}{native} prod send:{tag}")).after(before)
}

/// Returns what the other tools type to send a tag.
fn others(site: &Site, work: &str, tag: &str, earlier: Option<&str>) -> Vec<Contender> {
    let folder = |name: &str| site.lab.folder.join("tools-of-others").join(name).display().to_string();
    let names: Vec<&str> = site.web().iter().map(|host| host.plan.name).collect();
    let link = earlier.map(|tag| format!("--link-dest=/srv/rsync/{tag}")).unwrap_or_default();
    let tree = folder("tree");
    let mut all = vec![Contender::new(
        work,
        "rsync",
        format!(
            "rm -rf {tree} && mkdir {tree} && git archive {tag} | tar x -C {tree} && for host in {}; do
             rsync -az --checksum {link} --mkpath -e \"ssh -F {}\" {tree}/ $host:/srv/rsync/{tag}/ & done; wait",
            names.join(" "),
            site.config()
        ),
    )];
    let archive = format!("git archive --format=tar.gz -o {}/$0.tgz $0", site.lab.folder.join("tmp").display());
    if let Some(fab) = tools::fab() {
        let line = format!("sh -c '{archive}' {tag} && {fab} -f {} send:{tag}", folder("classic.py"));
        all.push(Contender::new(work, "fab-classic", line));
    }
    if tools::has("ansible-playbook") {
        let line = format!(
            "sh -c '{archive}' {tag} && ANSIBLE_PIPELINING=1 ansible-playbook -f {HOSTS} -i {} {} -e tag={tag}",
            folder("inventory"),
            folder("playbook.yml")
        );
        all.push(Contender::new(work, "Ansible", line).after(lines::CLOSE_ANSIBLE));
    }
    if tools::has("cap") {
        all.push(Contender::new(work, "Capistrano", format!("cd {} && BRANCH={tag} cap prod deploy", folder("cap"))));
    }
    all
}

/// Writes the files of the other tools.
fn prepare(site: &Site) {
    let hosts = site.web();
    let tmp = site.lab.folder.join("tmp").display().to_string();
    let classic = lines::classic(site, &hosts);
    site.put(
        "classic.py",
        &format!(
            "{classic}\ndef send(tag):\n    to = \"/srv/classic/releases/%s\" % tag\n    run(\"mkdir -p %s\" % to)\n    \
             put(\"{tmp}/%s.tgz\" % tag, \"/srv/classic/%s.tgz\" % tag)\n    \
             run(\"tar xzf /srv/classic/%s.tgz -C %s && ln -sfn %s /srv/classic/next && mv -T /srv/classic/next \
             /srv/classic/current\" % (tag, to, to))\n"
        ),
    );
    site.put("inventory", &lines::inventory(site, &hosts));
    site.put(
        "playbook.yml",
        &format!(
            "- hosts: web\n  gather_facts: false\n  tasks:\n    - file: {{path: \"/srv/ansible/releases/{{{{tag}}}}\", \
             state: directory}}\n    - unarchive: {{src: \"{tmp}/{{{{tag}}}}.tgz\", dest: \
             \"/srv/ansible/releases/{{{{tag}}}}\"}}\n    - shell: ln -sfn /srv/ansible/releases/{{{{tag}}}} \
             /srv/ansible/next && mv -T /srv/ansible/next /srv/ansible/current\n"
        ),
    );
    let line = "require 'capistrano/setup'\nrequire 'capistrano/deploy'\nrequire 'capistrano/scm/git'\n\
                install_plugin Capistrano::SCM::Git\n";
    site.put("cap/Capfile", line);
    let mut servers = String::new();
    for host in &hosts {
        let _ = writeln!(servers, "server '{}', port: {}, user: 'deploy', roles: %w{{web}}", host.address, host.port);
    }
    site.put("cap/config/deploy/prod.rb", &servers);
    site.put(
        "cap/config/deploy.rb",
        &format!(
            "set :application, 'shop'\nset :repo_url, 'file://{}'\nset :branch, ENV['BRANCH']\nset :deploy_to, \
             '/srv/capistrano'\nset :format_options, log_file: nil\nset :ssh_options, {{ keys: \
             ['{}'], keys_only: true, auth_methods: ['publickey'], verify_host_key: :always, user_known_hosts_file: \
             ['{}'] }}\n",
            site.lab.project.remote.display(),
            site.key(),
            site.known_hosts()
        ),
    );
}
