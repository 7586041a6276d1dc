//! Finds the fabfile, and checks whether it can be trusted.
use crate::{
    failure::{Cause, Failure},
    script::owned_well,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const NAME: &str = "fabfile.rhai";

/// Looks for `fabfile.rhai` in a folder and above it, up to the repository's top or the home folder.
///
/// Fails with `Fabfile` if there isn't one, or if others could have written it.
pub fn find(start: &Path, home: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(file) = nearest(start, home) else {
        let message = format!("there is no `{NAME}` in `{}` or above it in the repository", start.display());
        let help = "go to a folder that has one, name it with `-f FILE`, or let `rfab --init` write one";
        return Err(Failure::new(Cause::Fabfile, message).help(help));
    };
    trusted(&file)?;
    Ok(file)
}

/// Looks for a fabfile in the same places, no matter who wrote it.
pub fn nearest(start: &Path, home: Option<&Path>) -> Option<PathBuf> {
    for folder in start.ancestors() {
        let file = folder.join(NAME);
        if fs::symlink_metadata(&file).is_ok() {
            return Some(file);
        }
        if folder.join(".git").exists() || Some(folder) == home {
            break;
        }
    }
    None
}

/// Refuses a fabfile that others could have written, and a folder that others could have put it into.
pub(super) fn trusted(file: &Path) -> Result<(), Failure> {
    owned_well(file)?;
    let real = file.canonicalize().map_err(|e| unreadable(file, &e))?;
    owned_well(&real)?;
    let folder = real.parent().unwrap_or(Path::new("/"));
    owned_well(folder)
}

fn unreadable(path: &Path, e: &io::Error) -> Failure {
    Failure::new(Cause::Fabfile, format!("`{}` can't be read: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn it_is_found_upwards_to_the_repositorys_top_and_no_further() {
        let top = tempfile::tempdir().unwrap();
        let inner = top.path().join("repo/a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir(top.path().join("repo/.git")).unwrap();
        fs::write(top.path().join(NAME), "").unwrap();
        assert_eq!(find(&inner, None).unwrap_err().cause, Cause::Fabfile);
        fs::write(top.path().join("repo").join(NAME), "").unwrap();
        assert_eq!(find(&inner, None).unwrap(), top.path().join("repo").join(NAME));
    }

    #[test]
    fn it_is_not_looked_for_above_the_home_folder() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("home")).unwrap();
        fs::write(top.path().join(NAME), "").unwrap();
        let home = top.path().join("home");
        assert!(find(&home, Some(&home)).is_err());
    }

    #[test]
    fn one_that_others_may_write_is_refused_also_behind_a_link_or_in_a_folder_of_theirs() {
        let top = tempfile::tempdir().unwrap();
        let (file, link) = (top.path().join(NAME), top.path().join("x"));
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
        assert!(find(top.path(), None).unwrap_err().message.contains("is writable by everybody"));
        fs::create_dir(&link).unwrap();
        symlink(&file, link.join(NAME)).unwrap();
        assert!(find(&link, None).is_err());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(find(&link, None).is_ok());
        fs::set_permissions(top.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(find(top.path(), None).unwrap_err().message.contains("is writable by everybody"));
    }
}
