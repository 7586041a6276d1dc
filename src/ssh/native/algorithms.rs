//! The algorithms of a connection: those that ssh's configuration names, in its order, as far as this client has them.
use super::allowed_keys::AllowedKeys;
use crate::ssh::connection::SshOptions;
use russh::{Preferred, cipher, compression, kex, keys::Algorithm, mac};
use std::{borrow::Cow, str::FromStr};

/// OpenSSH's other key exchange that a quantum computer doesn't break. This client has only the one that follows it.
const SNTRUP: &str = "sntrup761x25519-sha512";

/// Returns the algorithms that a configuration names; the keys of the host are left out.
///
/// Fails with a reason if this client has none of a kind.
pub(super) fn named(options: &SshOptions) -> Result<Preferred, String> {
    let exchanges = list(options, "kexalgorithms");
    let mut kex: Vec<kex::Name> = known(&exchanges);
    if exchanges.iter().any(|name| name.starts_with(SNTRUP)) && !kex.contains(&kex::MLKEM768X25519_SHA256) {
        kex.insert(0, kex::MLKEM768X25519_SHA256);
    }
    let (ciphers, macs) = (list(options, "ciphers"), list(options, "macs"));
    let (cipher, mac): (Vec<cipher::Name>, Vec<mac::Name>) = (known(&ciphers), known(&macs));
    for (what, is_empty) in
        [("KexAlgorithms", kex.is_empty()), ("Ciphers", cipher.is_empty()), ("MACs", mac.is_empty())]
    {
        if is_empty {
            return Err(format!("it has none of the `{what}` in ssh's configuration"));
        }
    }
    kex.extend([kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT]);
    Ok(Preferred {
        kex: Cow::Owned(kex),
        key: Cow::Borrowed(&[]),
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Owned(cipher),
        mac: Cow::Owned(mac),
        compression: Cow::Borrowed(&[compression::NONE]),
    })
}

/// Returns the kinds of host keys that a configuration allows and that this client can check.
pub(super) fn host_keys(options: &SshOptions) -> AllowedKeys {
    let names = list(options, "hostkeyalgorithms");
    let certified: Vec<String> =
        names.iter().filter_map(|name| name.strip_suffix("-cert-v01@openssh.com").map(str::to_owned)).collect();
    let signed_by = keys(&list(options, "casignaturealgorithms"));
    let least_rsa_bits = options.value("requiredrsasize").and_then(|bits| bits.parse().ok()).unwrap_or(1024);
    AllowedKeys { plain: keys(&names), certified: keys(&certified), signed_by, least_rsa_bits, revoked_in: Vec::new() }
}

/// Returns the kinds of keys that this client can check, out of a list of names. `ssh-rsa` signs with SHA-1, which
/// isn't checked.
fn keys(names: &[String]) -> Vec<Algorithm> {
    let all = names.iter().filter_map(|name| Algorithm::from_str(name).ok());
    let can_check = |kind: &Algorithm| {
        matches!(kind, Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { hash: Some(_) })
    };
    all.filter(can_check).collect()
}

/// Returns the names that an option lists.
pub(super) fn list(options: &SshOptions, option: &str) -> Vec<String> {
    options.value(option).unwrap_or_default().split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Returns those of some names that this client has. `none` and `clear` would leave a connection open to everyone.
fn known<T: for<'a> TryFrom<&'a str>>(names: &[String]) -> Vec<T> {
    names.iter().filter(|name| *name != "none" && *name != "clear").filter_map(|name| T::try_from(name).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(kex: &str, ciphers: &str, macs: &str) -> SshOptions {
        SshOptions::of(&format!("kexalgorithms {kex}\nciphers {ciphers}\nmacs {macs}\n"))
    }

    #[test]
    fn algorithms_are_those_of_the_configuration_in_its_order() {
        let text = options(
            "sntrup761x25519-sha512@openssh.com,curve25519-sha256",
            "aes256-ctr,x,aes128-ctr",
            "hmac-sha2-256,none",
        );
        let named = named(&text).unwrap();
        let names: Vec<&str> = named.kex.iter().map(AsRef::as_ref).collect();
        let expected = ["mlkem768x25519-sha256", "curve25519-sha256", "ext-info-c", "kex-strict-c-v00@openssh.com"];
        assert_eq!(names, expected, "where the configuration has a post-quantum exchange, this client's is the first");
        assert_eq!(*named.cipher, [cipher::AES_256_CTR, cipher::AES_128_CTR]);
        assert_eq!(*named.mac, [mac::HMAC_SHA256]);
    }

    #[test]
    fn what_the_configuration_does_not_name_is_not_used() {
        let kex = named(&options("curve25519-sha256", "aes128-ctr", "hmac-sha2-256")).unwrap().kex;
        assert!(!kex.contains(&kex::MLKEM768X25519_SHA256));
        for (kex, ciphers, macs) in [
            ("none", "aes128-ctr", "hmac-sha2-256"),
            ("curve25519-sha256", "none,clear", "hmac-sha2-256"),
            ("curve25519-sha256", "aes128-ctr", "umac-64@openssh.com"),
        ] {
            assert!(named(&options(kex, ciphers, macs)).is_err());
        }
    }

    #[test]
    fn certificates_of_hosts_are_allowed_only_where_the_configuration_names_them() {
        let text =
            "hostkeyalgorithms ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,ecdsa-sha2-nistp256,ssh-rsa,rsa-sha2-512\n";
        let allowed = host_keys(&SshOptions::of(text));
        let names: Vec<&str> = allowed.plain.iter().map(Algorithm::as_str).collect();
        assert_eq!(names, ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"]);
        assert_eq!((allowed.certified, allowed.signed_by), (vec![Algorithm::Ed25519], Vec::new()));
    }
}
