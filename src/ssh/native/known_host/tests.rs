use super::*;
use crate::ssh::connection::SshOptions;
use base64::{Engine, engine::general_purpose::STANDARD};
use russh::keys::HashAlg;
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
        AllowedKeys {
            plain: kinds.clone(),
            certified: kinds,
            signed_by: vec![Algorithm::Ed25519],
            ..AllowedKeys::default()
        }
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
    let undecided = KeyVerdict::Undecided("its host certificate names no host, or names a pattern".into());
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
fn a_key_that_a_file_revokes_is_refused_and_a_file_that_cannot_be_read_is_left_to_openssh() {
    let keys = Keys::new();
    let file = keys.0.path().join("revoked");
    let known = |text: &[u8]| {
        fs::write(&file, text).unwrap();
        fs::write(keys.0.path().join("known_hosts"), format!("web1 {}", keys.line("host"))).unwrap();
        let options = SshOptions::of("hostname web1\nport 22\n");
        let known_in = vec![keys.0.path().join("known_hosts")];
        let hop = Hop { known_as: "web1".into(), known_in, options, ..Hop::default() };
        KnownHost::of(&hop, AllowedKeys { revoked_in: vec![file.clone()], ..keys.allowed() })
    };
    let (host, other) = (keys.line("host"), keys.line("other"));
    for (text, verdict) in [
        (String::new(), KeyVerdict::Known),
        (format!("# of old hosts\n\n{other}\n"), KeyVerdict::Known),
        (format!("{other}\n  {host}\n"), refused("The key for web1 is marked as revoked.")),
    ] {
        assert_eq!(known(text.as_bytes()).unwrap().verdict(&keys.key("host"), NOW), verdict, "{text}");
    }
    let blob = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
    keys.signed(&["-n", "web1"]);
    let certificate = fs::read_to_string(keys.0.path().join("host-cert.pub")).unwrap();
    let mut changed = STANDARD.decode(blob(&certificate)).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    let torn = &host[..host.find(' ').unwrap() + 41];
    for unread in [
        &b"SSHKRL\n\0\xff\xff"[..],
        b"SSHKRL\n\0\0\0",
        b"nonsense\n",
        torn.as_bytes(),
        format!("ssh-ed25519-cert-v01@openssh.com {}", blob(&host)).as_bytes(),
        format!("ssh-ed25519 {}", blob(&certificate)).as_bytes(),
        format!("ecdsa-sha2-nistp256 {}", blob(&host)).as_bytes(),
        format!("ssh-of-tomorrow {}", blob(&host)).as_bytes(),
        format!("ssh-ed25519-cert-v01@openssh.com {}", STANDARD.encode(&changed)).as_bytes(),
    ] {
        assert!(known(unread).is_err(), "{}", String::from_utf8_lossy(unread));
    }
    fs::remove_file(&file).unwrap();
    let hop = Hop { known_as: "web1".into(), options: SshOptions::of("hostname web1\n"), ..Hop::default() };
    assert!(KnownHost::of(&hop, AllowedKeys { revoked_in: vec![file], ..keys.allowed() }).is_err());
}

#[test]
fn a_revoked_certificate_revokes_its_key_and_that_of_an_authority_whatever_else_it_says() {
    let keys = Keys::new();
    let file = keys.0.path().join("revoked");
    let good = keys.signed(&["-n", "web1"]);
    let certificate = |name: &str| fs::read_to_string(keys.0.path().join(format!("{name}-cert.pub"))).unwrap();
    let of_host = certificate("host");
    keys.keygen(&["-q", "-s", "other", "-I", "root", "-h", "-n", "any", "authority.pub"]);
    let of_authority = certificate("authority");
    let known_hosts = format!("@cert-authority * {}\nweb1 {}\n", keys.line("authority"), keys.line("host"));
    let revoked = refused("The key for web1 is marked as revoked.");
    for (line, shown, verdict) in [
        (&of_host, keys.key("host"), revoked.clone()),
        (&of_host, keys.signed(&["-n", "web1"]), revoked.clone()),
        (&of_host, keys.signed(&["-n", "web1", "-z", "7"]), revoked.clone()),
        (&of_authority, good, revoked),
        (&of_authority, keys.key("host"), KeyVerdict::Known),
    ] {
        let marked = keys.known(22, &format!("{known_hosts}@revoked * {line}"));
        assert_eq!(marked.verdict(&shown, NOW), verdict, "@revoked {line}");
        fs::write(&file, line).unwrap();
        let mut listed = keys.known(22, &known_hosts);
        listed.lines.extend(revoked_by(&file).unwrap());
        assert_eq!(listed.verdict(&shown, NOW), verdict, "{line}");
    }
}

#[test]
fn an_rsa_key_is_known_by_one_name_whatever_it_signs_with_and_a_short_one_is_refused() {
    let keys = Keys::new();
    keys.keygen(&["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", "rsa"]);
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    let both = vec![rsa(HashAlg::Sha512), rsa(HashAlg::Sha256)];
    let known = |least_rsa_bits| {
        let all = [both.clone(), vec![Algorithm::Ed25519]].concat();
        let allowed = AllowedKeys { plain: all, least_rsa_bits, ..keys.allowed() };
        KnownHost { allowed, ..keys.known(22, &format!("web1 {}", keys.line("rsa"))) }
    };
    assert_eq!(known(1024).kinds(), [both.clone(), vec![Algorithm::Ed25519]].concat());
    assert_eq!((known(1024).uncheckable(), known(1024).verdict(&keys.key("rsa"), NOW)), (None, KeyVerdict::Known));
    assert_eq!(known(2049).verdict(&keys.key("rsa"), NOW), refused("Bad server host key: Invalid key length"));
    // A configuration that allows RSA only with SHA-1 is left to OpenSSH.
    let none = KnownHost { allowed: keys.allowed(), ..known(1024) };
    assert_eq!(none.uncheckable().unwrap(), "this client can't check its known key, which is `ssh-rsa`");
    let changed = keys.known(22, &format!("web1 {}", keys.line("host")));
    let changed = KnownHost { allowed: known(1024).allowed, ..changed };
    let KeyVerdict::Refused(why) = changed.verdict(&keys.key("rsa"), NOW) else { panic!("it's another key") };
    assert!(why.starts_with("Offending ED25519 key in ") && why.contains("has changed"), "{why}");
}

#[test]
fn a_host_proves_its_key_only_by_the_kinds_of_signatures_that_are_allowed_for_what_it_shows() {
    let keys = Keys::new();
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    let allowed = AllowedKeys {
        plain: vec![rsa(HashAlg::Sha512)],
        certified: vec![rsa(HashAlg::Sha256), Algorithm::Ed25519],
        ..AllowedKeys::default()
    };
    let known = KnownHost { allowed, ..keys.known(22, "") };
    for (kind, plain, certified) in [
        ("rsa-sha2-512", true, false),
        ("rsa-sha2-256", false, true),
        ("ssh-ed25519", false, true),
        ("ssh-rsa", false, false),
        ("", false, false),
    ] {
        assert_eq!((known.may_sign(kind, false), known.may_sign(kind, true)), (plain, certified), "{kind}");
    }
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
