//! What holds for the JSON of every request, before a handler decodes it: no object in it has two members of one name.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use base::bounds::BodyBounds;
use web::{JsonRejection, RestError, check_json, media_types, read_body};

use crate::domain::unique_names::check_names;

/// Checks the bodies of all routes of `router`.
pub(super) fn checked<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(from_fn(check))
}

async fn check(request: Request, next: Next) -> Response {
    let media_type = media_types::of_body(request.headers());
    let is_form = media_type == "application/x-www-form-urlencoded" || media_type == "multipart/form-data";
    let is_json = [Method::POST, Method::PUT, Method::PATCH].contains(request.method()) && !is_form;
    if !is_json {
        // The handler refuses a form, and the body of a deletion.
        return next.run(request).await;
    }
    let bounds = web::bounds::of_request(&request);
    let (parts, body) = request.into_parts();
    let body = match read_body(Request::from_parts(parts.clone(), body), &()).await {
        Ok(body) => body,
        Err(rejection) => return JsonRejection::from(rejection).into_response(),
    };
    match check_body(bounds, &body) {
        Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(error) => error.into_response(),
    }
}

/// Checks the bounds of a body, and the names in it.
pub(super) fn check_body(bounds: BodyBounds, body: &[u8]) -> Result<(), RestError> {
    check_json(bounds, body)?;
    check_names(body, ())
        .map_err(|refused| RestError::bad_request(refused.to_string()).with_detail("field", refused.path))
}
