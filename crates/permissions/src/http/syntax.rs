//! `POST /opl/syntax/check`: the body is a text of the Ory Permission Language under any media type, or with `application/json`
//! that text as a JSON string.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use bytes::Bytes;
use permission_language::Position;
use serde::Serialize;
use web::RestError;

use crate::Permissions;
use crate::operations::check_syntax::SyntaxError;

#[derive(Serialize)]
pub(super) struct Checked {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorDocument>,
}

#[derive(Serialize)]
struct ErrorDocument {
    message: String,
    help: String,
    start: PositionDocument,
    end: PositionDocument,
}

#[derive(Serialize)]
struct PositionDocument {
    #[serde(rename = "Line")]
    line: usize,
    column: usize,
}

pub(super) async fn check(
    State(permissions): State<Arc<Permissions>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Checked>, RestError> {
    let text = text_of(&headers, &body)?;
    let errors = permissions.check_syntax(text).await.into_iter().map(ErrorDocument::from).collect();
    Ok(Json(Checked { errors }))
}

/// The official client for Rust sends the text as JSON. Read as it is, it would be one string literal, which is no model and has
/// no errors.
fn text_of(headers: &HeaderMap, body: &[u8]) -> Result<String, RestError> {
    if web::media_types::of_body(headers) == "application/json"
        && let Ok(text) = serde_json::from_slice(body)
    {
        return Ok(text);
    }
    String::from_utf8(body.to_vec()).map_err(|_| RestError::bad_request("the body is not UTF-8"))
}

impl From<SyntaxError> for ErrorDocument {
    fn from(error: SyntaxError) -> Self {
        let SyntaxError { message, help, start, end } = error;
        Self { message, help, start: start.into(), end: end.into() }
    }
}

impl From<Position> for PositionDocument {
    fn from(Position { line, column }: Position) -> Self {
        Self { line, column }
    }
}
