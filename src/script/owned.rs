//! Checks who owns a script's files.
use crate::failure::{Cause, Failure};
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// Refuses a file or a folder that another user owns, or that everybody may write to.
pub fn owned_well(path: &Path) -> Result<(), Failure> {
    let about = fs::metadata(path)
        .map_err(|e| Failure::new(Cause::Fabfile, format!("`{}` can't be read: {e}", path.display())))?;
    let me = rustix::process::geteuid().as_raw();
    match suspicious(path, about.uid(), about.mode(), about.is_dir(), me) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn suspicious(path: &Path, owner: u32, mode: u32, folder: bool, me: u32) -> Option<Failure> {
    let shown = path.display();
    if owner != me && owner != 0 {
        let message = format!("`{shown}` belongs to another user (id {owner}), who could run commands as you");
        return Some(Failure::new(Cause::Fabfile, message).help("copy it into a folder of your own"));
    }
    // In a sticky folder such as /tmp, nobody can replace other users' files.
    let sticky = folder && mode & 0o1000 != 0;
    (mode & 0o002 != 0 && !sticky).then(|| {
        let message = format!("`{shown}` is writable by everybody, who could run commands as you");
        Failure::new(Cause::Fabfile, message).help(format!("remove that permission: `chmod o-w {shown}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_user_owns_is_refused_and_what_root_owns_is_not() {
        let refused = |owner, mode, folder| suspicious(Path::new("x"), owner, mode, folder, 1000).map(|f| f.message);
        assert_eq!(refused(1000, 0o644, false), None);
        assert_eq!(refused(0, 0o644, false), None);
        assert_eq!(refused(0, 0o1777, true), None);
        let foreign = "`x` belongs to another user (id 1001), who could run commands as you";
        assert_eq!(refused(1001, 0o600, false).as_deref(), Some(foreign));
        assert_eq!(refused(1001, 0o700, true).as_deref(), Some(foreign));
        assert!(refused(1000, 0o777, true).is_some());
        assert!(refused(1000, 0o1646, false).is_some());
    }
}
