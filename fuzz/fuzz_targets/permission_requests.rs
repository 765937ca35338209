//! Requests to the permission service by all of its protocols: REST and `AuthZEN` in JSON, and remote procedures as gRPC, gRPC-Web and
//! Connect, in frames and compressed as well. Handling never panics and is no internal error, and a refusal in JSON is JSON.
//!
//! The first line of the input is the path and the content type, and `gzip` if the headers say so; the rest is the body.
#![no_main]

use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use base::uuid::Uuid;
use base::{Clock, Context, RequestId, TenantId, Timestamp};
use database::{Database, Dsn};
use http::{Request, StatusCode};
use libfuzzer_sys::fuzz_target;
use permissions::testing::service::service;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// A runtime, and the listeners of a service.
static SERVICE: LazyLock<(Runtime, [Router; 3])> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let routers = runtime.block_on(async {
        let database = Database::open(&Dsn::memory()).await.expect("a database");
        database.migrate(&[jobs::MIGRATIONS, permissions::MIGRATIONS], Timestamp::EPOCH).await.expect("tables");
        let section = json!({ "namespaces": [{ "name": "Doc" }, { "name": "Group" }] });
        let service = service(&database, section, "https://read.example/", &Clock::system()).expect("a service");
        service.load_model().await.expect("a model");
        [service.read_router(), service.write_router(), service.opl_router()]
    });
    (runtime, routers)
});

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (head, body) = (&input[..end], &input[end + 1..]);
    let Ok(head) = std::str::from_utf8(head) else { return };
    let mut words = head.split(' ');
    let (path, media_type) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request::post(path).header("content-type", media_type);
    if words.next() == Some("gzip") {
        for name in ["grpc-encoding", "content-encoding", "connect-content-encoding"] {
            request = request.header(name, "gzip");
        }
    }
    let Ok(request) = request.body(body.to_vec()) else { return };
    let (runtime, routers) = &*SERVICE;
    for router in routers {
        let (parts, body) = request.clone().into_parts();
        let mut request = Request::from_parts(parts, Body::from(body));
        let id = RequestId(Uuid::nil());
        request.extensions_mut().insert(Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, id));
        let answer = runtime.block_on(router.clone().oneshot(request));
        let Ok(answer) = answer;
        let (parts, body) = answer.into_parts();
        assert_ne!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(parts.headers.get("grpc-status").is_none_or(|status| status != "13"), "an internal error");
        let is_json = parts.headers.get("content-type").is_some_and(|it| it == "application/json");
        // A stream does not end.
        if is_json && !parts.status.is_success() {
            let body = runtime.block_on(to_bytes(body, 1 << 20)).expect("a refusal is short");
            let body: Value = serde_json::from_slice(&body).expect("a refusal in JSON is JSON");
            assert_ne!(body["code"], "internal");
        }
    }
});
