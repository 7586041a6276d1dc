//! Which files a running service may read.
use crate::{fleet::Fleet, host::Host};
use std::path::{Component, Path, PathBuf};

/// Returns whether a running service may read what is at a path: shared files and the current release.
pub(super) fn served(fleet: &Fleet, host: &Host, path: &str) -> bool {
    fleet.app.as_ref().is_some_and(|app| {
        let path = resolved(path);
        let below = |folder: &str| path.starts_with(Path::new(&app.path_on(host)).join(folder));
        below("shared") || below("current")
    })
}

/// Returns a path without `.` and `..`, judged only by its words.
fn resolved(path: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_what_it_leads_to() {
        for (path, means) in [
            ("/srv/shop/releases/../shared/./a", "/srv/shop/shared/a"),
            ("/srv//shop/shared/", "/srv/shop/shared"),
            ("/../srv", "/srv"),
        ] {
            assert_eq!(resolved(path), Path::new(means), "{path}");
        }
    }
}
