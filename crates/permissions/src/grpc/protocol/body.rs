//! The answer of a call that succeeds.

use std::convert::Infallible;
use std::pin::Pin;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use web::rpc::{Answered, Form, Protocol, Status, trailer_frame};

use super::deadline::Deadline;
use super::frames;

/// Some proxies hold an answer back until it is complete, unless this header forbids it.
const NO_BUFFERING: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

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

/// The answer of several messages. The next one is computed when the client has taken the one before, and dropping the answer, as
/// when the client leaves, drops `messages`.
pub(super) fn several(form: Form, messages: Messages<Bytes>, deadline: Deadline) -> Response {
    let parts = stream::unfold(Some(messages), move |messages| async move {
        let mut messages = messages?;
        Some(match deadline.limit(messages.next()).await {
            Ok(Some(Ok(message))) => (data(form.protocol, frames::framed(&message)), Some(messages)),
            Ok(Some(Err(status))) | Err(status) => (last(form.protocol, Some(&status)), None),
            Ok(None) => (last(form.protocol, None), None),
        })
    });
    let mut response = response(form, Body::new(StreamBody::new(parts.map(Ok::<_, Infallible>).boxed())));
    let (name, value) = NO_BUFFERING;
    response.headers_mut().insert(name, value);
    response
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
