//! The routes of tokens, keys and discovery.

use axum::Router;
use axum::middleware;
use axum::routing::{delete, get, post};

use super::{access_tokens, client_origins, device, discovery, introspect, jwks, keys, revoke, token, userinfo};
use crate::OAuth;

pub(super) fn public(oauth: &OAuth) -> Router<OAuth> {
    let of_clients = Router::new()
        .route("/oauth2/token", post(token::post))
        .route("/oauth2/revoke", post(revoke::post))
        .route(device::PATH, post(device::post))
        .route("/userinfo", get(userinfo::handle).post(userinfo::handle))
        .layer(middleware::from_fn_with_state(oauth.clone(), client_origins::of_the_client));
    let of_everybody = Router::new()
        .route("/.well-known/openid-configuration", get(discovery::get))
        .route("/.well-known/oauth-authorization-server", get(discovery::get))
        .route("/.well-known/jwks.json", get(jwks::get))
        .layer(middleware::from_fn(client_origins::of_everybody));
    of_clients.merge(of_everybody)
}

pub(super) fn admin() -> Router<OAuth> {
    let forms = Router::new().route("/admin/oauth2/introspect", post(introspect::post));
    web::bounds::bound_bodies(forms, base::bounds::SUBMISSION)
        .route("/admin/oauth2/tokens", delete(access_tokens::delete))
        .route(
            "/admin/keys/{set}",
            get(keys::get_set).post(keys::create).put(keys::replace_set).delete(keys::delete_set),
        )
        .route("/admin/keys/{set}/{kid}", get(keys::get_key).put(keys::replace_key).delete(keys::delete_key))
}
