//! Signs for a certificate with the bare key that the agent has, which needn't have the certificate.
use russh::{
    AgentAuthError, Signer,
    keys::{
        HashAlg,
        agent::{AgentIdentity, client::AgentClient},
    },
};
use tokio::net::UnixStream;

/// The agent, which signs with the bare key of a certificate.
pub(super) struct BareKey<'a>(pub &'a mut AgentClient<UnixStream>);

impl Signer for BareKey<'_> {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        identity: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        let bare = AgentIdentity::from(identity.public_key().into_owned());
        Ok(self.0.sign_request(&bare, hash, to_sign).await?)
    }
}
