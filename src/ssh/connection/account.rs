//! The account that this process runs as, as ssh knows it.
use std::{env, fs, path::PathBuf};

/// Returns the home folder of the account; that of the environment if no file has the account.
pub(crate) fn home() -> Option<PathBuf> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    home_in(&users, rustix::process::getuid().as_raw()).or_else(|| env::var_os("HOME").map(PathBuf::from))
}

fn home_in(users: &str, id: u32) -> Option<PathBuf> {
    let mut rows = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let row = rows.find(|row| row.get(2).is_some_and(|of| of.parse() == Ok(id)))?;
    row.get(5).filter(|home| !home.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_that_of_the_account_with_the_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000:,,,:/home/anna:/bin/sh\nnone:x:7:7:::\nhalf:x:8\n";
        assert_eq!(home_in(users, 1000), Some("/home/anna".into()));
        for id in [7, 8, 9] {
            assert_eq!(home_in(users, id), None);
        }
    }
}
