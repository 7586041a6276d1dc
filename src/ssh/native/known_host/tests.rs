use super::*;
use crate::ssh::connection::SshOptions;
use std::{fs, process::Command};

/// A folder with keys, authorities and certificates, made by ssh-keygen.
struct Keys(tempfile::TempDir);

impl Keys {
    fn new() -> Keys {
        let keys = Keys(tempfile::tempdir().unwrap());
        for (name, kind) in [("host", "ed25519"), ("other", "ed25519"), ("curve", "ecdsa"), ("authority", "ed25519")] {
            keys.keygen(&["-q", "-t", kind, "-N", "", "-f", name]);
        }
        keys
    }

    fn keygen(&self, words: &[&str]) {
        let out = Command::new("ssh-keygen").args(words).current_dir(self.0.path()).output().unwrap();
        assert!(out.status.success(), "{words:?}: {out:?}");
    }

    fn line(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(format!("{name}.pub"))).unwrap().trim().to_owned()
    }

    fn key(&self, name: &str) -> PublicKeyOrCertificate {
        PublicKey::from_openssh(&self.line(name)).unwrap().into()
    }

    /// Has the authority sign the host's key.
    fn signed(&self, words: &[&str]) -> PublicKeyOrCertificate {
        self.keygen(&[&["-q", "-s", "authority", "-I", "web1", "-h"], words, &["host.pub"]].concat());
        let text = fs::read_to_string(self.0.path().join("host-cert.pub")).unwrap();
        Certificate::from_openssh(text.trim()).unwrap().into()
    }

    /// Returns what a configuration allows that allows both kinds of keys.
    fn allowed(&self) -> AllowedKeys {
        let kinds = vec![Algorithm::Ed25519, self.key("curve").public_key().algorithm()];
        AllowedKeys { plain: kinds.clone(), certified: kinds, signed_by: vec![Algorithm::Ed25519] }
    }

    /// Returns what is known about `web1` on a port, by known hosts.
    fn known(&self, port: u16, text: &str) -> KnownHost {
        let file = self.0.path().join("known_hosts");
        fs::write(&file, text).unwrap();
        let options = SshOptions::of(&format!("hostname WEB1\nport {port}\n"));
        let known_as = if port == 22 { "web1".to_owned() } else { format!("[web1]:{port}") };
        let hop = Hop { known_as, known_in: vec![file], options, ..Hop::default() };
        KnownHost::of(&hop, self.allowed()).unwrap()
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.0.path().join("known_hosts").display())
    }
}

const NOW: u64 = 1_800_000_000;

fn refused(text: &str) -> KeyVerdict {
    KeyVerdict::Refused(text.to_owned())
}

#[test]
fn a_key_is_known_refused_as_changed_or_as_unknown_in_the_words_of_openssh() {
    let keys = Keys::new();
    let (host, other, curve) = (keys.line("host"), keys.line("other"), keys.line("curve"));
    let unknown = refused("No ED25519 host key is known for web1 and you have requested strict checking.");
    let changed = |word, line| {
        refused(&format!(
            "Offending {word} key in {}\nHost key for web1 has changed and you have requested strict checking.",
            keys.place(line)
        ))
    };
    let revoked = refused("The key for web1 is marked as revoked.");
    for (text, verdict) in [
        (format!("web1 {host}"), KeyVerdict::Known),
        (format!("web1 {other}\nweb1 {host}"), KeyVerdict::Known),
        (format!("# web1\nweb1 {other}"), changed("ED25519", 2)),
        (format!("web1 {other}\nweb1 {curve}"), changed("ED25519", 1)),
        (format!("web1 {curve}\nweb1 {other}"), changed("ED25519", 2)),
        (format!("web1 {curve}"), changed("ECDSA", 1)),
        (format!("web2 {host}"), unknown.clone()),
        (String::new(), unknown.clone()),
        (format!("@cert-authority web1 {host}"), unknown),
        (format!("web1 {host}\n@revoked * {host}"), revoked.clone()),
        (format!("@revoked web1 {host}"), revoked),
    ] {
        assert_eq!(keys.known(22, &text).verdict(&keys.key("host"), NOW), verdict, "{text}");
    }
}

#[test]
fn a_key_of_the_name_without_its_port_counts_but_another_one_is_no_change() {
    let keys = Keys::new();
    let (host, other, curve) = (keys.line("host"), keys.line("other"), keys.line("curve"));
    let changed = |word: &str| {
        refused(&format!(
            "Offending {word} key in {}\n\
             Host key for [web1]:2222 has changed and you have requested strict checking.",
            keys.place(1)
        ))
    };
    let unknown = refused("No ED25519 host key is known for [web1]:2222 and you have requested strict checking.");
    for (text, verdict) in [
        (format!("web1 {host}"), KeyVerdict::Known),
        (format!("[web1]:2222 {host}"), KeyVerdict::Known),
        (format!("web1 {other}"), unknown.clone()),
        (format!("[web1]:22 {host}"), unknown),
        // Any key of the name with its port makes those without it count no more.
        (format!("[web1]:2222 {other}\nweb1 {host}"), changed("ED25519")),
        (format!("[web1]:2222 {curve}\nweb1 {host}"), changed("ECDSA")),
        (format!("@revoked web1 {host}\n[web1]:2222 {host}"), refused("The key for [web1]:2222 is marked as revoked.")),
    ] {
        assert_eq!(keys.known(2222, &text).verdict(&keys.key("host"), NOW), verdict, "{text}");
    }
}

