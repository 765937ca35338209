//! The admin API: clients, the login, consent and logout requests, sessions, access tokens, keys.

mod access_tokens;
mod admin_error;
mod challenge_query;
mod clients;
mod consent_requests;
mod documents;
mod keys;
mod listing;
mod login_requests;
mod logout_requests;
mod nullable;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};

use crate::OAuth;

pub(super) fn routes() -> Router<Arc<OAuth>> {
    const REQUESTS: &str = "/admin/oauth2/auth/requests";
    Router::new()
        .route("/admin/clients", get(clients::list).post(clients::create))
        .route("/admin/clients/{id}", get(clients::get).put(clients::put).patch(clients::patch).delete(clients::delete))
        .route("/admin/clients/{id}/lifespans", put(clients::put_lifespans))
        .route("/admin/clients/{id}/secrets/rotate", post(clients::rotate_secret).delete(clients::drop_rotated_secrets))
        .route(&format!("{REQUESTS}/login"), get(login_requests::get))
        .route(&format!("{REQUESTS}/login/accept"), put(login_requests::accept))
        .route(&format!("{REQUESTS}/login/reject"), put(login_requests::reject))
        .route(&format!("{REQUESTS}/consent"), get(consent_requests::get))
        .route(&format!("{REQUESTS}/consent/accept"), put(consent_requests::accept))
        .route(&format!("{REQUESTS}/consent/reject"), put(consent_requests::reject))
        .route(&format!("{REQUESTS}/logout"), get(logout_requests::get))
        .route(&format!("{REQUESTS}/logout/accept"), put(logout_requests::accept))
        .route(&format!("{REQUESTS}/logout/reject"), put(logout_requests::reject))
        .route("/admin/oauth2/auth/sessions/consent", get(sessions::list_consents).delete(sessions::revoke_consents))
        .route("/admin/oauth2/auth/sessions/login", delete(sessions::end_login_sessions))
        .route("/admin/oauth2/tokens", delete(access_tokens::delete))
        .route(
            "/admin/keys/{set}",
            get(keys::get_set).post(keys::create).put(keys::replace_set).delete(keys::delete_set),
        )
        .route("/admin/keys/{set}/{kid}", get(keys::get_key).put(keys::replace_key).delete(keys::delete_key))
}
