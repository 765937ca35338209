//! The relying party's side of OpenID Connect: a public library over our HTTP client. The library discovers the provider,
//! redeems the code and verifies the ID token. State, nonce and the PKCE verifier come from our source of randomness; the time
//! comes from our clock.

use base::causes::chain;
use base::{Clock, Rng, Secret};
use chrono::DateTime;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreIdTokenClaims};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError, Scope, TokenResponse as _,
};
use url::Url;

use super::visits::{Departure, SignedIn};
use super::{Settings, Tools};

/// Why a sign-in failed. The texts are for the log and the details of the page.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignInError {
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    #[error("the provider answers {error}: {description}")]
    Refused { error: String, description: String },
    #[error("the response does not belong to a sign-in that began in this browser")]
    Foreign,
    #[error("the code was already used or has expired")]
    CodeOver,
    #[error("the code was not accepted: {0}")]
    Redemption(String),
    #[error("the ID token is not valid: {0}")]
    IdToken(String),
}

/// What a failed sign-in means for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The application was not allowed to use the account.
    Declined,
    /// The sign-in took too long, or the person must take part in it; another one can succeed.
    Over,
    Unavailable,
    /// The person can do nothing about it.
    Other,
}

impl SignInError {
    pub(super) fn failure(&self) -> Failure {
        match self {
            Self::Unreachable(_) => Failure::Unavailable,
            Self::Foreign | Self::CodeOver => Failure::Over,
            Self::Redemption(_) | Self::IdToken(_) => Failure::Other,
            // RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6.
            Self::Refused { error, .. } => match error.as_str() {
                "access_denied" => Failure::Declined,
                "login_required"
                | "interaction_required"
                | "consent_required"
                | "account_selection_required"
                | "request_unauthorized" => Failure::Over,
                "temporarily_unavailable" | "server_error" => Failure::Unavailable,
                _ => Failure::Other,
            },
        }
    }
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The error type that the library requires of an HTTP client.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct CallError(#[from] web::outbound::OutboundError);

async fn call(http: web::outbound::Client, request: HttpRequest) -> Result<HttpResponse, CallError> {
    let response = http.send(request.map(bytes::Bytes::from)).await?;
    Ok(response.map(|body| body.to_vec()))
}

async fn discover(settings: &Settings, tools: &Tools) -> Result<ProviderMetadataWithLogout, SignInError> {
    let http = |request| call(tools.http.clone(), request);
    // The issuer is compared as text (OpenID Connect Discovery section 4.3), and `Url` adds a slash at the end. The provider's
    // document says which of the two spellings it uses.
    let spelled = settings.issuer.as_str();
    let bare = ProviderMetadataWithLogout::discover_async(issuer(spelled.trim_end_matches('/'))?, &http).await;
    match bare {
        Ok(metadata) => Ok(metadata),
        Err(_) => ProviderMetadataWithLogout::discover_async(issuer(spelled)?, &http)
            .await
            .map_err(|error| SignInError::Unreachable(chain(&error))),
    }
}

fn issuer(text: &str) -> Result<IssuerUrl, SignInError> {
    IssuerUrl::new(text.to_owned()).map_err(|error| SignInError::Unreachable(error.to_string()))
}

fn client(settings: &Settings, metadata: ProviderMetadataWithLogout) -> Client {
    CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(settings.client_id.clone()),
        Some(ClientSecret::new(settings.client_secret.expose().clone())),
    )
    .set_redirect_uri(RedirectUrl::from_url(settings.redirect_uri()))
}

/// The URL at the provider that begins the sign-in, and the values that its response must match.
pub(super) async fn depart(settings: &Settings, tools: &Tools) -> Result<(Url, Departure), SignInError> {
    let metadata = discover(settings, tools).await?;
    let random = |rng: &Rng| rng.base64url::<32>();
    let departure = Departure {
        state: random(&tools.rng),
        nonce: random(&tools.rng),
        code_verifier: Secret::new(random(&tools.rng)),
    };
    let verifier = PkceCodeVerifier::new(departure.code_verifier.expose().clone());
    let (state, nonce) = (CsrfToken::new(departure.state.clone()), Nonce::new(departure.nonce.clone()));
    let (url, _, _) = client(settings, metadata)
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
        .add_scope(Scope::new("profile".into()))
        .add_scope(Scope::new("email".into()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok((url, departure))
}

/// The response of the provider (RFC 6749 sections 4.1.2 and 4.1.2.1).
#[derive(Debug, serde::Deserialize)]
pub(super) struct Arrival {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Redeems the code and verifies the ID token.
pub(super) async fn arrive(
    settings: &Settings,
    tools: &Tools,
    departure: Departure,
    arrival: Arrival,
) -> Result<SignedIn, SignInError> {
    if arrival.state.as_deref() != Some(departure.state.as_str()) {
        return Err(SignInError::Foreign);
    }
    let Some(code) = arrival.code else {
        let (error, description) = (arrival.error.unwrap_or_default(), arrival.error_description.unwrap_or_default());
        return Err(SignInError::Refused { error, description });
    };
    let client = client(settings, discover(settings, tools).await?);
    let http = |request| call(tools.http.clone(), request);
    let tokens = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|error| SignInError::Redemption(error.to_string()))?
        .set_pkce_verifier(PkceCodeVerifier::new(departure.code_verifier.expose().clone()))
        .request_async(&http)
        .await
        .map_err(|error| match &error {
            // RFC 6749 section 5.2.
            RequestTokenError::ServerResponse(answer) if *answer.error() == CoreErrorResponseType::InvalidGrant => {
                SignInError::CodeOver
            }
            RequestTokenError::Request(_) => SignInError::Unreachable(chain(&error)),
            RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                SignInError::Redemption(chain(&error))
            }
        })?;
    let id_token = tokens.id_token().ok_or_else(|| SignInError::IdToken("there is none".into()))?;
    let clock: Clock = tools.clock.clone();
    let verifier = client
        .id_token_verifier()
        .set_time_fn(move || DateTime::from_timestamp_micros(clock.now().unix_micros()).unwrap_or_default());
    let claims: &CoreIdTokenClaims = id_token
        .claims(&verifier, &Nonce::new(departure.nonce))
        .map_err(|error| SignInError::IdToken(chain(&error)))?;
    Ok(SignedIn {
        claims: serde_json::to_value(claims).unwrap_or_default(),
        id_token: Secret::new(id_token.to_string()),
        access_token: Secret::new(tokens.access_token().secret().clone()),
    })
}

/// The URL at the provider that begins a logout (OpenID Connect RP-Initiated Logout section 2); `None` when there is none.
pub(super) async fn sign_out_url(settings: &Settings, tools: &Tools, id_token: &str) -> Option<Url> {
    let metadata = discover(settings, tools).await.ok()?;
    let endpoint = metadata.additional_metadata().end_session_endpoint.clone()?;
    let mut url = LogoutRequest::from(endpoint)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(settings.at("/signed-out")))
        .http_get_url();
    url.query_pairs_mut().append_pair("id_token_hint", id_token);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_a_person_can_cause_is_distinguished_from_others() {
        let failure = |error: &str| SignInError::Refused { error: error.into(), description: String::new() }.failure();
        assert_eq!(failure("access_denied"), Failure::Declined);
        for over in ["login_required", "interaction_required", "consent_required", "request_unauthorized"] {
            assert_eq!(failure(over), Failure::Over, "{over}");
        }
        assert_eq!(failure("temporarily_unavailable"), Failure::Unavailable);
        for other in ["invalid_scope", "unauthorized_client", "", "<script>"] {
            assert_eq!(failure(other), Failure::Other, "{other}");
        }
        assert_eq!(SignInError::Foreign.failure(), Failure::Over);
        assert_eq!(SignInError::CodeOver.failure(), Failure::Over);
    }
}
