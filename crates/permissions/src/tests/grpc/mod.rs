//! Streams and questions of remote procedure calls over a database.

mod connections;
mod questions;
mod watch;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base::Context;
use bytes::{Buf as _, BufMut as _, BytesMut};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::harness::Harness;

const WATCH: &str = "kleis.permissions.v1.RelationTupleReadService/WatchRelationTuples";

/// A message in the frame of a stream.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0];
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.extend_from_slice(message);
    frame
}

/// A stream of responses, in JSON by the Connect protocol.
struct Stream {
    body: Body,
    buffer: BytesMut,
}

impl Stream {
    async fn open(harness: &Harness, method: &str, request: &Value) -> Self {
        Self::of(harness, harness.permissions.read_router(), method, request).await
    }

    /// A stream of a router that has others as well.
    async fn of(harness: &Harness, router: Router, method: &str, request: &Value) -> Self {
        let body = framed(request.to_string().as_bytes());
        let call = Request::post(format!("/{method}")).header("content-type", "application/connect+json");
        let mut call = call.body(Body::from(body)).unwrap();
        call.extensions_mut().insert::<Context>(harness.cx());
        let response = router.oneshot(call).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/connect+json");
        Self { body: response.into_body(), buffer: BytesMut::new() }
    }

    /// The next message, or the end: an empty object, or one with the error.
    async fn next(&mut self) -> Result<Value, Value> {
        loop {
            if let Some((head, rest)) = self.buffer.split_at_checked(5) {
                let (flags, length) = (head[0], u32::from_be_bytes(head[1..].try_into().unwrap()) as usize);
                if let Some(message) = rest.get(..length) {
                    let message = serde_json::from_slice(message).unwrap();
                    self.buffer.advance(5 + length);
                    return if flags == 2 { Err(message) } else { Ok(message) };
                }
            }
            let frame = tokio::time::timeout(Duration::from_secs(10), self.body.frame()).await.expect("in time");
            self.buffer.put(frame.expect("an end").unwrap().into_data().unwrap());
        }
    }
}

/// A call with one response, in JSON by the Connect protocol: the status, and the message or the error.
async fn call(harness: &Harness, method: &str, request: &Value) -> (u16, Value) {
    let call = Request::post(format!("/{method}")).header("content-type", "application/json");
    let mut call = call.body(Body::from(request.to_string())).unwrap();
    call.extensions_mut().insert::<Context>(harness.cx());
    let response = harness.permissions.read_router().oneshot(call).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

/// The code of the error that ends a stream at once, and the field that it names.
async fn refused(harness: &Harness, method: &str, request: &Value) -> (String, Value) {
    let end = Stream::open(harness, method, request).await.next().await.unwrap_err();
    let error = &end["error"];
    (error["code"].as_str().unwrap_or_default().to_owned(), error["details"][0]["debug"]["metadata"]["field"].clone())
}

fn tuple(object: &str) -> Value {
    json!({ "namespace": "Doc", "object": object, "relation": "viewer", "subject": { "id": "ada" } })
}
