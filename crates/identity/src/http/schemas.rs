//! `/schemas`: the identity schemas, for clients that render forms.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::LINK;
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use web::paging::{Listing, PageQuery};
use web::{Cx, Json, RestError};

use crate::Identity;
use crate::domain::flow::endpoint;

const LISTING: Listing<i64> = Listing::new("page of identity schemas", 250, 500);
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// The routes, which both ports serve.
pub(super) fn routes() -> Router<Arc<Identity>> {
    let routes = Router::new().route("/schemas", get(list)).route("/schemas/{id}", get(one));
    Router::new().nest("/admin", routes.clone()).merge(routes)
}

/// Both kinds of paging; the older one uses page numbers.
#[derive(Debug, Deserialize)]
struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    #[serde(rename = "page")]
    page_number: Option<String>,
    per_page: Option<String>,
}

/// `GET /schemas`.
async fn list(
    State(service): State<Arc<Identity>>,
    Cx(cx): Cx,
    Query(query): Query<ListQuery>,
) -> Result<Response, RestError> {
    let page_size = query.page.page_size.or(query.per_page);
    let query_page = PageQuery { page_size, page_token: query.page.page_token };
    let request = LISTING.request(&service.sealer, cx.tenant, &query_page)?;
    let size = i64::from(request.size);
    let offset = match query.page_number.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => {
            text.parse::<i64>().map_err(|_| RestError::bad_request("page: not a whole number"))?.saturating_mul(size)
        }
        None => request.after.unwrap_or(0),
    };
    let all: Vec<Value> = service
        .schemas
        .ids()
        .filter_map(|id| Some(json!({ "id": id, "schema": service.schemas.get(id)?.document() })))
        .collect();
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let items = all
        .into_iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(size).unwrap_or(usize::MAX))
        .collect();
    let end = offset.saturating_add(size);
    let page = base::Page { items, next: (end < total).then_some(end) };
    let base = endpoint(service.urls.public(), "schemas");
    let (items, link) = LISTING.links(&service.sealer, &cx, &base, request.size, page);
    Ok(([(LINK, link), (TOTAL_COUNT, HeaderValue::from(total))], Json(items)).into_response())
}

/// `GET /schemas/{id}`, by the id or its base64url form.
async fn one(State(service): State<Arc<Identity>>, Path(id): Path<String>) -> Result<Json<Value>, RestError> {
    let decoded = URL_SAFE_NO_PAD.decode(&id).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let found = service.schemas.get(&id).or_else(|| service.schemas.get(&decoded?));
    let schema = found.ok_or_else(|| RestError::not_found("There is no identity schema with this id."))?;
    Ok(Json(schema.document().clone()))
}
