//! `POST /oauth2/revoke` (RFC 7009 section 2).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use base::PlainToken;
use web::{Cx, NoStore};

use super::token_error::TokenError;
use crate::OAuth;
use crate::http::client_form::ClientForm;

/// `token_type_hint` is not needed: tokens contain their type.
pub(super) async fn post(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    form: ClientForm,
) -> Result<NoStore<StatusCode>, TokenError> {
    let client = oauth.authenticator.authenticate(&cx, form.credentials()?).await?;
    let token = PlainToken::received(form.parameters.require("token")?);
    oauth.revoke_token(&cx, &client, &token).await?;
    Ok(NoStore(StatusCode::OK))
}