#[test]
fn a_certificate_is_worth_what_its_authority_time_and_names_say() {
    let keys = Keys::new();
    let (authority, host) = (keys.line("authority"), keys.line("host"));
    let known = keys.known(22, &format!("@cert-authority * {authority}"));
    let invalid = |why: &str| refused(&format!("Certificate invalid: {why}"));
    let undecided = KeyVerdict::Undecided("its host certificate is for no name, or for a pattern".into());
    for (words, verdict) in [
        (&["-n", "web9,web1"][..], KeyVerdict::Known),
        (&["-n", "web1", "-V", "20200101:20210101"], invalid("expired")),
        (&["-n", "web1", "-V", "20900101:20910101"], invalid("not yet valid")),
        (&["-n", "web9"], invalid("name is not a listed principal")),
        (&["-n", "web*"], undecided.clone()),
        (&[], undecided),
    ] {
        assert_eq!(known.verdict(&keys.signed(words), NOW), verdict, "{words:?}");
    }
    // A user's certificate isn't a host's.
    keys.keygen(&["-q", "-s", "authority", "-I", "web1", "-n", "web1", "host.pub"]);
    let text = fs::read_to_string(keys.0.path().join("host-cert.pub")).unwrap();
    let user: PublicKeyOrCertificate = Certificate::from_openssh(text.trim()).unwrap().into();
    assert_eq!(known.verdict(&user, NOW), invalid("not a host certificate"));
    let good = keys.signed(&["-n", "web1"]);
    // An authority of other hosts vouches for nobody here, but the key in the certificate may be known.
    let elsewhere = format!("@cert-authority web2 {authority}\n");
    assert!(matches!(keys.known(22, &elsewhere).verdict(&good, NOW), KeyVerdict::Refused(_)));
    assert_eq!(keys.known(22, &format!("{elsewhere}web1 {host}")).verdict(&good, NOW), KeyVerdict::Known);
    // A revocation counts more, of the authority or of the key.
    for revoked in [&authority, &host] {
        let text = format!("@cert-authority * {authority}\n@revoked * {revoked}");
        assert_eq!(keys.known(22, &text).verdict(&good, NOW), refused("The key for web1 is marked as revoked."));
    }
    // Without a certificate that is worth nothing, the key may be known.
    let both = keys.known(22, &format!("@cert-authority * {authority}\nweb1 {host}"));
    assert_eq!(both.verdict(&keys.signed(&["-n", "web9"]), NOW), KeyVerdict::Known);
    // A kind of signature that isn't allowed is left to OpenSSH.
    let allowed = AllowedKeys { signed_by: Vec::new(), ..keys.allowed() };
    let none = KnownHost { allowed, ..known };
    assert!(matches!(none.verdict(&good, NOW), KeyVerdict::Undecided(_)));
}

#[test]
fn the_host_is_asked_for_the_kinds_of_keys_that_are_known() {
    let keys = Keys::new();
    let curve = keys.key("curve").public_key().algorithm();
    let known = keys.known(22, &format!("web1 {}", keys.line("curve")));
    assert_eq!(known.kinds(), [curve, Algorithm::Ed25519]);
    assert_eq!((known.uncheckable(), known.certified()), (None, &[][..]));
    let allowed = AllowedKeys { plain: vec![Algorithm::Ed25519], ..AllowedKeys::default() };
    assert_eq!(
        KnownHost { allowed, ..known }.uncheckable().unwrap(),
        "this client can't check its known key, which is `ecdsa-sha2-nistp256`"
    );
}

#[test]
fn a_known_key_of_a_kind_that_is_not_allowed_is_refused_and_so_is_a_certificate() {
    let keys = Keys::new();
    let text = format!(
        "web1 {}\nweb1 {}\n@cert-authority * {}",
        keys.line("host"),
        keys.line("curve"),
        keys.line("authority")
    );
    let known = keys.known(22, &text);
    let only = |plain: &[Algorithm], certified: &[Algorithm]| {
        let (plain, certified) = (plain.to_vec(), certified.to_vec());
        KnownHost { allowed: AllowedKeys { plain, certified, ..keys.allowed() }, ..known.clone() }
    };
    let no = |word: &str| refused(&format!("key type doesn't match: {word}"));
    let (ed25519, certificate) = ([Algorithm::Ed25519], keys.signed(&["-n", "web1"]));
    assert_eq!(only(&ed25519, &[]).verdict(&keys.key("host"), NOW), KeyVerdict::Known);
    assert_eq!(only(&ed25519, &[]).verdict(&keys.key("curve"), NOW), no("ECDSA"));
    assert_eq!(only(&ed25519, &[]).verdict(&certificate, NOW), no("ED25519"));
    assert_eq!(only(&[], &ed25519).verdict(&certificate, NOW), KeyVerdict::Known);
    assert_eq!(only(&[], &ed25519).verdict(&keys.key("host"), NOW), no("ED25519"));
    // What an invalid certificate is worth without its authority isn't more than a plain key.
    assert!(matches!(only(&[], &ed25519).verdict(&keys.signed(&["-n", "web9"]), NOW), KeyVerdict::Refused(_)));
}
