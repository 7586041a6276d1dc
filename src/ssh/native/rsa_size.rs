//! How large an RSA key is.
use russh::keys::ssh_key::public::KeyData;

/// The fewest bits of an RSA key that OpenSSH takes, whatever its configuration says.
const LEAST_BITS: u32 = 1024;

/// Returns whether a key is an RSA key with fewer bits than a configuration demands, or than any may.
pub(super) fn is_short(key: &KeyData, least_bits: u32) -> bool {
    let modulus = key.rsa().and_then(|rsa| rsa.n().as_positive_bytes());
    modulus.is_some_and(|modulus| bits(modulus) < least_bits.max(LEAST_BITS))
}

/// Counts the bits of a number, from its first one that is set.
fn bits(number: &[u8]) -> u32 {
    let from = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let rest = &number[from..];
    rest.first().map_or(0, |first| rest.len() as u32 * 8 - first.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::ssh_key::{Mpint, public::RsaPublicKey};

    /// Returns a made-up key of a size.
    fn key(bits: usize) -> KeyData {
        let mut modulus = vec![0xff; bits.div_ceil(8)];
        modulus[0] >>= modulus.len() * 8 - bits;
        let number = |bytes: &[u8]| Mpint::from_positive_bytes(bytes);
        KeyData::Rsa(RsaPublicKey::new(number(&[1, 0, 1]), number(&modulus)).unwrap())
    }

    #[test]
    fn a_key_is_short_by_its_bits_and_not_by_its_bytes() {
        for (size, least, short) in [
            (2041, 2048, true),
            (2047, 2048, true),
            (2048, 2048, false),
            (2049, 2048, false),
            (1023, 0, true),
            (1024, 0, false),
            (1024, 1025, true),
        ] {
            assert_eq!(is_short(&key(size), least), short, "{size} bits of at least {least}");
        }
        assert_eq!([&[][..], &[0], &[0, 1], &[0x80]].map(bits), [0, 0, 1, 8]);
    }
}
