//! `GET /namespaces`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use web::RestError;

use crate::Permissions;

#[derive(Serialize)]
pub(super) struct Namespaces {
    namespaces: Vec<Namespace>,
}

#[derive(Serialize)]
struct Namespace {
    name: String,
}

pub(super) async fn list(State(permissions): State<Arc<Permissions>>) -> Result<Json<Namespaces>, RestError> {
    let namespaces = permissions.list_namespaces()?.into_iter().map(|name| Namespace { name });
    Ok(Json(Namespaces { namespaces: namespaces.collect() }))
}
