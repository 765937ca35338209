//! Authorization requests (RFC 6749 section 4.1.1, RFC 7636, RFC 8252, RFC 9700, OpenID Connect Core section 3.1.2).
//!
//! A request is validated once, before the login, by [`AuthorizationRequest::validate`]; later steps pass the validated
//! request on, sealed. Invariants: an error is sent to the client only if its redirect URI is registered, and an
//! [`AuthorizationRequest`] requests nothing that its client is not allowed to have.

use oauth_types::{
    CodeChallenge, ErrorCode, GrantType, OAuthError, ParameterError, Parameters, Prompt, PromptSet, RedirectUri,
    ResponseMode, ResponseTypes, ScopeMatching, ScopeSet, redirect_uri_matches,
};
use serde::{Deserialize, Serialize};

use super::audience;
use super::client::Client;
use super::rejection::Rejection;

/// The minimum length of a value that must be hard to guess.
const MIN_UNGUESSABLE_LENGTH: usize = 8;

/// The configuration for authorization requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuthorizationRules {
    pub scope_matching: ScopeMatching,
    /// `oauth2.pkce.enforced`
    pub require_pkce: bool,
    /// `oauth2.pkce.enforced_for_public_clients`
    pub require_pkce_of_public_clients: bool,
    /// `dev`: codes may be sent over plain HTTP to any host.
    pub allow_insecure_redirects: bool,
}

/// Where and how to send a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTarget {
    /// Byte for byte the requested one, or the only registered one.
    pub redirect_uri: String,
    pub mode: ResponseMode,
    pub state: Option<String>,
}

/// A valid request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    pub target: ResponseTarget,
    /// What the response contains: a code, tokens, or both.
    pub response_types: ResponseTypes,
    /// The `redirect_uri` parameter was sent, so it must be sent again with the code (RFC 6749 section 4.1.3).
    pub redirect_uri_sent: bool,
    pub scope: ScopeSet,
    pub audience: Vec<String>,
    pub nonce: Option<String>,
    pub code_challenge: Option<CodeChallenge>,
    pub prompt: PromptSet,
    /// Seconds since the last active authentication.
    pub max_age: Option<u64>,
    pub id_token_hint: Option<String>,
    pub login_hint: Option<String>,
    pub display: Option<String>,
    pub acr_values: Vec<String>,
    pub ui_locales: Vec<String>,
    /// The type of account to register (an extension of Ory Hydra).
    pub identity_schema: Option<String>,
}

/// A rejected request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    pub error: RefusalError,
    /// `None`: the redirect URI is not trusted, so the error is shown to the user on the error page.
    pub target: Option<ResponseTarget>,
}

/// The origin and reason of a rejection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusalError {
    /// Rejected by this service.
    #[error("{0}")]
    Ours(OAuthError),
    /// Rejected by the login or consent application, with its own error.
    #[error("{}: {}", .0.error, .0.description)]
    Rejected(Rejection),
}

impl RefusalError {
    /// The `error` parameter.
    pub fn name(&self) -> &str {
        match self {
            Self::Ours(error) => error.code.as_str(),
            Self::Rejected(rejection) => &rejection.error,
        }
    }

    /// The `error_description` parameter.
    pub fn description(&self) -> String {
        match self {
            Self::Ours(error) => error.description(),
            Self::Rejected(rejection) => rejection.description.clone(),
        }
    }
}

impl Refusal {
    /// An error for the error page.
    pub fn to_person(code: ErrorCode, hint: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self { error: RefusalError::Ours(OAuthError::new(code, hint)), target: None }
    }

    /// An error for the client.
    pub fn to_client(target: &ResponseTarget, error: OAuthError) -> Self {
        Self { error: RefusalError::Ours(error), target: Some(target.clone()) }
    }

    /// The error of an application that rejected the request, for the client.
    pub fn rejected(target: &ResponseTarget, rejection: &Rejection) -> Self {
        Self { error: RefusalError::Rejected(rejection.clone()), target: Some(target.clone()) }
    }
}

impl From<ParameterError> for Refusal {
    fn from(error: ParameterError) -> Self {
        Self::to_person(ErrorCode::InvalidRequest, error.to_string())
    }
}

