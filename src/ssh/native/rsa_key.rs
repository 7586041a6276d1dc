//! Signs with an RSA key of a file.
//!
//! ring signs, in a time that doesn't depend on the key. That of the `rsa` crate does, which can be measured over a
//! network (RUSTSEC-2023-0071); it only checks the signatures of hosts.
use num_bigint::BigUint;
use ring::{
    rand::SystemRandom,
    rsa::{KeyPair, KeyPairComponents, PublicKeyComponents},
    signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512},
};
use russh::{
    AgentAuthError, Signer,
    keys::{
        Error, HashAlg, PrivateKey,
        agent::AgentIdentity,
        ssh_key::{Mpint, private::KeypairData},
    },
};

/// An RSA key that signs.
pub(super) struct RsaKey(KeyPair);

impl RsaKey {
    /// Returns none for another kind of key, for a damaged one, and for one that ring doesn't have: it has sizes of 2048,
    /// 3072 and 4096 bits, and exponents from 65537 on.
    pub(super) fn of(key: &PrivateKey) -> Option<Self> {
        let KeypairData::Rsa(pair) = key.key_data() else { return None };
        let bytes = |number: &Mpint| number.as_positive_bytes().map(<[u8]>::to_vec);
        let (public, private) = (pair.public(), pair.private());
        let (d, p, q) = (bytes(private.d())?, bytes(private.p())?, bytes(private.q())?);
        let exponent = |prime: &[u8]| {
            let prime = BigUint::from_bytes_be(prime);
            // A damaged key may have any number.
            (prime > BigUint::from(1u8)).then(|| (BigUint::from_bytes_be(&d) % (prime - 1u8)).to_bytes_be())
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: bytes(public.n())?, e: bytes(public.e())? },
            dP: exponent(&p)?,
            dQ: exponent(&q)?,
            qInv: bytes(private.iqmp())?,
            d: d.clone(),
            p,
            q,
        };
        KeyPair::from_components(&components).ok().map(Self)
    }
}

/// Writes bytes after their length, by RFC 4251, 5.
fn text(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

impl Signer for RsaKey {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        let (name, padding) = match hash {
            Some(HashAlg::Sha512) => ("rsa-sha2-512", &RSA_PKCS1_SHA512),
            _ => ("rsa-sha2-256", &RSA_PKCS1_SHA256),
        };
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self.0.sign(padding, &SystemRandom::new(), &to_sign, &mut signature);
        signed.map_err(|_| AgentAuthError::Key(Error::CouldNotReadKey))?;
        to_sign.extend(text(&[text(name.as_bytes()), text(&signature)].concat()));
        Ok(to_sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::{
        decode_secret_key,
        signature::Verifier,
        ssh_key::{
            Signature,
            private::{RsaKeypair, RsaPrivateKey},
            public::RsaPublicKey,
        },
    };
    use std::{fs, process::Command};

    #[tokio::test]
    async fn what_it_signs_is_right_by_each_hash_and_other_keys_and_sizes_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for (name, words) in [
            ("new", &["-t", "rsa", "-b", "2048"][..]),
            ("old", &["-t", "rsa", "-b", "3072", "-m", "PEM"]),
            ("short", &["-t", "rsa", "-b", "1024"]),
            ("other", &["-t", "ed25519"]),
        ] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-N", "", "-f", name]).args(words).current_dir(folder.path());
            assert!(keygen.status().unwrap().success());
            let key = decode_secret_key(&fs::read_to_string(folder.path().join(name)).unwrap(), None).unwrap();
            let signer = RsaKey::of(&key);
            assert_eq!(signer.is_some(), ["new", "old"].contains(&name), "{name}");
            let Some(mut signer) = signer else { continue };
            let public = key.public_key();
            for (hash, kind) in [(HashAlg::Sha256, "rsa-sha2-256"), (HashAlg::Sha512, "rsa-sha2-512")] {
                let identity = AgentIdentity::from(public.clone());
                let signed = signer.auth_sign(&identity, Some(hash), b"some text".to_vec()).await.unwrap();
                let blob = &signed[b"some text".len() + 4..];
                let signature = Signature::try_from(blob).unwrap();
                assert_eq!(signature.algorithm().as_str(), kind);
                assert!(public.key_data().verify(b"some text", &signature).is_ok());
                assert!(public.key_data().verify(b"another text", &signature).is_err());
            }
        }
    }

    #[test]
    fn a_damaged_key_whose_prime_has_no_order_is_left_out() {
        let number = |bytes: &[u8]| Mpint::from_positive_bytes(bytes);
        let (odd, modulus) = (number(&[7]), number(&[0xff; 256]));
        for damaged in [[number(&[1]), odd.clone()], [odd.clone(), number(&[1])]] {
            let [p, q] = damaged;
            let public = RsaPublicKey::new(number(&[1, 0, 1]), modulus.clone()).unwrap();
            let private = RsaPrivateKey::new(odd.clone(), odd.clone(), p, q).unwrap();
            let pair = KeypairData::Rsa(RsaKeypair::new(public, private).unwrap());
            assert!(RsaKey::of(&PrivateKey::new(pair, "").unwrap()).is_none());
        }
    }
}
