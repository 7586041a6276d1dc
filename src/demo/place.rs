//! Places the release that the machines serve when the day begins, with the same programs as a deploy.
use super::{host::DemoHost, project::LINKED, repository::DemoRepository};
use crate::{
    command::Command,
    failure::Failure,
    fleet::TreeRules,
    git,
    port::Ended,
    release::{self, Packing, ReleaseName},
};
use std::{
    fs::File,
    os::unix::process::CommandExt,
    path::Path,
    process::{self, Stdio},
    sync::Arc,
};

/// Makes a commit the current release of every host, as number 1.
///
/// `folder` holds the packed commit.
pub(super) fn place<'a>(
    repository: &DemoRepository,
    commit: &str,
    hosts: impl Iterator<Item = &'a Arc<DemoHost>>,
    folder: &Path,
) -> Result<(), Failure> {
    let source = git::Repository::locate(&repository.folder.to_string_lossy(), folder)?;
    let rules = TreeRules { linked: LINKED.map(String::from).to_vec(), ..TreeRules::default() };
    let packed = release::pack(&source, commit, &rules, folder, folder)?;
    let parcel = packed.whole(folder, Packing::Gzip)?;
    let name = ReleaseName::new(1, commit).expect("a commit that git made");
    for host in hosts {
        let path = host.path();
        let path = path.to_string_lossy();
        release::set_up(&run(&release::setup(&path)?, None)?)?;
        let stage = release::stage(&path, &name, "demo", &packed, &parcel, None, false)?;
        release::staged(&run(&stage, Some(&parcel.file))?, &parcel)?;
        release::activated(&run(&release::activate(&path, &name, "demo", &[])?, None)?, &name)?;
    }
    Ok(())
}

fn run(command: &Command, stdin: Option<&Path>) -> Result<Ended, Failure> {
    let Command::Words(words) = command else { unreachable!("programs of a release are words") };
    let failed = |e: std::io::Error| Failure::failed(format!("a release can't be placed: {e}"));
    let stdin = stdin.map_or(Ok(Stdio::null()), |path| File::open(path).map(Stdio::from)).map_err(failed)?;
    let out = process::Command::new(&words[0]).args(&words[1..]).stdin(stdin).process_group(0).output();
    let out = out.map_err(failed)?;
    Ok(Ended { status: out.status.code().unwrap_or(255), out: out.stdout, err: out.stderr, cut: false })
}
