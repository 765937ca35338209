//! The sample API. It answers with the caller that the gateway names in a header; without the gateway the caller is unknown.

use axum::Json;
use axum::Router;
use axum::routing::any;
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};

/// Answers every path.
pub(crate) fn router() -> Router {
    Router::new().route("/", any(answer)).route("/{*path}", any(answer))
}

async fn answer(method: Method, uri: Uri, headers: HeaderMap) -> Json<Value> {
    let user = headers.get("x-user").and_then(|value| value.to_str().ok());
    Json(json!({
        "message": user.map_or_else(|| "Hello, stranger.".to_owned(), |user| format!("Hello, {user}.")),
        "user": user,
        "method": method.as_str(),
        "path": uri.path(),
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn the_caller_is_whom_the_gateway_names() {
        let request = Request::get("/notes").header("x-user", "ada").body(Body::empty()).unwrap();
        let answer = router().oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 1024).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["user"], "ada");
        assert_eq!(body["path"], "/notes");
    }
}
