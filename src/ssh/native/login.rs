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
            let hash = hash(handle, settings, &key.algorithm()).await;
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
            let hash = hash(handle, settings, &certificate.algorithm()).await;
            let mut agent = BareKey(identities.agent.as_mut()?);
            handle.authenticate_certificate_with(user, certificate, hash, &mut agent).await.ok()
        }
        Identity::Agent(held) => {
            let hash = hash(handle, settings, &held.public_key().algorithm()).await;
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

/// Returns the hash of an RSA signature: the best that the server and the configuration have. It's never SHA-1.
async fn hash(handle: &Handle<KeyCheck>, settings: &LoginSettings, kind: &Algorithm) -> Option<HashAlg> {
    if !matches!(kind, Algorithm::Rsa { .. }) {
        return None;
    }
    let best = handle.best_supported_rsa_hash().await.ok().flatten().flatten();
    let allowed = |name: &str| settings.accepted.iter().any(|accepted| accepted.starts_with(name));
    if best == Some(HashAlg::Sha256) || !allowed("rsa-sha2-512") {
        Some(HashAlg::Sha256)
    } else {
        Some(HashAlg::Sha512)
    }
}

/// Returns the names of ways to log in, as OpenSSH lists them.
fn listed(methods: &MethodSet) -> String {
    methods.iter().map(<&str>::from).collect::<Vec<_>>().join(",")
}
