//! `/admin/identities`: create, read, replace, patch and delete identities, individually and in batches.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base::json_patch::PatchOperation;
use base::{Context, PageRequest};
use http::header::{LINK, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use web::paging::Listing;
use web::{Cx, Json, RestError};

use super::body::{CreateIdentity, PatchIdentities, UpdateIdentity};
use super::query::Query;
use super::{admin_url, error::not_found, view};
use crate::Identity;
use crate::domain::{CredentialType, IdentityId, identifier};
use crate::operations::batch_create::BatchOutcome;
use crate::storage::identities::{Filter, ListKey};

const LISTING: Listing<ListKey> = Listing::new("page of identities", 250, 500);
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// The maximum offset of the older paging, which scans every row that it skips.
const MAX_OFFSET: u32 = 1000;
const MAX_IDS: usize = 500;

/// `POST /admin/identities`.
pub(super) async fn create(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    body: Result<Json<CreateIdentity>, web::JsonRejection>,
) -> Result<Response, RestError> {
    let Json(body) = body?;
    let created = service.create_identity(&cx, body.into()).await?;
    let location = admin_url(&service, &format!("identities/{}", created.id));
    let location = HeaderValue::from_str(location.as_str()).map_err(|_| RestError::internal())?;
    let shown = view::written_identity(&service, &created);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(shown)).into_response())
}

/// `PATCH /admin/identities`.
pub(super) async fn batch(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    body: Result<Json<PatchIdentities>, web::JsonRejection>,
) -> Result<Json<Value>, RestError> {
    let Json(body) = body?;
    let outcomes = service.batch_create(&cx, body.into()).await?;
    let shown: Vec<Value> = outcomes.into_iter().map(outcome).collect();
    Ok(Json(json!({ "identities": shown })))
}

fn outcome(BatchOutcome { patch_id, result }: BatchOutcome) -> Value {
    let mut shown = match result {
        Ok(id) => json!({ "action": "create", "identity": id }),
        Err(error) => {
            let error = RestError::from(error).to_value();
            json!({ "action": "error", "error": error.get("error") })
        }
    };
    if let Some(patch_id) = patch_id {
        shown["patch_id"] = json!(patch_id);
    }
    shown
}

