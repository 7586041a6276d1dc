//! The accounts on a machine of the lab.
use super::{
    plan::{HostPlan, PASSWORD, Sudo},
    space::Level,
};

/// User numbers that no account of a real machine has.
pub const DEPLOY: u32 = 58001;
pub const SHOP: u32 = 58002;
pub const SHOP_WEB: u32 = 58003;
pub const POSTGRES: u32 = 58004;

/// The `crypt` of [`PASSWORD`].
const HASH: &str = "$6$rfablab$nvZ2kuHGF.aeouGY3lhdVZc.8BCbj/euLDJ8q4L54Bu72UJeWE7cebfAxqp7pvY4qGQYafUjkp/vUiWkroYh//";

/// Returns the number of the user that owns the app's releases.
pub fn owner(plan: &HostPlan) -> u32 {
    match (Level::here().is_root(), plan.sudo) {
        (false, _) => rustix::process::getuid().as_raw(),
        (true, Sudo::None) => DEPLOY,
        (true, _) => SHOP,
    }
}

/// Returns the number of the user that the app runs as.
pub fn runner(plan: &HostPlan) -> u32 {
    match (Level::here().is_root(), plan.sudo) {
        (true, Sudo::Free | Sudo::Password | Sudo::EachTime) => SHOP_WEB,
        _ => owner(plan),
    }
}

/// Returns `/etc/passwd` of a machine: its login user is `deploy`, with this home.
pub fn passwd(home: &str, shell: &str) -> String {
    if !Level::here().is_root() {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        return format!("root:x:0:0:root:/root:/bin/sh\ndeploy:x:{uid}:{gid}::{home}:{shell}\n");
    }
    format!(
        "root:x:0:0:root:/root:/bin/sh\n\
         sshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
         deploy:x:{DEPLOY}:{DEPLOY}::{home}:{shell}\n\
         shop:x:{SHOP}:{SHOP}::/srv/shop:/bin/sh\n\
         shop-web:x:{SHOP_WEB}:{SHOP_WEB}::/nonexistent:/usr/sbin/nologin\n\
         postgres:x:{POSTGRES}:{POSTGRES}::/var/tmp:/bin/sh\n"
    )
}

pub fn group() -> String {
    let gid = rustix::process::getgid().as_raw();
    let deploy = if Level::here().is_root() { DEPLOY } else { gid };
    format!(
        "root:x:0:\nnogroup:x:65534:\ntty:x:5:\ndeploy:x:{deploy}:\nshop:x:{SHOP}:\nshop-web:x:{SHOP_WEB}:\n\
         postgres:x:{POSTGRES}:\n"
    )
}

/// Returns `/etc/shadow`: with `*` a user can log in with a key, with `!` they can't.
pub fn shadow() -> String {
    assert_eq!(PASSWORD, "correct-horse-7Qx9", "the hash is of this one");
    format!(
        "root:*:20000::::::\ndeploy:{HASH}:20000::::::\nshop:*:20000::::::\nshop-web:!:20000::::::\npostgres:!:20000::::::\n"
    )
}

/// Returns `/etc/sudoers`; `bin` is the folder of the machine's own programs.
pub fn sudoers(sudo: Sudo, bin: &str) -> String {
    let rule = match sudo {
        Sudo::None => "",
        Sudo::Free => "deploy ALL=(ALL:ALL) NOPASSWD: ALL\n",
        Sudo::Password => "deploy ALL=(ALL:ALL) ALL\n",
        Sudo::EachTime => "Defaults timestamp_timeout=0\ndeploy ALL=(ALL:ALL) ALL\n",
    };
    format!(
        "Defaults env_reset, !syslog, !mail_always, !mail_badpass, lecture=never\n\
         Defaults secure_path=\"{bin}:{}\"\n\
         root ALL=(ALL:ALL) ALL\n{rule}",
        super::space::SYSTEM_PATH
    )
}
