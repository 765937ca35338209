//! The status of a failed call, as each protocol writes it.

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use prost::Message;
use serde_json::{Value, json};

use super::{Code, Form, Protocol};
use crate::RestError;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ERROR_INFO: &str = "google.rpc.ErrorInfo";
/// All bytes but the printable ones of ASCII without `%` (`PROTOCOL-HTTP2`, Status-Message).
const IN_MESSAGE: &AsciiSet = &CONTROLS.add(b'%');
/// The longest message. Clients take 8 KiB of headers, and a message is in them three times: percent-encoded, where a byte may take
/// three, and twice in base64.
const MESSAGE_BYTES: usize = 1024;

/// Marks an answer that is in the protocol of its call.
#[derive(Clone, Copy, Debug)]
pub struct Answered;

/// Why a call failed, as its client sees it. The cause of an internal error is logged and not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub code: Code,
    pub message: String,
    info: Option<Box<ErrorInfo>>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Eq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: std::collections::BTreeMap<String, String>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct StatusMessage {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

impl Status {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().find(|(index, _)| *index >= MESSAGE_BYTES) {
            message.truncate(end);
        }
        Self { code, message, info: None }
    }

    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    pub fn internal() -> Self {
        Self::new(Code::Internal, RestError::internal().message())
    }

    /// Overload or an unreachable dependency: the client may try again.
    pub fn unavailable() -> Self {
        Self::new(Code::Unavailable, RestError::unavailable(1).message())
    }

    /// Adds the message as the reason of a `google.rpc.ErrorInfo`, as Keto does.
    #[must_use]
    pub fn with_reason(mut self) -> Self {
        self.info_mut();
        self
    }

    /// Names the refused field in a `google.rpc.ErrorInfo`.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        let field = field.into();
        self.info_mut().metadata.insert("field".to_owned(), field);
        self
    }

    pub fn field(&self) -> Option<&str> {
        self.info.as_ref()?.metadata.get("field").map(String::as_str)
    }

    fn info_mut(&mut self) -> &mut ErrorInfo {
        let reason = self.message.clone();
        self.info.get_or_insert_with(|| Box::new(ErrorInfo { reason, ..ErrorInfo::default() }))
    }

    /// The trailers of a failed call, or all headers of an answer without a body.
    pub fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        trailers.insert(GRPC_STATUS, HeaderValue::from(u16::from(self.code.number())));
        let message = utf8_percent_encode(&self.message, IN_MESSAGE).to_string();
        if let Ok(message) = HeaderValue::from_str(&message) {
            trailers.insert(GRPC_MESSAGE, message);
        }
        if let Some(info) = &self.info {
            let detail =
                Any { type_url: format!("type.googleapis.com/{ERROR_INFO}"), value: info.as_ref().encode_to_vec() };
            let status = StatusMessage {
                code: i32::from(self.code.number()),
                message: self.message.clone(),
                details: vec![detail],
            };
            if let Ok(details) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(status.encode_to_vec())) {
                trailers.insert(GRPC_DETAILS, details);
            }
        }
        trailers
    }

    /// The error of Connect as JSON.
    pub fn in_connect(&self) -> Value {
        let mut error = json!({ "code": self.code.in_connect().0, "message": self.message });
        if let (Some(info), Some(error)) = (&self.info, error.as_object_mut()) {
            let debug = json!({ "reason": info.reason, "metadata": info.metadata });
            let value = STANDARD_NO_PAD.encode(info.as_ref().encode_to_vec());
            error.insert("details".to_owned(), json!([{ "type": ERROR_INFO, "value": value, "debug": debug }]));
        }
        error
    }

    /// The trailers of a call that succeeded.
    pub fn ok() -> HeaderMap {
        HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))])
    }

    /// The answer to a call that failed before its first message.
    pub fn into_response(self, form: Form) -> Response {
        let (media_type, status, body) = match form.protocol {
            Protocol::Grpc => (form.media_type(), StatusCode::OK, Bytes::new()),
            // A page can read the body without any `Access-Control-Expose-Headers`.
            Protocol::GrpcWeb => (form.media_type(), StatusCode::OK, trailer_frame(&self.trailers())),
            Protocol::GrpcWebText => {
                (form.media_type(), StatusCode::OK, STANDARD.encode(trailer_frame(&self.trailers())).into())
            }
            Protocol::Connect => {
                let body = self.in_connect().to_string();
                (HeaderValue::from_static("application/json"), self.code.in_connect().1, body.into())
            }
            Protocol::ConnectStream => (form.media_type(), StatusCode::OK, self.end_of_stream()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        if form.protocol == Protocol::Grpc {
            response.headers_mut().extend(self.trailers());
        }
        response.extensions_mut().insert(Answered);
        response
    }

    /// The last frame of a stream of Connect.
    pub fn end_of_stream(&self) -> Bytes {
        frame(END_OF_STREAM, json!({ "error": self.in_connect() }).to_string().as_bytes())
    }
}

const END_OF_STREAM: u8 = 0b10;
const TRAILERS: u8 = 0x80;

/// The trailers as the last part of a body (`PROTOCOL-WEB`).
pub fn trailer_frame(trailers: &HeaderMap) -> Bytes {
    let mut text = Vec::new();
    for (name, value) in trailers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    frame(TRAILERS, &text)
}

fn frame(flags: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + payload.len());
    frame.put_u8(flags);
    // A status is far smaller than 4 GiB.
    frame.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    frame.put_slice(payload);
    frame.freeze()
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.in_connect().0, self.message)
    }
}

