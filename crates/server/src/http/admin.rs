//! Authentication of admin listeners.
//!
//! On loopback only this machine reaches the listener, and [`browsers`](super::browsers) rejects requests of web pages. On any
//! other address the start fails unless the configuration has tokens or a client authority, or sets `admin.unprotected: true`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use base::{Actor, Context, Secret};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use web::MayReadPrivateKeys;
use web::middleware::{self, Next};

use super::socket::Address;
use crate::config::Admin;

/// Whether clients without credentials are rejected, or the listener is open on purpose. A client authority protects nothing
/// without TLS.
pub(crate) fn is_guarded(admin: &Admin, has_tls: bool) -> bool {
    requires_credentials(admin, has_tls) || admin.unprotected
}

/// Whether a client without a token or certificate is refused.
pub(crate) fn requires_credentials(admin: &Admin, has_tls: bool) -> bool {
    !admin.tokens.is_empty() || (admin.client_ca.is_some() && has_tls)
}

/// The fault of an admin listener that strangers can reach and that requires no credentials.
pub(crate) fn unguarded(address: &Address) -> String {
    format!(
        "the admin API would be open to everyone who reaches {address}: set admin.tokens (KLEIS_ADMIN_TOKENS), or admin.client_ca \
         together with TLS, or bind it to 127.0.0.1, or set admin.unprotected: true (KLEIS_ADMIN_UNPROTECTED=true) if something \
         in front of it keeps strangers out"
    )
}

/// Requires one of the tokens if there are any. This applies on loopback as well.
pub(crate) fn guard(router: Router, admin: &Admin, open: &'static [&'static str]) -> Router {
    if admin.tokens.is_empty() {
        return router;
    }
    let guard = Guard { tokens: admin.tokens.clone().into(), open };
    router.layer(middleware::from_fn_with_state(guard, demand))
}

/// Lets callers read private keys who presented a client certificate, or to whom the configuration allows it. Callers with a
/// token may as well: see [`guard`].
pub(crate) fn serve_private_keys(router: Router, admin: &Admin, has_tls: bool) -> Router {
    let is_allowed = admin.serve_private_keys || (admin.client_ca.is_some() && has_tls);
    if is_allowed { router.layer(Extension(MayReadPrivateKeys)) } else { router }
}

/// Requests to an admin API are attributed to its holder in events and in the log.
pub(crate) fn as_holder(router: Router) -> Router {
    router.layer(middleware::from_fn(async |mut request: Request, next: Next| {
        if let Some(cx) = request.extensions_mut().get_mut::<Context>() {
            cx.actor = Actor::Admin;
        }
        next.run(request).await
    }))
}

#[derive(Clone)]
struct Guard {
    tokens: Arc<[Secret<String>]>,
    open: &'static [&'static str],
}

async fn demand(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if guard.open.iter().any(|open| path.starts_with(open)) {
        return next.run(request).await;
    }
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // RFC 6750 section 2.1; the scheme is compared without case (RFC 9110 section 11.1).
    let token =
        sent.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    // Every token is compared, so that the time does not reveal which one was similar.
    let known = |token: &str| guard.tokens.iter().fold(false, |known, it| it.matches(token) | known);
    if token.is_some_and(|(_, token)| known(token.trim())) {
        request.extensions_mut().insert(MayReadPrivateKeys);
        return next.run(request).await;
    }
    let error = web::RestError::new(StatusCode::UNAUTHORIZED, "Authentication required")
        .with_reason("This listener requires an admin token as Authorization: Bearer.");
    let mut response = error.into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"admin\""));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_listener_is_guarded_by_tokens_an_authority_with_tls_or_on_purpose() {
        assert!(!is_guarded(&Admin::default(), true));
        let tokens = Admin { tokens: vec![Secret::new("0123456789abcdef".to_owned())], ..Admin::default() };
        assert!(is_guarded(&tokens, false));
        let authority = Admin { client_ca: Some(crate::config::Material::Path("ca.pem".into())), ..Admin::default() };
        assert!(is_guarded(&authority, true) && !is_guarded(&authority, false));
        assert!(is_guarded(&Admin { unprotected: true, ..Admin::default() }, false));
    }
}
