//! Publishes the public keys of `id_token` mutators, so that upstreams can verify the tokens.

use base::Context;
use jose::JwkSet;

use crate::service::Gateway;

/// No key set could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key set of the id_token mutators can be read")]
pub(crate) struct NoKeys;

impl Gateway {
    /// The keys of the global settings and of every rule. A set that cannot be read is skipped unless all fail.
    pub(crate) async fn publish_keys(&self, cx: &Context) -> Result<JwkSet, NoKeys> {
        let global = self.config.mutators.get("id_token").filter(|handler| handler.enabled);
        let global = global.and_then(|handler| handler.config.get("jwks_url")?.as_str().map(str::to_owned));
        let mut urls = self.rules.load().key_urls().to_vec();
        if let Some(global) = global.filter(|global| !urls.contains(global)) {
            urls.insert(0, global);
        }
        let (mut published, mut readable) = (JwkSet::default(), 0);
        for url in &urls {
            match self.services.signing_keys.get(url, cx.now).await {
                Ok(pair) => {
                    readable += 1;
                    for key in pair.set.keys.iter().map(jose::Jwk::to_public) {
                        let value = key.to_public_value();
                        if !published.keys.iter().any(|known| known.to_public_value() == value) {
                            published.keys.push(key);
                        }
                    }
                }
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a key set cannot be published"),
            }
        }
        if readable == 0 && !urls.is_empty() { Err(NoKeys) } else { Ok(published) }
    }
}
