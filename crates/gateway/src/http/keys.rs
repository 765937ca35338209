//! `GET /.well-known/jwks.json`: the keys that verify ID tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use web::{Cx, RestError};

use crate::operations::publish_keys::NoKeys;
use crate::service::Gateway;

pub(super) async fn get(State(gateway): State<Arc<Gateway>>, Cx(cx): Cx) -> Result<Json<Value>, RestError> {
    match gateway.publish_keys(&cx).await {
        Ok(keys) => Ok(Json(keys.to_public_value())),
        Err(NoKeys) => Err(RestError::internal()),
    }
}
