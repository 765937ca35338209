//! Authenticates a client (RFC 6749 section 2.3, RFC 7523 section 3, OpenID Connect Core section 9).
//!
//! A client must use its registered method. All failures have one response, whether the client is unknown, the secret or
//! the signature is wrong, or the method is; the reason is logged. Only a client that authenticated successfully
//! gets the error that it used the wrong method. The `jti` of an assertion is recorded last, after every other check, and per
//! issuer, so that no client can use up the assertion of another.

use std::sync::Arc;
use std::time::Duration;

use base::{Context, PlainToken, Rng, Secret};
use database::Database;
use jose::{Algorithm, ClaimError, ClaimsCheck, Jwk, JwkSet, Jws, MalformedJws, VerificationKeys, VerifyError};
use oauth_types::{ClientCredentials, MalformedCredentials};
use serde_json::{Map, Value};
use web::jwks::{Bounds, Documents, Policy, RemoteKeySets};
use web::outbound::{Client as HttpClient, Limits};

use super::{Clients, FailedSecrets, VerifiedSecrets};
use crate::domain::client::{Client, ClientId, TokenEndpointAuthMethod};
use crate::domain::client_secret::ClientSecretDigest;
use crate::storage::used_jtis;

/// The allowed skew of a client's clock.
const LEEWAY: Duration = Duration::from_secs(30);

/// How the key sets are cached that clients publish (`jwks_uri`).
const KEY_SETS: Policy = Policy {
    time_to_live: Duration::from_hours(1),
    stale_on_error: Duration::from_hours(1),
    longest_wait: Duration::from_secs(5),
    pause_after_failure: Duration::from_mins(1),
    pause_after_unknown_kid: Duration::from_mins(1),
};

/// The limits of fetching such a key set.
const KEY_SET_LIMITS: Limits = Limits { timeout: Duration::from_secs(5), max_bytes: 512 * 1024 };

/// A client that authenticated, or that needs no credentials.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(Arc<Client>);

