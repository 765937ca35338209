//! The routes of the authorization endpoint, of clients, and of all that lies between a request and a code.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post, put};
use web::language::{LanguageChoice, Languages, keep_choice};

use super::{
    authorize, clients, consent_page, consent_requests, form_post_script, login_requests, logout, logout_page,
    logout_requests, page_asset, sessions,
};
use crate::OAuth;
use crate::domain::logout::SIGNED_OUT_PATH;

pub(super) fn public(oauth: &OAuth) -> Router<OAuth> {
    let choice = LanguageChoice {
        languages: Languages::new(oauth.ui().languages().iter().map(|language| language.locale())),
        is_secure: oauth.config().public_url("/").starts_with("https:"),
    };
    let pages = Router::new()
        .route(consent_page::PATH, get(consent_page::get).post(consent_page::post))
        .route(logout_page::PATH, get(logout_page::get).post(logout_page::post))
        .route(SIGNED_OUT_PATH, get(logout_page::signed_out))
        .layer(from_fn_with_state(choice, keep_choice));
    Router::new()
        .merge(pages)
        .route("/oauth2/auth", get(authorize::get).post(authorize::post))
        .route("/oauth2/sessions/logout", get(logout::get).post(logout::post))
        .route(form_post_script::PATH, get(form_post_script::get))
        .route(ui::assets::ROUTE, get(page_asset::get))
}

pub(super) fn admin() -> Router<OAuth> {
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
}
