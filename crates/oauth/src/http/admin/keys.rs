//! `/admin/keys/{set}` and `/admin/keys/{set}/{kid}`: key sets. Private parts are returned to authorized callers
//! ([`MayReadPrivateKeys`]); others get the public parts.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jose::{Jwk, JwkError, JwkSet};
use oauth_types::{ErrorCode, OAuthError};
use serde::Deserialize;
use serde_json::Value;
use web::{Cx, JsonRejection, MayReadPrivateKeys, NoStore};

use super::admin_error::AdminError;
use super::clients::path_segment;
use crate::OAuth;
use crate::components::signing_keys::SigningKeyError;
use crate::operations::manage_keys::{ManageKeysError, NewKey};

/// `createJsonWebKeySet`.
#[derive(Deserialize)]
pub(super) struct CreateKey {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    key_use: Option<String>,
}

pub(super) async fn get_set(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    shown: Shown,
    Path(set): Path<String>,
) -> Result<Response, AdminError> {
    Ok(shown.set(&oauth.key_sets.get_set(&cx, &set).await?))
}

pub(super) async fn create(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    shown: Shown,
    Path(set): Path<String>,
    body: Result<web::Json<CreateKey>, JsonRejection>,
) -> Result<Response, AdminError> {
    let web::Json(body) = body?;
    let new =
        NewKey { algorithm: body.alg, kid: body.kid.unwrap_or_default(), key_use: body.key_use.unwrap_or_default() };
    let key = oauth.key_sets.create(&cx, &set, new).await?;
    let location = format!("/admin/keys/{}", path_segment(&set));
    let body = shown.set(&JwkSet { keys: vec![key] });
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], body).into_response())
}

pub(super) async fn replace_set(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    shown: Shown,
    Path(set): Path<String>,
    body: Result<web::Json<Value>, JsonRejection>,
) -> Result<Response, AdminError> {
    let web::Json(body) = body?;
    let keys = JwkSet::parse(&body)?;
    Ok(shown.set(&oauth.key_sets.replace_set(&cx, &set, keys).await?))
}

pub(super) async fn delete_set(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(set): Path<String>,
) -> Result<StatusCode, AdminError> {
    oauth.key_sets.delete_set(&cx, &set).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn get_key(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    shown: Shown,
    Path((set, kid)): Path<(String, String)>,
) -> Result<Response, AdminError> {
    let key = oauth.key_sets.get(&cx, &set, &kid).await?;
    Ok(shown.set(&JwkSet { keys: vec![key] }))
}

pub(super) async fn replace_key(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    shown: Shown,
    Path((set, kid)): Path<(String, String)>,
    body: Result<web::Json<Value>, JsonRejection>,
) -> Result<Response, AdminError> {
    let web::Json(body) = body?;
    let key = oauth.key_sets.replace(&cx, &set, &kid, Jwk::parse(&body)?).await?;
    Ok(shown.key(&key))
}

pub(super) async fn delete_key(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path((set, kid)): Path<(String, String)>,
) -> Result<StatusCode, AdminError> {
    oauth.key_sets.delete(&cx, &set, &kid).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The parts of keys that the caller gets.
pub(super) enum Shown {
    Private,
    Public,
}

impl<S: Sync> FromRequestParts<S> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let may_read = parts.extensions.get::<MayReadPrivateKeys>().is_some();
        Ok(if may_read { Self::Private } else { Self::Public })
    }
}

impl Shown {
    fn set(&self, set: &JwkSet) -> Response {
        let document = match self {
            Self::Private => set.to_private_value(),
            Self::Public => set.to_public_value(),
        };
        NoStore(Json(document)).into_response()
    }

    fn key(&self, key: &Jwk) -> Response {
        let document = match self {
            Self::Private => key.to_private_value(),
            Self::Public => key.to_public_value(),
        };
        NoStore(Json(document)).into_response()
    }
}

impl From<JwkError> for AdminError {
    fn from(error: JwkError) -> Self {
        Self::invalid_request(error.to_string())
    }
}

impl From<ManageKeysError> for AdminError {
    fn from(error: ManageKeysError) -> Self {
        match error {
            ManageKeysError::Algorithm(_)
            | ManageKeysError::KeyUse
            | ManageKeysError::KidMissing
            | ManageKeysError::NameTooLong(_)
            | ManageKeysError::NothingSigns => Self::invalid_request(error.to_string()),
            ManageKeysError::KidTaken(_) => {
                let description = OAuthError::new(ErrorCode::InvalidRequest, error.to_string()).description();
                Self::new(StatusCode::CONFLICT, "The resource is in conflict with another", &description)
            }
            ManageKeysError::NotFound => Self::not_found(),
            ManageKeysError::Key(error) => error.into(),
            ManageKeysError::Database(error) => error.into(),
        }
    }
}

impl From<SigningKeyError> for AdminError {
    fn from(error: SigningKeyError) -> Self {
        match error {
            SigningKeyError::Database(error) => error.into(),
            SigningKeyError::NoUsableKey(_) | SigningKeyError::Generate(_) | SigningKeyError::Interrupted => {
                tracing::error!(error = &error as &dyn std::error::Error, "a key could not be generated");
                Self::oauth(&ErrorCode::ServerError.into())
            }
        }
    }
}