impl std::error::Error for Status {}

/// A database failure is an internal error or an outage, never the client's error. It is logged here, once.
impl From<database::Error> for Status {
    fn from(error: database::Error) -> Self {
        match crate::DatabaseFault::of(&error) {
            crate::DatabaseFault::Unavailable => Self::unavailable(),
            crate::DatabaseFault::StorageFull => {
                Self::new(Code::Unavailable, RestError::storage_full().reason().unwrap_or_default())
            }
            crate::DatabaseFault::Internal => Self::internal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::Encoding;

    fn response(protocol: Protocol) -> Response {
        let status = Status::new(Code::NotFound, "größe: 5 %\n").with_reason().with_field("größe");
        status.into_response(Form { protocol, encoding: Encoding::Protobuf })
    }

    #[test]
    fn a_grpc_error_is_a_response_of_headers_alone() {
        let response = response(Protocol::Grpc);
        assert_eq!(response.status(), 200);
        assert!(http_body::Body::is_end_stream(response.body()));
        let headers = response.headers();
        assert_eq!(
            (&headers[GRPC_STATUS], &headers[CONTENT_TYPE]),
            (&"5".parse().unwrap(), &"application/grpc".parse().unwrap())
        );
        assert_eq!(headers[GRPC_MESSAGE], "gr%C3%B6%C3%9Fe: 5 %25%0A");
        let details = STANDARD_NO_PAD.decode(&headers[GRPC_DETAILS]).unwrap();
        let status = StatusMessage::decode(details.as_slice()).unwrap();
        assert_eq!(status.code, 5);
        assert_eq!(status.details[0].type_url, "type.googleapis.com/google.rpc.ErrorInfo");
        let info = ErrorInfo::decode(status.details[0].value.as_slice()).unwrap();
        assert_eq!((info.reason.as_str(), info.metadata["field"].as_str()), ("größe: 5 %\n", "größe"));
    }

    #[tokio::test]
    async fn a_connect_error_is_json_with_a_status() {
        let response = response(Protocol::Connect);
        assert_eq!(
            (response.status().as_u16(), &response.headers()[CONTENT_TYPE]),
            (404, &"application/json".parse().unwrap())
        );
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["code"], &body["message"]), (&json!("not_found"), &json!("größe: 5 %\n")));
        assert_eq!(
            (&body["details"][0]["type"], &body["details"][0]["debug"]["metadata"]["field"]),
            (&json!(ERROR_INFO), &json!("größe"))
        );
    }

    #[test]
    fn a_message_is_bounded() {
        let status = Status::new(Code::Unknown, "ü".repeat(10_000)).with_reason().with_field("f".repeat(100));
        assert_eq!(status.message.len(), MESSAGE_BYTES);
        let bytes: usize = status.trailers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        assert!((6_000..8_000).contains(&bytes), "{bytes}");
    }
}