impl AuthorizationRequest {
    /// Validates the parameters of a request for `client`.
    pub fn validate(parameters: &Parameters, client: &Client, rules: AuthorizationRules) -> Result<Self, Refusal> {
        let mode = requested_mode(parameters)?;
        let redirect_uri = registered_redirect_uri(parameters, client)?;
        let types = ResponseTypes::parse(parameters.get("response_type").unwrap_or_default());
        let default_mode = types.as_ref().map_or(ResponseMode::Query, |types| types.default_mode());
        let mut target = ResponseTarget {
            redirect_uri: redirect_uri.as_str().to_owned(),
            mode: mode.unwrap_or(default_mode),
            state: parameters.get("state").map(str::to_owned),
        };
        if let Ok(types) = types
            && !types.allows_mode(target.mode)
        {
            // The error must not be sent in the query either, because the client does not expect it there.
            target.mode = ResponseMode::Fragment;
            let hint = "Tokens are sent in the fragment or in a form, never in the query.";
            return Err(Refusal::to_client(&target, OAuthError::new(ErrorCode::UnsupportedResponseMode, hint)));
        }
        let refuse = |error: OAuthError| Refusal::to_client(&target, error);

        check_rights(parameters, client, rules).map_err(refuse)?;
        check_unsupported(parameters).map_err(refuse)?;
        let request = Self::interpret(parameters, target.clone()).map_err(refuse)?;
        request.check_response_type(client).map_err(refuse)?;
        request.check_binding().map_err(refuse)?;
        request.check_pkce(client, rules).map_err(refuse)?;
        if !rules.allow_insecure_redirects && !redirect_uri.is_secure() {
            let hint = "A code is sent over plain HTTP only to the local machine: register an https redirect URI.";
            return Err(refuse(OAuthError::new(ErrorCode::InvalidRequest, hint)));
        }
        Ok(request)
    }

    /// Parses the parameters of a request that is or was validated.
    pub fn interpret(parameters: &Parameters, target: ResponseTarget) -> Result<Self, OAuthError> {
        let response_types = ResponseTypes::parse(parameters.get("response_type").unwrap_or_default())
            .map_err(|error| OAuthError::new(ErrorCode::UnsupportedResponseType, error.to_string()))?;
        let text = |name| parameters.get(name).map(str::to_owned);
        let words =
            |name| parameters.get(name).map(|value| ScopeSet::parse(value).as_slice().to_vec()).unwrap_or_default();
        let invalid = |error: &dyn std::error::Error| OAuthError::new(ErrorCode::InvalidRequest, error.to_string());
        let prompt = PromptSet::parse(parameters.get("prompt").unwrap_or_default()).map_err(|error| invalid(&error))?;
        let max_age = parameters.get("max_age").map(str::parse).transpose();
        let max_age =
            max_age.map_err(|_| OAuthError::new(ErrorCode::InvalidRequest, "max_age must be a number of seconds."))?;
        let method = parameters.get("code_challenge_method");
        let code_challenge = match parameters.get("code_challenge") {
            Some(challenge) => Some(CodeChallenge::parse(challenge, method).map_err(|error| invalid(&error))?),
            None if method.is_some() => {
                let hint = "code_challenge_method was sent without a code_challenge.";
                return Err(OAuthError::new(ErrorCode::InvalidRequest, hint));
            }
            None => None,
        };
        Ok(Self {
            target,
            response_types,
            redirect_uri_sent: parameters.get("redirect_uri").is_some(),
            scope: ScopeSet::parse(parameters.get("scope").unwrap_or_default()),
            audience: parameters.audience(),
            nonce: text("nonce"),
            code_challenge,
            prompt,
            max_age,
            id_token_hint: text("id_token_hint"),
            login_hint: text("login_hint"),
            display: text("display"),
            acr_values: words("acr_values"),
            ui_locales: words("ui_locales"),
            identity_schema: text("identity_schema"),
        })
    }

    pub fn is_openid(&self) -> bool {
        self.scope.contains("openid")
    }

    /// Whether no page may be shown.
    pub fn is_silent(&self) -> bool {
        self.prompt.contains(Prompt::None)
    }

    /// Whether an earlier consent may be reused for this request. A public client with a private-use scheme or plain HTTP
    /// can be impersonated by another application on the device, so it always requires consent (RFC 8252 section 8.6).
    pub fn may_skip_consent(&self, client: &Client) -> bool {
        if self.prompt.contains(Prompt::Consent) {
            return false;
        }
        let trusted_place = RedirectUri::parse(&self.target.redirect_uri)
            .is_ok_and(|uri| uri.is_secure() && matches!(uri.as_url().scheme(), "http" | "https"));
        !client.is_public() || trusted_place
    }

