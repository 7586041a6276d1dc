//! Logs in with one key after another.
use super::{
    bare_key::BareKey,
    identities::{Identities, Identity},
    key_check::KeyCheck,
    rsa_key::RsaKey,
    settings::LoginSettings,
};
use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle},
    keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, agent::AgentIdentity},
};

/// How a login ended.
pub(super) enum Entered {
    Yes,
    /// The server accepted no key; it names the ways to log in.
    Denied {
        methods: String,
        unusable: Vec<String>,
    },
    /// The server hung up.
    Closed,
}

/// Logs in with the keys of files and of the agent.
pub(super) async fn enter(handle: &mut Handle<KeyCheck>, settings: &LoginSettings) -> Entered {
    let binding = handle.agent_session_binding().cloned();
    let mut identities = Identities::of(settings, binding.as_ref()).await;
    let mut methods = None;
    for identity in std::mem::take(&mut identities.all) {
        match tried(handle, settings, identity, &mut identities).await {
            Some(AuthResult::Success) => return Entered::Yes,
            Some(AuthResult::Failure { remaining_methods, .. }) => methods = Some(remaining_methods),
            // The agent didn't sign, so the server heard nothing.
            None => {}
        }
        if handle.is_closed() {
            return Entered::Closed;
        }
        if methods.as_ref().is_some_and(|methods| !methods.contains(&MethodKind::PublicKey)) {
            break;
        }
    }
    let methods = match methods {
        Some(methods) => methods,
        // Without a key, the server is asked what it would accept, as OpenSSH does.
        None => match handle.authenticate_none(settings.user.clone()).await {
            Ok(AuthResult::Failure { remaining_methods, .. }) if !handle.is_closed() => remaining_methods,
            Ok(AuthResult::Success) => return Entered::Yes,
            _ => return Entered::Closed,
        },
    };
    Entered::Denied { methods: listed(&methods), unusable: identities.unusable }
}

/// Tries a key; none if there was no signature, or if the connection broke.
async fn tried(
    handle: &mut Handle<KeyCheck>,
    settings: &LoginSettings,
    identity: Identity,
    identities: &mut Identities,
) -> Option<AuthResult> {
    let user = settings.user.clone();
    match identity {
        Identity::File { key, certificate } if key.algorithm().is_rsa() => {
            let hash = hash(handle, settings, &key.algorithm(), certificate.is_some()).await?;
            let mut signer = RsaKey::of(&key)?;
            match certificate {
                Some(certificate) => {
                    handle.authenticate_certificate_with(user, certificate, hash, &mut signer).await.ok()
                }
                None => {
                    let public = key.public_key().clone();
                    handle.authenticate_publickey_with(user, public, hash, &mut signer).await.ok()
                }
            }
        }
        Identity::File { key, certificate: Some(certificate) } => {
            handle.authenticate_openssh_cert(user, key, certificate).await.ok()
        }
        Identity::File { key, certificate: None } => {
            handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, None)).await.ok()
        }
        Identity::Certified(certificate) => {
            let hash = hash(handle, settings, &certificate.algorithm(), true).await?;
            let mut agent = BareKey(identities.agent.as_mut()?);
            handle.authenticate_certificate_with(user, certificate, hash, &mut agent).await.ok()
        }
        Identity::Agent(held) => {
            let is_certified = matches!(held, AgentIdentity::Certificate { .. });
            let hash = hash(handle, settings, &held.public_key().algorithm(), is_certified).await?;
            let agent = identities.agent.as_mut()?;
            match held {
                AgentIdentity::PublicKey { key, .. } => {
                    handle.authenticate_publickey_with(user, key, hash, agent).await.ok()
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    handle.authenticate_certificate_with(user, certificate, hash, agent).await.ok()
                }
            }
        }
    }
}

/// Returns the hash of a signature, which only an RSA key chooses; none if no hash is allowed.
async fn hash(
    handle: &Handle<KeyCheck>,
    settings: &LoginSettings,
    kind: &Algorithm,
    is_certified: bool,
) -> Option<Option<HashAlg>> {
    if !matches!(kind, Algorithm::Rsa { .. }) {
        return Some(None);
    }
    let best = handle.best_supported_rsa_hash().await.ok().flatten().flatten();
    rsa_hash(best, &settings.accepted, is_certified).map(Some)
}

/// Returns the hash of an RSA signature: the best that the server and the configuration have. It's never SHA-1.
fn rsa_hash(best: Option<HashAlg>, accepted: &[String], is_certified: bool) -> Option<HashAlg> {
    let end = if is_certified { "-cert-v01@openssh.com" } else { "" };
    let is_accepted = |name: &str| accepted.iter().any(|accepted| accepted.strip_suffix(end) == Some(name));
    let (stronger, other) = ((HashAlg::Sha512, "rsa-sha2-512"), (HashAlg::Sha256, "rsa-sha2-256"));
    let had = if best == Some(HashAlg::Sha256) { vec![other] } else { vec![stronger, other] };
    had.into_iter().find(|(_, name)| is_accepted(name)).map(|(hash, _)| hash)
}

/// Returns the names of ways to log in, as OpenSSH lists them.
fn listed(methods: &MethodSet) -> String {
    methods.iter().map(<&str>::from).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rsa_key_signs_by_the_best_hash_that_both_sides_allow_or_not_at_all() {
        let (best, other) = (HashAlg::Sha512, HashAlg::Sha256);
        for (server, accepted, plain, certified) in [
            (None, "rsa-sha2-256,rsa-sha2-512", Some(best), None),
            (Some(other), "rsa-sha2-256,rsa-sha2-512", Some(other), None),
            (Some(other), "rsa-sha2-512", None, None),
            (Some(best), "rsa-sha2-256", Some(other), None),
            (Some(best), "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256", Some(other), Some(best)),
            (None, "ssh-rsa,ssh-rsa-cert-v01@openssh.com,ssh-ed25519", None, None),
        ] {
            let accepted: Vec<String> = accepted.split(',').map(str::to_owned).collect();
            let chosen = [false, true].map(|is_certified| rsa_hash(server, &accepted, is_certified));
            assert_eq!(chosen, [plain, certified], "{server:?} {accepted:?}");
        }
    }
}
