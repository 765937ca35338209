//! The answer of a call that succeeds.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::CONTENT_TYPE;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::{Instant, timeout_at};
use web::rpc::{Answered, Form, Protocol, Status, trailer_frame};

use super::{deadline, frames};

/// The messages of an answer. The first error ends it.
pub(in crate::grpc) type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The answer of one message.
pub(super) fn one(form: Form, message: Bytes) -> Response {
    let body = match form.protocol {
        Protocol::Connect => Body::from(message),
        Protocol::Grpc => {
            let parts = [Frame::data(frames::framed(&message)), Frame::trailers(Status::ok())];
            Body::new(StreamBody::new(stream::iter(parts.map(Ok::<_, Infallible>))))
        }
        Protocol::GrpcWeb => Body::from([frames::framed(&message), trailer_frame(&Status::ok())].concat()),
        Protocol::GrpcWebText => {
            Body::from(STANDARD.encode([frames::framed(&message), trailer_frame(&Status::ok())].concat()))
        }
        Protocol::ConnectStream => Body::from([frames::framed(&message), end(form.protocol, None)].concat()),
    };
    response(form, body)
}

/// The answer of several messages, which ends at the deadline.
pub(super) fn several(form: Form, messages: Messages<Bytes>, timeout: Option<Duration>) -> Response {
    let ends = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let parts = stream::unfold(Some(messages), move |messages| async move {
        let mut messages = messages?;
        let next = match ends {
            Some(ends) => timeout_at(ends, messages.next()).await.unwrap_or_else(|_| Some(Err(deadline::exceeded()))),
            None => messages.next().await,
        };
        Some(match next {
            Some(Ok(message)) => (data(form.protocol, frames::framed(&message)), Some(messages)),
            Some(Err(status)) => (last(form.protocol, Some(&status)), None),
            None => (last(form.protocol, None), None),
        })
    });
    response(form, Body::new(StreamBody::new(parts.map(Ok::<_, Infallible>).boxed())))
}

fn response(form: Form, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, form.media_type());
    response.extensions_mut().insert(Answered);
    response
}

fn data(protocol: Protocol, bytes: Bytes) -> Frame<Bytes> {
    // Each part of a text may have its own padding (`PROTOCOL-WEB`).
    if protocol == Protocol::GrpcWebText { Frame::data(STANDARD.encode(bytes).into()) } else { Frame::data(bytes) }
}

fn last(protocol: Protocol, failed: Option<&Status>) -> Frame<Bytes> {
    match protocol {
        Protocol::Grpc => Frame::trailers(failed.map_or_else(Status::ok, Status::trailers)),
        _ => data(protocol, end(protocol, failed)),
    }
}

fn end(protocol: Protocol, failed: Option<&Status>) -> Bytes {
    match (protocol, failed) {
        (Protocol::ConnectStream, Some(status)) => status.end_of_stream(),
        // An object without an error (Connect protocol, EndStreamResponse).
        (Protocol::ConnectStream, None) => Bytes::from_static(b"\x02\0\0\0\x02{}"),
        (_, failed) => trailer_frame(&failed.map_or_else(Status::ok, Status::trailers)),
    }
}
