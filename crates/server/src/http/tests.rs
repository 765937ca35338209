use axum::body::{Body, Bytes, to_bytes};
use axum::routing::post;
use base::bounds::{DOCUMENT, LIST, WAITING_BODIES_BYTES};
use base::{Context, RequestId, TenantId, Timestamp, uuid::Uuid};
use futures_util::FutureExt as _;
use http::Request;
use tower::ServiceExt as _;

use super::*;

/// Lists and documents that wait for ever.
fn router(format: ErrorFormat) -> Router {
    let wait = async |_: Bytes| std::future::pending::<()>().await;
    let lists = web::bounds::take_lists(Router::new().route("/list", post(wait)));
    let router = lists.route("/one", post(wait)).route("/answered", post(async |body: Bytes| body.len().to_string()));
    with_bounds_and_error_format(format, ListenerBounds::admin(DOCUMENT), router)
}

async fn send(router: &Router, path: &str, address: Option<&str>, bytes: usize) -> Response {
    let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()));
    let cx = Context { client_address: address.map(|it| it.parse().unwrap()), ..cx };
    let body = Body::from("x".repeat(bytes));
    let request = Request::post(path).header("host", "a.example").extension(cx).body(body).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_bodies_of_one_client_have_a_half_of_the_memory_until_they_are_answered() {
    for format in [ErrorFormat::Rest, ErrorFormat::OAuth] {
        let router = router(format);
        let (first, second) = (Some("192.0.2.1"), Some("192.0.2.2"));
        for _ in 0..100 {
            let answer = send(&router, "/answered", first, DOCUMENT.bytes).await;
            assert_eq!(answer.status(), StatusCode::OK, "what is answered is given back");
        }
        let fit = WAITING_BODIES_BYTES / 2 / LIST.bytes;
        let mut waiting: Vec<_> = (0..fit).map(|_| Box::pin(send(&router, "/list", first, LIST.bytes))).collect();
        waiting.push(Box::pin(send(&router, "/one", first, DOCUMENT.bytes)));
        for request in &mut waiting {
            assert!(request.now_or_never().is_none(), "it waits");
        }
        for (path, bytes) in [("/list", LIST.bytes), ("/one", DOCUMENT.bytes), ("/answered", DOCUMENT.bytes)] {
            let refused = send(&router, path, first, bytes).await;
            assert_eq!(
                (refused.status(), &refused.headers()["retry-after"]),
                (StatusCode::TOO_MANY_REQUESTS, &"1".parse().unwrap())
            );
            let body = to_bytes(refused.into_body(), 10_000).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let said = match format {
                ErrorFormat::Rest => "\"reason\":\"too many request bodies of this client",
                ErrorFormat::OAuth => "\"error\":\"temporarily_unavailable\"",
            };
            assert!(body.contains(said), "{body}");
        }
        assert_eq!(send(&router, "/answered", first, 16_000).await.status(), StatusCode::OK, "small bodies are free");
        assert_eq!(send(&router, "/answered", second, DOCUMENT.bytes).await.status(), StatusCode::OK);
        // The second one has at most as much as is left then, so that there is something for the third.
        for (address, refusal) in [(second, StatusCode::TOO_MANY_REQUESTS), (None, StatusCode::SERVICE_UNAVAILABLE)] {
            for _ in 0..fit / 2 {
                let mut request = Box::pin(send(&router, "/list", address, LIST.bytes));
                assert!((&mut request).now_or_never().is_none(), "it waits");
                waiting.push(request);
            }
            assert_eq!(send(&router, "/list", address, LIST.bytes).await.status(), refusal);
            let third = send(&router, "/answered", Some("192.0.2.3"), DOCUMENT.bytes / 2).await;
            assert_eq!(third.status(), StatusCode::OK, "{address:?}");
        }
        drop(waiting);
        assert!(send(&router, "/list", first, LIST.bytes).now_or_never().is_none(), "it fits again");
    }
}
