//! `/ui/static/{file}`: the style sheet and icon of the pages.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use crate::OAuth;

pub(super) async fn get(State(oauth): State<Arc<OAuth>>, Path(file): Path<String>) -> Response {
    oauth.ui.asset(&file).into_response()
}
