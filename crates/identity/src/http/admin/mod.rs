//! The admin API: identities, credentials, sessions, recovery and the courier's messages. It is served under `/admin`
//! and without that prefix, because clients use both.

mod body;
mod error;
mod identities;
mod messages;
mod query;
mod recovery;
mod sessions;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, patch, post};
use url::Url;

use crate::Identity;
use crate::domain::flow::endpoint;

/// The route table.
pub(super) fn routes() -> Router<Arc<Identity>> {
    let routes = web::bounds::take_lists(Router::new().route("/identities", patch(identities::batch)))
        .route("/identities", get(identities::list).post(identities::create))
        .route(
            "/identities/{id}",
            get(identities::get).put(identities::update).patch(identities::patch).delete(identities::delete),
        )
        .route("/identities/by/external/{external_id}", get(identities::get_by_external_id))
        .route("/identities/{id}/credentials/{type}", delete(identities::delete_credential))
        .route("/identities/{id}/sessions", get(sessions::list_of_identity).delete(sessions::delete_of_identity))
        .route("/sessions", get(sessions::list).post(sessions::manage))
        .route("/sessions/{id}", get(sessions::get).delete(sessions::disable))
        .route("/sessions/{id}/extend", patch(sessions::extend))
        .route("/recovery/code", post(recovery::create_code))
        .route("/recovery/link", post(recovery::create_link))
        .route("/courier/messages", get(messages::list))
        .route("/courier/messages/{id}", get(messages::get));
    Router::new().nest("/admin", routes.clone()).merge(routes)
}

/// The URL of an endpoint of this API.
fn admin_url(identity: &Identity, path: &str) -> Url {
    let base = identity.config.serve.admin.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    match base {
        Some(base) => endpoint(&base, &format!("admin/{path}")),
        None => endpoint(identity.urls.public(), &format!("admin/{path}")),
    }
}
