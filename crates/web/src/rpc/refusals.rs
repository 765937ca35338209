//! Refusals of layers before the services, in the protocol of the call.

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode, Version};
use serde_json::Value;

use super::{Answered, Code, Form, Protocol, Status};
use crate::middleware::{self, Next};

/// Refusals are short.
const REFUSAL_BYTES: usize = 64 * 1024;

/// Rewrites the errors of the layers of `router` as answers to calls: a missing token is `UNAUTHENTICATED`, a path that does not
/// exist `UNIMPLEMENTED`. Other requests are left alone.
pub fn answer_refusals(router: Router) -> Router {
    router.layer(middleware::from_fn(async |request: Request, next: Next| {
        let form = Form::of(request.uri().path(), request.headers());
        let is_http1 = request.version() <= Version::HTTP_11;
        let response = next.run(request).await;
        match form {
            Some(form) if response.extensions().get::<Answered>().is_none() && is_error(&response) => {
                rewritten(form, is_http1, response).await
            }
            Some(_) | None => response,
        }
    }))
}

fn is_error(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

async fn rewritten(form: Form, is_http1: bool, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, REFUSAL_BYTES).await.unwrap_or_default();
    let error: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| error["error"][name].as_str();
    let message = text("reason").or_else(|| text("message")).or(parts.status.canonical_reason()).unwrap_or_default();
    let mut answer = Status::new(Code::of_http(parts.status), message).into_response(form);
    let is_too_large = parts.status == StatusCode::PAYLOAD_TOO_LARGE;
    // Proxies and logs read the status. A message that is too large has the same one wherever that is noticed, the one of its
    // code (Connect protocol, Error Codes).
    if form.protocol == Protocol::Connect && !is_too_large {
        *answer.status_mut() = parts.status;
    }
    if is_http1 && is_too_large {
        // The unread rest of the body would be parsed as the next request.
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, value) in &parts.headers {
        if ![CONTENT_TYPE, CONTENT_LENGTH].contains(name) {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::header::WWW_AUTHENTICATE;
    use tower::ServiceExt as _;

    use super::*;
    use crate::RestError;

    async fn ask(path: &str, media_type: &str) -> Response {
        let refuse = async || {
            let challenge = HeaderValue::from_static("Bearer");
            RestError::new(StatusCode::UNAUTHORIZED, "Authentication required").with_header(WWW_AUTHENTICATE, challenge)
        };
        let router = answer_refusals(Router::new().route("/a.B/C", axum::routing::post(refuse)));
        let request = Request::post(path).header("content-type", media_type).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_refusal_is_in_the_protocol_of_the_call() {
        let answer = ask("/a.B/C", "application/grpc").await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["grpc-status"]), (200, &"16".parse().unwrap()));
        assert_eq!(answer.headers()["grpc-message"], "Authentication required");
        assert!(http_body::Body::is_end_stream(answer.body()) && answer.headers().contains_key(WWW_AUTHENTICATE));
        let answer = ask("/a.B/C", "application/json").await;
        assert_eq!(answer.status(), 401);
        let body: Value = serde_json::from_slice(&to_bytes(answer.into_body(), 4096).await.unwrap()).unwrap();
        assert_eq!(body["code"], "unauthenticated");
        let answer = ask("/a.B/D", "application/grpc-web+proto").await;
        let body = to_bytes(answer.into_body(), 4096).await.unwrap();
        assert!(body.starts_with(&[0x80]) && body.windows(15).any(|it| it == b"grpc-status: 12"), "{body:?}");
    }

    #[tokio::test]
    async fn a_message_that_is_too_large_has_the_status_of_its_code_and_ends_the_connection() {
        let refuse = async || RestError::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large");
        let router = answer_refusals(Router::new().route("/a.B/C", axum::routing::post(refuse)));
        for (media_type, status) in
            [("application/json", 429), ("application/grpc-web+proto", 200), ("text/plain", 413)]
        {
            for (version, closes) in [(Version::HTTP_11, media_type != "text/plain"), (Version::HTTP_2, false)] {
                let request = Request::post("/a.B/C").version(version).header("content-type", media_type);
                let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                assert_eq!(answer.status(), status, "{media_type}");
                assert_eq!(answer.headers().contains_key(CONNECTION), closes, "{media_type} {version:?}");
            }
        }
    }

    #[tokio::test]
    async fn requests_that_are_not_calls_keep_their_answers() {
        let answer = ask("/a.B/C", "text/plain").await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[CONTENT_TYPE]),
            (401, &"application/json".parse().unwrap())
        );
    }
}
