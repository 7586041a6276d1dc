//! Connections in this process, by ssh's own configuration: no program and no thread for any of them.
mod algorithms;
mod allowed_keys;
mod bare_key;
mod connection;
mod heard;
mod host_certificate;
mod host_login;
mod identities;
mod key_check;
mod known_host;
mod known_keys;
mod login;
mod names;
mod onward;
mod opening;
mod received;
mod rsa_key;
mod rsa_size;
mod settings;
mod tcp;
#[cfg(test)]
mod test_login;
mod wire;

pub(super) use connection::NativeConnection;
pub(super) use opening::{NativeOpening, NotOpened};
