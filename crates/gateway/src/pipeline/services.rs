//! What handlers need beside the request: the other services, the outbound client, keys and caches that outlive a rule.

use base::Rng;
use jose::{Jwk, JwkSet, KeyUse};
use web::jwks::{Documents, RemoteKeySets};

use super::in_process::InProcess;
use crate::components::signing_keys::SigningKeys;
use crate::components::verified_tokens::VerifiedTokens;

/// Shared by all rules.
pub(crate) struct Services {
    pub(crate) rng: Rng,
    pub(crate) http: web::outbound::Client,
    pub(crate) in_process: InProcess,
    pub(crate) signing_keys: SigningKeys,
    pub(super) verification_keys: RemoteKeySets,
    pub(super) verified_tokens: VerifiedTokens,
}

impl Services {
    pub(crate) fn new(rng: Rng, http: web::outbound::Client, in_process: InProcess, generated_keys: JwkSet) -> Self {
        let documents = Documents::remote_and_local(http.clone());
        // A key without a name or with another use verifies no access token.
        let is_usable = |key: &Jwk| key.kid.is_some() && key.key_use == Some(KeyUse::Signature);
        Self {
            signing_keys: SigningKeys::new(documents.clone(), generated_keys),
            verification_keys: RemoteKeySets::new(documents, is_usable, web::jwks::Bounds::default()),
            verified_tokens: VerifiedTokens::new(),
            rng,
            http,
            in_process,
        }
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("in_process", &self.in_process).finish_non_exhaustive()
    }
}
