//! `/admin/clients`: registered clients.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::Secret;
use base::json_patch::PatchOperation;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use web::paging::{Listing, PageQuery};
use web::{Cx, Json, NoStore};

use super::admin_error::AdminError;
use super::documents::ClientDocument;
use super::listing::{listing_links, listing_url};
use crate::OAuth;
use crate::domain::client::{ClientId, ClientLifespans, ClientMetadata, TokenEndpointAuthMethod};
use crate::operations::create_client::NewClient;
use crate::operations::update_client::{ClientUpdate, UpdatedClient};
use crate::storage::clients::ClientFilter;

const LISTING: Listing<ClientId> = Listing::new("page of oauth clients", 100, 500);

/// The members of the document that are not metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Credentials {
    client_id: Option<String>,
    client_secret: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    client_name: Option<String>,
    owner: Option<String>,
}

pub(super) async fn list(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, AdminError> {
    let request = LISTING.request(&oauth.sealer, cx.tenant, &page)?;
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = ClientFilter { client_name: present(filter.client_name), owner: present(filter.owner) };
    let found = oauth.clients.list(&cx, &filter, &request).await?;
    let pairs = [("client_name", &filter.client_name), ("owner", &filter.owner)];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let base = listing_url(&oauth, "/admin/clients", pairs)?;
    let (clients, links) = LISTING.links(&oauth.sealer, &cx, &base, request.size, found);
    let documents: Vec<_> = clients.iter().map(ClientDocument::of).collect();
    Ok(([(header::LINK, listing_links(&oauth, links))], Json(documents)).into_response())
}

pub(super) async fn create(State(oauth): State<Arc<OAuth>>, Cx(cx): Cx, body: Bytes) -> Result<Response, AdminError> {
    let (credentials, metadata) = decode(&body)?;
    let id = match credentials.client_id.filter(|id| !id.is_empty()) {
        Some(id) => {
            Some(ClientId::parse(&id).map_err(|error| AdminError::invalid_request(format!("client_id: {error}")))?)
        }
        None => None,
    };
    let secret = credentials.client_secret.filter(|secret| !secret.is_empty()).map(Secret::new);
    let created = oauth.clients.create(&cx, NewClient { id, secret, metadata }).await?;
    // A public client does not authenticate with a secret.
    let is_public = created.client.metadata.token_endpoint_auth_method == TokenEndpointAuthMethod::None;
    let document = ClientDocument::of(&created.client)
        .with_secret(created.secret.as_ref().filter(|_| !is_public))
        .with_registration(&created.registration_access_token);
    let location = format!("/admin/clients/{}", path_segment(created.client.id.as_str()));
    let location = HeaderValue::from_str(&location).unwrap_or_else(|_| HeaderValue::from_static("/admin/clients"));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], NoStore(Json(document.to_value()))).into_response())
}

pub(super) async fn get(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<Json<Value>, AdminError> {
    let client = oauth.clients.get(&cx, &existing(&id)?).await?;
    Ok(Json(ClientDocument::of(&client).to_value()))
}

pub(super) async fn put(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<NoStore<Json<Value>>, AdminError> {
    let (credentials, metadata) = decode(&body)?;
    if credentials.client_id.as_deref().is_some_and(|named| !named.is_empty() && named != id) {
        return Err(AdminError::invalid_request(
            "client_id: does not match the client of this URL and cannot be changed",
        ));
    }
    let secret = credentials.client_secret.filter(|secret| !secret.is_empty()).map(Secret::new);
    let updated = oauth.clients.update(&cx, &existing(&id)?, ClientUpdate { secret, metadata }).await?;
    Ok(present(&updated))
}

pub(super) async fn patch(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<NoStore<Json<Value>>, AdminError> {
    let operations: Vec<PatchOperation> = Json::decode(&body)?;
    let updated = oauth.clients.patch(&cx, &existing(&id)?, &operations).await?;
    Ok(present(&updated))
}

pub(super) async fn delete(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<StatusCode, AdminError> {
    oauth.clients.delete(&cx, &existing(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn put_lifespans(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, AdminError> {
    let lifespans: ClientLifespans = Json::decode(&body)?;
    let client = oauth.clients.set_lifespans(&cx, &existing(&id)?, lifespans).await?;
    Ok(Json(ClientDocument::of(&client).to_value()))
}

pub(super) async fn rotate_secret(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<NoStore<Json<Value>>, AdminError> {
    let (client, secret) = oauth.clients.rotate_secret(&cx, &existing(&id)?).await?;
    Ok(NoStore(Json(ClientDocument::of(&client).with_secret(Some(&secret)).to_value())))
}

pub(super) async fn drop_rotated_secrets(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<Json<Value>, AdminError> {
    let client = oauth.clients.drop_rotated_secrets(&cx, &existing(&id)?).await?;
    Ok(Json(ClientDocument::of(&client).to_value()))
}

/// A document is parsed as metadata and as credentials; unknown members are ignored.
fn decode(body: &[u8]) -> Result<(Credentials, ClientMetadata), AdminError> {
    // Parsed separately, an invalid lifespan is named in the error; as part of the metadata it is not.
    Json::<ClientLifespans>::decode(body).map_err(AdminError::metadata)?;
    let credentials = Json::decode(body).map_err(AdminError::metadata)?;
    Ok((credentials, Json::decode(body).map_err(AdminError::metadata)?))
}

fn present(updated: &UpdatedClient) -> NoStore<Json<Value>> {
    NoStore(Json(ClientDocument::of(&updated.client).with_secret(updated.secret.as_ref()).to_value()))
}

/// An invalid id belongs to no client.
fn existing(id: &str) -> Result<ClientId, AdminError> {
    ClientId::parse(id).map_err(|_| AdminError::not_found())
}

/// Encodes text as one segment of a path.
pub(super) fn path_segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
