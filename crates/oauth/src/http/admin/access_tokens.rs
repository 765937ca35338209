//! `DELETE /admin/oauth2/tokens?client_id=`: revokes all access tokens of a client.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use web::Cx;

use super::admin_error::AdminError;
use crate::OAuth;
use crate::domain::client::ClientId;

#[derive(Deserialize)]
pub(super) struct OfClient {
    #[serde(default)]
    client_id: String,
}

pub(super) async fn delete(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(query): Query<OfClient>,
) -> Result<StatusCode, AdminError> {
    let client = ClientId::parse(&query.client_id)
        .map_err(|_| AdminError::invalid_request("Parameter 'client_id' is missing or malformed."))?;
    // A client that does not exist has no tokens, so the request succeeds.
    oauth.revoke_access_tokens(&cx, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
