//! Puts releases on a machine by hand, so that there is something to deploy over.
use super::{host::Host, output::Output, plan::Sudo, repository::Repository, service, space::Level, users};
use std::process::Command;

/// Unpacks a tag as the release of that number, with all its links, and returns the release's name.
pub fn unpack(host: &Host, repository: &Repository, number: u32, tag: &str) -> String {
    let release = format!("{number:04}-{}", &repository.resolve(tag)[..12]);
    let app = host.path("/srv/shop");
    let line = format!(
        "set -eu; cd '{app}'; mkdir -p releases/{release} shared/public/uploads shared/config
        printf 'host: localhost\\n' > shared/config/database.yml
        git -C '{remote}' archive {tag} | tar -x -C releases/{release}
        ln -s ../../../shared/public/uploads releases/{release}/public/uploads
        ln -s ../../../shared/config/database.yml releases/{release}/config/database.yml",
        app = app.display(),
        remote = repository.remote.display(),
    );
    std::fs::create_dir_all(&app).expect("the app's folder");
    Output::of(Command::new("sh").args(["-c", &line])).expect_ok();
    if Level::here().is_root() {
        let (owner, runner) = (users::owner(&host.plan), users::runner(&host.plan));
        let uploads = "/srv/shop/shared/public/uploads";
        let line = format!("chown -R {owner}:{owner} /srv/shop && chown -R {runner}:{runner} {uploads}");
        host.sh(&line).expect_ok();
    }
    release
}

/// Makes a release current, with one rename.
pub fn activate(host: &Host, release: &str) {
    let owner = if Level::here().is_root() { users::owner(&host.plan) } else { 0 };
    let line = format!(
        "cd /srv/shop && ln -s releases/{release} .next && chown -h {owner}:{owner} .next && mv -T .next current"
    );
    host.sh(&line).expect_ok();
}

/// Starts a unit as the user that the fleet file would use.
pub fn start(host: &Host, unit: &str) {
    if Level::here().is_root() && host.plan.sudo == Sudo::None {
        let script = host.folder.join("bin/lab-service").display().to_string();
        let (uid, gid) = (format!("--reuid={}", users::DEPLOY), format!("--regid={}", users::DEPLOY));
        host.exec(&[&host.tool("setpriv"), &uid, &gid, "--clear-groups", "--", &script, "start", unit]).expect_ok();
    } else {
        host.unit(unit).tell("start");
    }
}

/// Puts the first release on a machine and starts its units.
pub fn place(host: &Host, repository: &Repository, tag: &str) {
    let release = unpack(host, repository, 1, tag);
    activate(host, &release);
    for unit in service::units(&host.plan) {
        start(host, unit);
    }
}
