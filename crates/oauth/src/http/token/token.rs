//! `POST /oauth2/token` (RFC 6749 section 3.2).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base::PlainToken;
use oauth_types::{ErrorCode, GrantType, Parameters, ScopeSet, TokenResponse};
use web::{Cx, NoStore};

use super::token_error::TokenError;
use crate::OAuth;
use crate::domain::redemption::RedeemCode;
use crate::http::client_form::ClientForm;
use crate::operations::authorize_client::AuthorizeClientRequest;
use crate::operations::refresh::RefreshRequest;

/// Each grant type with its parameters.
enum TokenGrant {
    AuthorizationCode(RedeemCode),
    RefreshToken(RefreshRequest),
    ClientCredentials(AuthorizeClientRequest),
}

pub(super) async fn post(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    form: ClientForm,
) -> Result<NoStore<Json<TokenResponse>>, TokenError> {
    let grant = TokenGrant::read(&form.parameters)?;
    let client = oauth.authenticator.authenticate(&cx, form.credentials()?).await?;
    // Boxed, because the layers around a handler move its future, which would be as large as that of the largest grant.
    let tokens = match grant {
        TokenGrant::AuthorizationCode(request) => Box::pin(oauth.redeem_code(&cx, &client, request)).await?,
        TokenGrant::RefreshToken(request) => Box::pin(oauth.refresh(&cx, &client, request)).await?,
        TokenGrant::ClientCredentials(request) => Box::pin(oauth.authorize_client(&cx, &client, request)).await?,
    };
    Ok(NoStore(Json(tokens.into())))
}

impl TokenGrant {
    fn read(form: &Parameters) -> Result<Self, TokenError> {
        let grant_type = form.require("grant_type")?;
        let text = |name| form.get(name).map(str::to_owned);
        let token = |name| form.require(name).map(PlainToken::received);
        match GrantType::parse(grant_type) {
            Some(GrantType::AuthorizationCode) => Ok(Self::AuthorizationCode(RedeemCode {
                code: token("code")?,
                redirect_uri: text("redirect_uri"),
                code_verifier: text("code_verifier"),
            })),
            Some(GrantType::RefreshToken) => Ok(Self::RefreshToken(RefreshRequest {
                refresh_token: token("refresh_token")?,
                scope: form.get("scope").map(ScopeSet::parse),
            })),
            Some(GrantType::ClientCredentials) => Ok(Self::ClientCredentials(AuthorizeClientRequest {
                scope: form.get("scope").map(ScopeSet::parse).unwrap_or_default(),
                audience: form.audience(),
            })),
            Some(GrantType::Implicit | GrantType::JwtBearer | GrantType::DeviceCode) | None => {
                Err(TokenError::new(ErrorCode::UnsupportedGrantType, format!("'{grant_type}' is not supported")))
            }
        }
    }
}