impl AuthenticatedClient {
    pub fn client(&self) -> &Client {
        &self.0
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthenticateClientError {
    #[error(transparent)]
    Malformed(#[from] MalformedCredentials),
    /// The client is unknown or did not authenticate; nothing more is disclosed.
    #[error("the client is unknown, its credentials are wrong, or it is not registered for this authentication method")]
    Rejected,
    /// The client authenticated with a method that it is not registered for.
    #[error(
        "the client authenticated with '{}', but its token_endpoint_auth_method is '{}'",
        used.as_str(), registered.as_str()
    )]
    WrongMethod { used: TokenEndpointAuthMethod, registered: TokenEndpointAuthMethod },
    #[error("the client assertion is not accepted: {0}")]
    Assertion(#[from] AssertionRefusal),
    #[error("the client assertion was used before")]
    AssertionReplayed,
    /// Too many wrong secrets for this client from this network.
    #[error("too many wrong secrets were presented for this client from this address")]
    TooManyFailures { retry_after: Duration },
    /// Too many secrets are being verified at once, or the verification was interrupted.
    #[error("the secret could not be verified at the moment")]
    Interrupted,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// What is wrong with an assertion, as far as it does not reveal which clients exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionRefusal {
    #[error(transparent)]
    Malformed(#[from] MalformedJws),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("'iss' and 'sub' must be the client_id")]
    NotTheClient,
}

/// Why a client could not be authenticated. Only for the log: distinguishing these in the response would reveal which
/// clients exist and how they authenticate.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Rejection {
    #[error("the client_id is not a valid one")]
    InvalidId,
    #[error("the client is not registered")]
    UnknownClient,
    #[error("the client secret is wrong")]
    Secret,
    #[error("the client sent no credentials, but its token_endpoint_auth_method is not 'none'")]
    NoCredentials,
    #[error("the client is not registered for private_key_jwt")]
    NotRegisteredForAssertions,
    #[error("the client's keys or its token_endpoint_auth_signing_alg cannot be read")]
    NoKeys,
    #[error(transparent)]
    Signature(#[from] VerifyError),
}

pub(crate) struct ClientAuthenticator {
    database: Database,
    clients: Arc<Clients>,
    /// What an assertion may name as its audience.
    audiences: Vec<String>,
    verified_secrets: VerifiedSecrets,
    failed_secrets: FailedSecrets,
    remote_keys: RemoteKeySets,
}

impl ClientAuthenticator {
    pub(crate) fn new(
        database: Database,
        http: &HttpClient,
        rng: &Rng,
        clients: Arc<Clients>,
        audiences: Vec<String>,
    ) -> Self {
        let verified_secrets = VerifiedSecrets::new(rng);
        let failed_secrets = FailedSecrets::default();
        let documents = Documents::remote(http.with_limits(KEY_SET_LIMITS));
        let remote_keys = RemoteKeySets::new(documents, |_| true, Bounds::default());
        Self { database, clients, audiences, verified_secrets, failed_secrets, remote_keys }
    }

    pub(crate) async fn authenticate(
        &self,
        cx: &Context,
        credentials: ClientCredentials,
    ) -> Result<AuthenticatedClient, AuthenticateClientError> {
        use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost, None};
        match credentials {
            ClientCredentials::Basic { client_id, secret } => {
                self.check_secret(cx, &client_id, secret, ClientSecretBasic).await
            }
            ClientCredentials::Post { client_id, secret } => {
                self.check_secret(cx, &client_id, secret, ClientSecretPost).await
            }
            ClientCredentials::None { client_id } => {
                let client = self.known_client(cx, &client_id).await?;
                if client.metadata.token_endpoint_auth_method == None {
                    Ok(AuthenticatedClient(client))
                } else {
                    Err(rejected(cx, &client_id, Rejection::NoCredentials))
                }
            }
            ClientCredentials::Assertion { client_id, assertion } => {
                self.check_assertion(cx, client_id.as_deref(), assertion.expose()).await
            }
        }
    }

    async fn known_client(&self, cx: &Context, id: &str) -> Result<Arc<Client>, AuthenticateClientError> {
        let parsed = ClientId::parse(id).map_err(|_| rejected(cx, id, Rejection::InvalidId))?;
        let client = self.clients.find(cx.tenant, &parsed).await?;
        client.ok_or_else(|| rejected(cx, id, Rejection::UnknownClient))
    }

    async fn check_secret(
        &self,
        cx: &Context,
        id: &str,
        secret: Secret<String>,
        used: TokenEndpointAuthMethod,
    ) -> Result<AuthenticatedClient, AuthenticateClientError> {
        // Before any hashing, and in the same way for clients that do not exist.
        self.admit_secret(cx, id)?;
        let client = match self.known_client(cx, id).await {
            Err(error @ AuthenticateClientError::Rejected) => {
                self.failed_secrets.count(cx, id);
                return Err(error);
            }
            other => other?,
        };
        let quick = client.secrets.iter().any(|stored| {
            if stored.is_slow() {
                self.verified_secrets.contains(cx.tenant, &client.id, stored, secret.expose())
            } else {
                stored.matches(&client.id, secret.expose())
            }
        });
        if !quick && !self.matches_slow_secret(cx, &client, secret).await? {
            self.failed_secrets.count(cx, id);
            return Err(rejected(cx, id, Rejection::Secret));
        }
        // The secret is checked before the method, so that only the client itself learns its registered method.
        let registered = client.metadata.token_endpoint_auth_method;
        if registered == used {
            Ok(AuthenticatedClient(client))
        } else {
            Err(AuthenticateClientError::WrongMethod { used, registered })
        }
    }

    fn admit_secret(&self, cx: &Context, id: &str) -> Result<(), AuthenticateClientError> {
        let admit = self.failed_secrets.admit(cx, id);
        admit.map_err(|retry_after| AuthenticateClientError::TooManyFailures { retry_after })
    }

    /// Imported and chosen secrets: hashed once, on a blocking thread, then cached.
    async fn matches_slow_secret(
        &self,
        cx: &Context,
        client: &Client,
        secret: Secret<String>,
    ) -> Result<bool, AuthenticateClientError> {
        let slow: Vec<ClientSecretDigest> = client.secrets.iter().filter(|it| it.is_slow()).cloned().collect();
        if slow.is_empty() {
            return Ok(false);
        }
        let _permit = self.verified_secrets.hashing().await.ok_or(AuthenticateClientError::Interrupted)?;
        // Requests that waited for the first verification of a secret find it cached.
        let is_known = |stored| self.verified_secrets.contains(cx.tenant, &client.id, stored, secret.expose());
        if slow.iter().any(is_known) {
            return Ok(true);
        }
        // Count secrets that were compared during the wait.
        self.admit_secret(cx, client.id.as_str())?;
        let (id, presented) = (client.id.clone(), secret.clone());
        let search = move || slow.into_iter().find(|stored| stored.matches(&id, presented.expose()));
        let matched = tokio::task::spawn_blocking(search).await.map_err(|_| AuthenticateClientError::Interrupted)?;
        if let Some(stored) = &matched {
            self.verified_secrets.insert(cx.tenant, &client.id, stored, secret.expose());
        }
        Ok(matched.is_some())
    }

    async fn check_assertion(
        &self,
        cx: &Context,
        client_id: Option<&str>,
        assertion: &str,
    ) -> Result<AuthenticatedClient, AuthenticateClientError> {
        let jws = Jws::parse(assertion).map_err(AssertionRefusal::from)?;
        let claims: Map<String, Value> =
            jws.unverified_claims().ok_or(AssertionRefusal::Claim(ClaimError::Malformed("sub")))?;
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        let id = client_id.unwrap_or(subject);
        if subject != id || claims.get("iss").and_then(Value::as_str) != Some(id) {
            return Err(AssertionRefusal::NotTheClient.into());
        }
        let client = self.known_client(cx, id).await?;
        if client.metadata.token_endpoint_auth_method != TokenEndpointAuthMethod::PrivateKeyJwt {
            return Err(rejected(cx, id, Rejection::NotRegisteredForAssertions));
        }
        let no_keys = || rejected(cx, id, Rejection::NoKeys);
        let kid = jws.unverified_header().kid.clone();
        let keys = self.keys_of_client(cx, &client, kid.as_deref()).await.ok_or_else(no_keys)?;
        let algorithm = assertion_algorithm(&client).ok_or_else(no_keys)?;
        // The signature covers the same bytes that were parsed above.
        let verified = jws.verify(&keys, &[algorithm]).map_err(|error| rejected(cx, id, error.into()))?;
        let claims: Map<String, Value> =
            verified.claims().ok_or(AssertionRefusal::Claim(ClaimError::Malformed("sub")))?;
        let jti = self.check_assertion_claims(cx, id, &claims)?;

        let expires_at = jose::numeric_date(&claims, "exp").map_err(AssertionRefusal::from)?.unwrap_or(cx.now);
        let mut tx = self.database.write(cx.tenant).await?;
        let is_new =
            used_jtis::insert(&mut tx, id, PlainToken::received(jti).digest(), expires_at.plus(LEEWAY)).await?;
        tx.commit().await?;
        if is_new { Ok(AuthenticatedClient(client)) } else { Err(AuthenticateClientError::AssertionReplayed) }
    }

    /// RFC 7523 section 3. Returns the `jti`.
    fn check_assertion_claims(
        &self,
        cx: &Context,
        client_id: &str,
        claims: &Map<String, Value>,
    ) -> Result<String, AssertionRefusal> {
        let audiences: Vec<&str> = self.audiences.iter().map(String::as_str).collect();
        let check = ClaimsCheck {
            now: cx.now,
            leeway: LEEWAY,
            issuer: Some(client_id),
            audiences: &audiences,
            require_expiry: true,
        };
        check.check(claims)?;
        match claims.get("jti") {
            Some(Value::String(jti)) if !jti.is_empty() => Ok(jti.clone()),
            Some(_) => Err(ClaimError::Malformed("jti").into()),
            None => Err(ClaimError::Missing("jti").into()),
        }
    }

    /// The registered or published keys of a client.
    async fn keys_of_client(&self, cx: &Context, client: &Client, kid: Option<&str>) -> Option<Arc<VerificationKeys>> {
        let metadata = &client.metadata;
        if metadata.jwks_uri.is_empty() {
            let set = JwkSet::parse_understood(&Value::Object(metadata.jwks.clone())).ok()?;
            let public: Vec<Jwk> = set.keys.iter().map(Jwk::to_public).collect();
            return Some(Arc::new(public.iter().collect()));
        }
        self.remote_keys.find(cx, &metadata.jwks_uri, kid, &KEY_SETS).await.ok()
    }
}

/// The registered algorithm; RS256 by default (OpenID Connect Core section 9 leaves it to the server).
fn assertion_algorithm(client: &Client) -> Option<Algorithm> {
    match client.metadata.token_endpoint_auth_signing_alg.as_str() {
        "" => Some(Algorithm::RS256),
        registered => registered.parse().ok(),
    }
}

fn rejected(cx: &Context, client_id: &str, reason: Rejection) -> AuthenticateClientError {
    tracing::info!(request_id = %cx.request_id, client_id, %reason, "client authentication failed");
    AuthenticateClientError::Rejected
}