    fn check_response_type(&self, client: &Client) -> Result<(), OAuthError> {
        let types = self.response_types;
        if !client.response_types().any(|registered| ResponseTypes::parse(registered) == Ok(types)) {
            let hint = format!("The client may not use the response type '{types}'.");
            return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, hint));
        }
        // A disabled grant is rejected before the login, not when the code is redeemed.
        let needs_implicit = types.token || !types.code;
        let needed = [(types.code, GrantType::AuthorizationCode), (needs_implicit, GrantType::Implicit)].into_iter();
        for (_, grant_type) in needed.filter(|(is_needed, _)| *is_needed) {
            if !client.allows_grant_type(grant_type.as_str()) {
                let hint = format!("The client is not registered for the grant type '{grant_type}'.");
                return Err(OAuthError::new(ErrorCode::UnauthorizedClient, hint));
            }
        }
        if types.id_token && !self.is_openid() {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "An ID token requires the scope openid."));
        }
        // OpenID Connect Core sections 3.2.2.1 and 3.3.2.11: prevents replay of tokens from the front channel.
        if types.id_token && self.nonce.is_none() {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "nonce is required for this response type."));
        }
        Ok(())
    }

    /// The response must be bound to the browser that sent the request: by `state`, or else by PKCE (RFC 9700 section 2.1).
    fn check_binding(&self) -> Result<(), OAuthError> {
        match &self.target.state {
            Some(state) if state.len() < MIN_UNGUESSABLE_LENGTH => {
                let hint = format!("state must have at least {MIN_UNGUESSABLE_LENGTH} characters.");
                return Err(OAuthError::new(ErrorCode::InvalidState, hint));
            }
            None if self.code_challenge.is_none() => {
                let hint = "Send a state or a code_challenge.";
                return Err(OAuthError::new(ErrorCode::InvalidState, hint));
            }
            Some(_) | None => {}
        }
        match &self.nonce {
            Some(nonce) if self.is_openid() && nonce.len() < MIN_UNGUESSABLE_LENGTH => {
                let hint = format!("nonce must have at least {MIN_UNGUESSABLE_LENGTH} characters.");
                Err(OAuthError::new(ErrorCode::InsufficientEntropy, hint))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_pkce(&self, client: &Client, rules: AuthorizationRules) -> Result<(), OAuthError> {
        if !self.response_types.code {
            return Ok(());
        }
        let required = rules.require_pkce || (rules.require_pkce_of_public_clients && client.is_public());
        if required && self.code_challenge.is_none() {
            let hint = "This client must send a code_challenge with code_challenge_method S256.";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, hint));
        }
        Ok(())
    }
}

fn requested_mode(parameters: &Parameters) -> Result<Option<ResponseMode>, Refusal> {
    let Some(text) = parameters.get("response_mode") else { return Ok(None) };
    match ResponseMode::parse(text) {
        Some(mode) => Ok(Some(mode)),
        None => Err(Refusal::to_person(
            ErrorCode::UnsupportedResponseMode,
            "response_mode must be query, fragment or form_post.",
        )),
    }
}

/// RFC 6749 section 3.1.2.3. OpenID Connect Core section 3.1.2.1 always requires the parameter.
fn registered_redirect_uri(parameters: &Parameters, client: &Client) -> Result<RedirectUri, Refusal> {
    let registered = &client.metadata.redirect_uris;
    let refuse = |hint: &'static str| Refusal::to_person(ErrorCode::InvalidRequest, hint);
    let Some(text) = parameters.get("redirect_uri") else {
        let is_openid = ScopeSet::parse(parameters.get("scope").unwrap_or_default()).contains("openid");
        return match registered.as_slice() {
            _ if is_openid => Err(refuse("redirect_uri is required with the scope openid.")),
            [only] => RedirectUri::parse(only).map_err(|_| refuse("The registered redirect URI is not valid.")),
            [] => Err(refuse("The client has registered no redirect URI.")),
            [_, _, ..] => Err(refuse("redirect_uri is required: the client has registered several.")),
        };
    };
    let requested =
        RedirectUri::parse(text).map_err(|_| refuse("redirect_uri must be an absolute URI without fragment."))?;
    if registered.iter().any(|uri| redirect_uri_matches(uri, &requested)) {
        Ok(requested)
    } else {
        Err(refuse("redirect_uri is not one of the client's registered redirect URIs."))
    }
}

fn check_rights(parameters: &Parameters, client: &Client, rules: AuthorizationRules) -> Result<(), OAuthError> {
    let requested = ScopeSet::parse(parameters.get("scope").unwrap_or_default());
    let allowed: ScopeSet = client.scopes().collect();
    if let Some(scope) = allowed.first_uncovered(&requested, rules.scope_matching) {
        let hint = format!("The client may not request the scope '{scope}'.");
        return Err(OAuthError::new(ErrorCode::InvalidScope, hint));
    }
    let requested = parameters.audience();
    if let Some(refused) = audience::first_uncovered(&client.metadata.audience, &requested) {
        let hint = format!("The client may not request the audience '{refused}'.");
        return Err(OAuthError::new(ErrorCode::InvalidRequest, hint));
    }
    Ok(())
}

fn check_unsupported(parameters: &Parameters) -> Result<(), OAuthError> {
    let parameters_without_support = [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ];
    match parameters_without_support.into_iter().find(|(name, _)| parameters.get(name).is_some()) {
        Some((_, code)) => Err(code.into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