/// `GET /admin/identities/{id}`.
pub(super) async fn get(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, RestError> {
    let included = included(&query)?;
    let identity = service.get_identity(&cx, parse(&id)?).await?.ok_or_else(not_found)?;
    Ok(Json(view::identity(&service, &identity, Some(&included))).into_response())
}

/// `GET /admin/identities/by/external/{externalID}`.
pub(super) async fn get_by_external_id(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(external_id): Path<String>,
    query: Query,
) -> Result<Response, RestError> {
    let included = included(&query)?;
    let identity = service.get_identity_by_external_id(&cx, &external_id).await?.ok_or_else(not_found)?;
    Ok(Json(view::identity(&service, &identity, Some(&included))).into_response())
}

/// `PUT /admin/identities/{id}`.
pub(super) async fn update(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    body: Result<Json<UpdateIdentity>, web::JsonRejection>,
) -> Result<Response, RestError> {
    let Json(body) = body?;
    let updated = service.update_identity(&cx, parse(&id)?, body.into()).await?;
    Ok(Json(view::written_identity(&service, &updated)).into_response())
}

/// `PATCH /admin/identities/{id}` (RFC 6902).
pub(super) async fn patch(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
    body: Result<Json<Vec<PatchOperation>>, web::JsonRejection>,
) -> Result<Response, RestError> {
    let Json(operations) = body?;
    let patched = service.patch_identity(&cx, parse(&id)?, &operations).await?;
    Ok(Json(view::identity(&service, &patched, Some(&BTreeSet::new()))).into_response())
}

/// `DELETE /admin/identities/{id}`.
pub(super) async fn delete(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path(id): Path<String>,
) -> Result<StatusCode, RestError> {
    service.delete_identity(&cx, parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /admin/identities/{id}/credentials/{type}`.
pub(super) async fn delete_credential(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Path((id, kind)): Path<(String, String)>,
    query: Query,
) -> Result<StatusCode, RestError> {
    let unknown = || RestError::bad_request(format!("type: \"{kind}\" is not a credential type"));
    let kind = CredentialType::parse(&kind).ok_or_else(unknown)?;
    service.delete_credential(&cx, parse(&id)?, kind, query.get("identifier")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /admin/identities`.
pub(super) async fn list(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    query: Query,
) -> Result<Response, RestError> {
    let included = included(&query)?;
    let (filter, request) = filter(&service, &cx, &query)?;
    // A search by identifier includes the credentials that it matched.
    let shows_credentials =
        !included.is_empty() || matches!(filter, Filter::Identifier(_) | Filter::IdentifierBeginning(_));
    let found = service.list_identities(&cx, &filter, &request, shows_credentials).await?;
    let mut base = admin_url(&service, "identities");
    query.filters_onto(&mut base);
    let (identities, link) = LISTING.links(&service.sealer, &cx, &base, request.size, found.page);
    let shown =
        identities.iter().map(|identity| view::identity(&service, identity, shows_credentials.then_some(&included)));
    let mut response = Json(shown.collect::<Vec<_>>()).into_response();
    if let Some(total) = found.total {
        response.headers_mut().insert(TOTAL_COUNT, HeaderValue::from(total));
    }
    response.headers_mut().insert(LINK, link);
    Ok(response)
}

fn filter(service: &Identity, cx: &Context, query: &Query) -> Result<(Filter, PageRequest<ListKey>), RestError> {
    let mut filters = Vec::new();
    let ids = query.all("ids").flat_map(|list| list.split(',')).map(parse_field).collect::<Result<Vec<_>, _>>()?;
    if ids.len() > MAX_IDS {
        return Err(RestError::bad_request(format!("ids: at most {MAX_IDS} are allowed")).with_detail("field", "ids"));
    }
    if !ids.is_empty() {
        filters.push(Filter::Ids(ids));
    }
    if let Some(text) = query.get("credentials_identifier") {
        filters.push(Filter::Identifier(identifier::normalize_text(text)));
    }
    if let Some(text) = query.get("preview_credentials_identifier_similar") {
        filters.push(Filter::IdentifierBeginning(identifier::normalize_text(text)));
    }
    if let Some(text) = query.get("organization_id") {
        let id = text.parse::<Uuid>();
        filters.push(Filter::Organization(id.map_err(|_| RestError::bad_request("organization_id: not a UUID"))?));
    }
    let filter = match (filters.len(), filters.pop()) {
        (0, _) | (_, None) => Filter::All,
        (1, Some(filter)) => filter,
        _ => return Err(RestError::bad_request("only one filter can be used at a time")),
    };
    let mut paging = query.page();
    // A list of ids returns all of them by default.
    if matches!(filter, Filter::Ids(_)) && paging.page_size.is_none() {
        paging.page_size = Some(MAX_IDS.to_string());
    }
    let request = LISTING.request(&service.sealer, cx.tenant, &paging)?;
    if request.after.as_ref().is_some_and(|key| !filter.accepts(key)) {
        return Err(RestError::bad_request("page_token: not a token of this listing"));
    }
    match (query.number("page")?, &filter) {
        (Some(page), Filter::All) if query.get("page_token").is_none() => {
            let offset = page.saturating_mul(request.size);
            if offset > MAX_OFFSET {
                return Err(RestError::bad_request("page: exceeds the maximum offset; use page_token instead")
                    .with_detail("field", "page"));
            }
            Ok((Filter::Offset(i64::from(offset)), request))
        }
        _ => Ok((filter, request)),
    }
}

fn parse_field(text: &str) -> Result<IdentityId, RestError> {
    text.trim().parse().map_err(|_| RestError::bad_request("ids: not a UUID").with_detail("field", "ids"))
}

/// The types of credentials whose configuration is requested.
fn included(query: &Query) -> Result<BTreeSet<CredentialType>, RestError> {
    query
        .all("include_credential")
        .map(|text| {
            CredentialType::parse(text).ok_or_else(|| {
                RestError::bad_request(format!("include_credential: \"{text}\" is not a credential type"))
                    .with_detail("field", "include_credential")
            })
        })
        .collect()
}

/// A text that is not a UUID matches no identity.
fn parse(id: &str) -> Result<IdentityId, RestError> {
    id.parse().map_err(|_| not_found())
}
