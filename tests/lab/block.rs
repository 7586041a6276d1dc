//! A lab's folder and its 256 addresses, which no other lab gets while its guard lives.
use super::proc;
use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// What a lab has for itself. Dropping it frees both.
pub struct Block {
    pub folder: PathBuf,
    /// The second and third byte of its addresses.
    pub net: [u8; 2],
    _addresses: TcpListener,
    _alive: File,
}

impl Block {
    /// Takes a free block, and removes what dead labs left behind.
    pub fn claim(temp: &Path) -> Result<Block, String> {
        let base = temp.join(format!("rfab-lab-{}", rustix::process::getuid().as_raw()));
        own_folder(&base)?;
        let lock = File::create(base.join(".lock")).map_err(|e| format!("{}: {e}", base.display()))?;
        lock.lock().map_err(|e| e.to_string())?;
        sweep(&base);
        let first = std::process::id();
        for n in (first..).take(64 * 256) {
            let net = [64 + (n / 256 % 64) as u8, (n % 256) as u8];
            let folder = base.join(format!("{}.{}", net[0], net[1]));
            if folder.exists() {
                continue;
            }
            // The kernel gives this port to one process of any user, and frees it when that process dies.
            let Ok(addresses) = TcpListener::bind((Ipv4Addr::new(127, net[0], net[1], 254), 19999)) else { continue };
            own_folder(&folder)?;
            let alive = File::create(folder.join("alive")).map_err(|e| e.to_string())?;
            alive.lock().map_err(|e| e.to_string())?;
            return Ok(Block { folder, net, _addresses: addresses, _alive: alive });
        }
        Err("no free addresses in 127.64.0.0/10".into())
    }
}

/// Removes the folders of labs with a dead guard, and ends what still runs in them.
fn sweep(base: &Path) {
    for folder in fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let Ok(alive) = File::open(folder.join("alive")) else {
            // A folder is claimed under the lock that we hold, so no other process is about to create that file.
            if folder.is_dir() {
                let _ = fs::remove_dir_all(&folder);
            }
            continue;
        };
        if alive.try_lock().is_ok() && !folder.join("keep").exists() {
            proc::kill_all(|| proc::marked(&folder));
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Makes a folder that others can pass through but not write to. Refuses a folder that another user owns.
fn own_folder(folder: &Path) -> Result<(), String> {
    let _ = fs::create_dir(folder);
    let meta = fs::symlink_metadata(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    if !meta.is_dir() || meta.uid() != rustix::process::getuid().as_raw() {
        return Err(format!("`{}` belongs to somebody else", folder.display()));
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(|e| e.to_string())
}
