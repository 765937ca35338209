//! The JSON of requests.
//!
//! Invariant: a body is within the bounds of its route, and no object in it has two members of one name.

use axum::extract::{FromRequest, Request};
use base::bounds::BodyBounds;
use serde::de::DeserializeOwned;
use web::{JsonRejection, RestError, check_json, media_types, read_body};

use crate::domain::unique_names::check_names;

/// The body of a request; a form is refused by its media type.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = RestError;

    async fn from_request(request: Request, _: &S) -> Result<Self, RestError> {
        let media_type = media_types::of_body(request.headers());
        if media_type == "application/x-www-form-urlencoded" || media_type == "multipart/form-data" {
            return Err(JsonRejection::MediaType.into());
        }
        read(web::bounds::of_request(&request), request).await.map(Self)
    }
}

/// Reads the body of a request, whatever its media type.
pub(super) async fn read<T: DeserializeOwned>(bounds: BodyBounds, request: Request) -> Result<T, RestError> {
    let body = read_body(request, &()).await.map_err(JsonRejection::from)?;
    check_json(bounds, &body)?;
    check_names(&body, ())
        .map_err(|refused| RestError::bad_request(refused.to_string()).with_detail("field", refused.path))?;
    Ok(web::Json::decode_checked(&body)?)
}
