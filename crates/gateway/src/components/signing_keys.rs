//! The signing keys of the `id_token` mutator, by the URL of their key set: `file://`, `base64://`, `http(s)://`, or the
//! key set that the server generated for this gateway.
//!
//! A set is loaded on first use and reloaded periodically; if reloading fails, the old one stays in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::Timestamp;
use jose::{JwkSet, SigningKey};
use serde_json::Value;
use web::jwks::{Documents, shown};

/// The key set that the server generated for this gateway, as a `jwks_url`.
pub const IN_PROCESS_KEYS: &str = "kleis://gateway/keys";

pub(crate) struct SigningKeys {
    documents: Documents,
    generated: JwkSet,
    loaded: Mutex<HashMap<String, Loaded>>,
}

#[derive(Clone)]
struct Loaded {
    keys: Arc<KeyPair>,
    read_at: Timestamp,
}

/// A key set and its signing key.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) set: JwkSet,
    pub(crate) signing: SigningKey,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key set `{url}` {reason}")]
pub(crate) struct SigningKeysError {
    url: String,
    reason: String,
}

const READ_AGAIN_AFTER: Duration = Duration::from_mins(1);

impl SigningKeys {
    pub(crate) fn new(documents: Documents, generated: JwkSet) -> Self {
        Self { documents, generated, loaded: Mutex::new(HashMap::new()) }
    }

    pub(crate) async fn get(&self, url: &str, now: Timestamp) -> Result<Arc<KeyPair>, SigningKeysError> {
        let known = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned();
        if let Some(loaded) = &known
            && now.since(loaded.read_at) < READ_AGAIN_AFTER
        {
            return Ok(loaded.keys.clone());
        }
        let keys = match (self.read(url).await, known) {
            (Ok(keys), _) => Arc::new(keys),
            (Err(error), Some(old)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the signing keys could not be reloaded");
                old.keys
            }
            (Err(error), None) => return Err(error),
        };
        let loaded = Loaded { keys: keys.clone(), read_at: now };
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned(), loaded);
        Ok(keys)
    }

    async fn read(&self, url: &str) -> Result<KeyPair, SigningKeysError> {
        let error = |reason: String| SigningKeysError { url: shown(url).to_owned(), reason };
        let set = if url == IN_PROCESS_KEYS {
            self.generated.clone()
        } else {
            let bytes = self.documents.read(url).await.map_err(|it| error(it.to_string()))?;
            let document: Value =
                serde_json::from_slice(&bytes).map_err(|_| error("is not a JSON document".to_owned()))?;
            JwkSet::parse_understood(&document).map_err(|it| error(format!("is not a key set: {it}")))?
        };
        let signing = choose(&set).map_err(error)?;
        Ok(KeyPair { set, signing })
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKeys")
    }
}

/// Reads the keys in order until both a private and a public one were found, and uses the last of each. The private key
/// signs under the `kid` of the public one, so that verifiers find it.
fn choose(set: &JwkSet) -> Result<SigningKey, String> {
    let (mut private, mut public) = (None, None);
    for key in &set.keys {
        if key.is_private() {
            private = Some(key);
        } else {
            public = Some(key);
        }
        if private.is_some() && public.is_some() {
            break;
        }
    }
    let mut key = private.ok_or_else(|| "contains no private key for signing".to_owned())?.clone();
    if let Some(kid) = public.and_then(|public| public.kid.clone()) {
        key.kid = Some(kid);
    }
    SigningKey::new(&key).map_err(|error| format!("contains a key that cannot sign: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use jose::{Algorithm, Jwk};

    fn keys(generated: JwkSet) -> SigningKeys {
        let http = web::outbound::Client::new(web::outbound::Destinations::Any, &base::TrustStore::bundled());
        SigningKeys::new(Documents::remote_and_local(http), generated)
    }

    fn key(kid: &str) -> Jwk {
        Jwk::generate(Algorithm::ES256, kid.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn sets_are_read_from_files_and_from_base64_urls() {
        let set = JwkSet { keys: vec![key("a")] };
        let text = set.to_private_value().to_string();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        std::fs::write(&path, &text).unwrap();
        let keys = keys(JwkSet { keys: vec![key("own")] });
        let kid = async |url: &str| keys.get(url, Timestamp::EPOCH).await.unwrap().signing.kid().map(str::to_owned);
        assert_eq!(kid(&format!("file://{}", path.display())).await.as_deref(), Some("a"));
        assert_eq!(kid(&format!("base64://{}", STANDARD.encode(&text))).await.as_deref(), Some("a"));
        assert_eq!(kid(IN_PROCESS_KEYS).await.as_deref(), Some("own"));
    }

    #[tokio::test]
    async fn a_set_is_reloaded_and_an_invalid_one_does_not_replace_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let url = format!("file://{}", path.display());
        let write = |kid: &str| {
            std::fs::write(&path, JwkSet { keys: vec![key(kid)] }.to_private_value().to_string()).unwrap();
        };
        let keys = keys(JwkSet::default());
        let at = Timestamp::from_unix_seconds;
        let kid = async |now| keys.get(&url, now).await.map(|pair| pair.signing.kid().unwrap().to_owned());
        assert!(kid(at(0)).await.is_err());
        write("a");
        assert_eq!(kid(at(0)).await.as_deref(), Ok("a"));
        write("b");
        assert_eq!(kid(at(59)).await.as_deref(), Ok("a"));
        assert_eq!(kid(at(61)).await.as_deref(), Ok("b"));
        std::fs::write(&path, "rubbish").unwrap();
        assert_eq!(kid(at(122)).await.as_deref(), Ok("b"));
    }

    #[test]
    fn the_signing_key_is_chosen_as_in_oathkeeper() {
        let kid = |keys: Vec<Jwk>| choose(&JwkSet { keys }).map(|key| key.kid().unwrap().to_owned());
        assert_eq!(kid(vec![key("a"), key("b")]).as_deref(), Ok("b"));
        assert_eq!(kid(vec![key("a"), key("x").to_public(), key("b")]).as_deref(), Ok("x"));
        assert!(kid(vec![key("a").to_public()]).is_err());
    }
}
