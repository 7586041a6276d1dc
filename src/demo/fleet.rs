//! The names in the demo's fleet: its balancer, its hosts, its pool.

/// The balancer's name, and that of its host.
pub(super) const BALANCER: &str = "lb1";
/// The web hosts of each group.
pub(super) const GROUPS: [(&str, [&str; 3]); 2] =
    [("group1", ["web1", "web2", "web3"]), ("group2", ["web4", "web5", "web6"])];
/// The pool's name.
pub(super) const POOL: &str = "bk_web";
/// The path of the balancer's admin socket, below its machine's folder.
pub(super) const SOCKET: &str = "admin.sock";
