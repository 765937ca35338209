//! Calls of a small service in every protocol, with valid and hostile bytes.

mod streams;

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base::bounds::BodyBounds;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderMap, Version};
use http_body_util::BodyExt as _;
use prost::Message as _;
use tower::ServiceExt as _;
use web::rpc::Status;

use super::{Call, Messages, Procedure, Requests, Services, Unknown, frames::framed};
use crate::grpc::messages::opl::{CheckRequest, CheckResponse, ParseError};

const CHECK: &str = "/a.Service/Check";
const SLOW: &str = "/a.Service/Slow";
const STRICT: &str = "/a.Service/Strict";
const EACH: &str = "/a.Service/Each";
const BOUNDS: BodyBounds = BodyBounds { bytes: 1000, json_values: 20 };

fn length_of(request: &CheckRequest) -> CheckResponse {
    let message = request.content.len().to_string();
    CheckResponse { parse_errors: vec![ParseError { message, start: None, end: None }] }
}

fn router() -> Router {
    let check = async |(), _: Call, request: CheckRequest| Ok(length_of(&request));
    let check = move |state, call, request| Box::pin(check(state, call, request));
    let slow = |(), _: Call, request: CheckRequest| async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(length_of(&request))
    };
    let each = |(), _: Call, requests: Requests| -> Messages<CheckResponse> {
        let answers = stream::unfold(Some(requests), |requests| async move {
            let mut requests = requests?;
            match requests.next::<CheckRequest>().await {
                Ok(Some(request)) if request.content == b"wait" => std::future::pending().await,
                Ok(Some(request)) => Some((Ok(length_of(&request)), Some(requests))),
                Ok(None) => None,
                Err(status) => Some((Err::<_, Status>(status), None)),
            }
        });
        answers.boxed()
    };
    Services::new(())
        .unary(Procedure::at(CHECK).within(BOUNDS), check)
        .unary(Procedure::at(SLOW).within(BOUNDS), slow)
        .unary(Procedure::at(STRICT).within(BOUNDS).with_unknown_fields(Unknown::Refused), check)
        .streaming(&Procedure::at(EACH).within(BOUNDS), each)
        .into_router()
}

/// The answer of a call: the HTTP status, the headers, the body and the trailers.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    trailers: HeaderMap,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Self { status: parts.status.as_u16(), headers: parts.headers, body: collected.to_bytes(), trailers }
    }

    /// `grpc-status`, of the trailers or of the headers.
    fn grpc_status(&self) -> &str {
        let value = self.trailers.get("grpc-status").or_else(|| self.headers.get("grpc-status"));
        value.map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

async fn call(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::post(path).version(Version::HTTP_2);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(router().oneshot(request.body(body.into()).unwrap()).await.unwrap()).await
}

async fn grpc(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    call(path, &[&[("content-type", "application/grpc")], headers].concat(), body).await
}

fn request(content: &[u8]) -> Vec<u8> {
    CheckRequest { content: content.to_vec() }.encode_to_vec()
}

fn answered(message: &[u8]) -> String {
    CheckResponse::decode(message).unwrap().parse_errors[0].message.clone()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = framed(&gzip(bytes)).to_vec();
    frame[0] = 1;
    frame
}

#[tokio::test]
async fn a_call_is_answered_in_its_own_protocol() {
    let body = framed(&request(b"abc"));
    let answer = grpc(CHECK, &[], body.clone()).await;
    assert_eq!((answer.status, answer.grpc_status(), answer.headers.contains_key("grpc-status")), (200, "0", false));
    assert_eq!(answered(&answer.body[5..]), "3");
    let answer = call(CHECK, &[("content-type", "application/grpc-web+proto")], body.clone()).await;
    let end = answer.body.len() - b"\x80\0\0\0\x10grpc-status: 0\r\n".len();
    assert_eq!(
        (answered(&answer.body[5..end]).as_str(), &answer.body[end..]),
        ("3", b"\x80\0\0\0\x10grpc-status: 0\r\n".as_slice())
    );
    let text = call(CHECK, &[("content-type", "application/grpc-web-text")], STANDARD.encode(&body)).await;
    assert_eq!(STANDARD.decode(&text.body).unwrap(), answer.body);
    let answer = call(CHECK, &[("content-type", "application/proto")], request(b"abc")).await;
    assert_eq!((answer.status, answered(&answer.body).as_str()), (200, "3"));
    assert_eq!(answer.headers["content-type"], "application/proto");
    let answer = call(CHECK, &[("content-type", "application/json")], r#"{"content":"YWJj"}"#).await;
    assert_eq!((answer.status, answer.json()), (200, serde_json::json!({"parseErrors": [{"message": "3"}]})));
    let answer = call(CHECK, &[("content-type", "application/grpc+json")], framed(br#"{"content":"YWJj"}"#)).await;
    assert_eq!((answer.grpc_status(), &answer.body[5..]), ("0", br#"{"parseErrors":[{"message":"3"}]}"#.as_slice()));
}

#[tokio::test]
async fn malformed_bodies_are_invalid_arguments() {
    let whole = framed(&request(b"abc"));
    let mut wrong_flags = whole.to_vec();
    wrong_flags[0] = 2;
    for (body, why) in [
        (Vec::new(), "none"),
        (b"\0\0\0".to_vec(), "within a message"),
        (whole[..whole.len() - 1].to_vec(), "within a message"),
        ([whole.as_ref(), whole.as_ref()].concat(), "more"),
        ([whole.as_ref(), b"x"].concat(), "within a message"),
        (wrong_flags, "flags"),
        (compressed(&request(b"abc")), "header"),
        (framed(b"\x0a\x7fabc").to_vec(), "Protocol Buffers"),
        (framed(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").to_vec(), "Protocol Buffers"),
        (framed(&b"\x0b".repeat(900)).to_vec(), "Protocol Buffers"),
    ] {
        let answer = grpc(CHECK, &[], body.clone()).await;
        assert_eq!(answer.grpc_status(), "3", "{body:?}: {:?}", answer.headers);
        assert!(answer.headers["grpc-message"].to_str().unwrap().contains(why), "{why}: {:?}", answer.headers);
        assert!(answer.body.is_empty());
    }
    let answer = grpc(CHECK, &[("grpc-encoding", "gzip")], b"\x01\0\0\0\x03abc".as_slice()).await;
    assert_eq!(answer.grpc_status(), "3");
    let answer = call(CHECK, &[("content-type", "application/grpc-web-text")], "not base64!").await;
    assert!(STANDARD.decode(&answer.body).unwrap().starts_with(b"\x80"));
    for body in ["", "{", "[]", "{} {}", r#"{"content":"*"}"#, r#"{"content":7}"#, "{\"content\":\"\\u0000\"}"] {
        let answer = call(CHECK, &[("content-type", "application/json")], body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &"invalid_argument".into()), "{body}");
    }
}

#[tokio::test]
async fn a_message_is_bounded_before_and_after_decompression() {
    let bound = BOUNDS.bytes - 3;
    let answer = grpc(CHECK, &[("grpc-encoding", "gzip")], compressed(&request(&vec![0; bound]))).await;
    assert_eq!((answer.grpc_status(), answered(&answer.body[5..])), ("0", bound.to_string()));
    let bomb = compressed(&request(&vec![0; 1_000_000]));
    assert!(bomb.len() < 2_000, "{}", bomb.len());
    for body in [compressed(&request(&vec![0; bound + 1])), bomb, framed(&request(&vec![0; bound + 1])).to_vec()] {
        assert_eq!(grpc(CHECK, &[("grpc-encoding", "gzip")], body).await.grpc_status(), "8");
    }
    // The length alone is enough: the rest of the body never comes.
    let head = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"\0\xff\xff\xff\xff"))]);
    assert_eq!(grpc(CHECK, &[], Body::from_stream(head.chain(stream::pending()))).await.grpc_status(), "8");
    for (media_type, encoding, body) in [
        ("application/proto", "identity", request(&vec![0; bound + 1])),
        ("application/proto", "gzip", gzip(&request(&vec![0; 100_000]))),
        ("application/json", "gzip", gzip(&vec![b' '; 100_000])),
    ] {
        let answer = call(CHECK, &[("content-type", media_type), ("content-encoding", encoding)], body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (429, &"resource_exhausted".into()), "{media_type}");
    }
    let many = format!("{{{}\"content\":\"\"}}", "\"a\":1,".repeat(20));
    let answer = call(CHECK, &[("content-type", "application/json")], many).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &"invalid_argument".into()));
}

#[tokio::test]
async fn gzip_is_the_only_compression() {
    let gzipped = [("content-type", "application/proto"), ("content-encoding", "gzip")];
    assert_eq!(answered(&call(CHECK, &gzipped, gzip(&request(b"abc"))).await.body), "3");
    let answer = grpc(CHECK, &[("grpc-encoding", "snappy")], framed(&request(b"abc"))).await;
    assert_eq!(
        (answer.grpc_status(), &answer.headers["grpc-accept-encoding"]),
        ("12", &"identity, gzip".parse().unwrap())
    );
    let unknown = [("content-type", "application/proto"), ("content-encoding", "br")];
    assert_eq!(call(CHECK, &unknown, request(b"abc")).await.json()["code"], "unimplemented");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline() {
    let body = framed(&request(b"abc"));
    assert_eq!(grpc(SLOW, &[("grpc-timeout", "9S")], body.clone()).await.grpc_status(), "4");
    assert_eq!(grpc(SLOW, &[("grpc-timeout", "11S")], body.clone()).await.grpc_status(), "0");
    assert_eq!(grpc(SLOW, &[("grpc-timeout", "soon")], body.clone()).await.grpc_status(), "3");
    // Also while it waits for its body.
    let pending = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    assert_eq!(grpc(CHECK, &[("grpc-timeout", "9S")], pending).await.grpc_status(), "4");
    let connect = [("content-type", "application/json"), ("connect-timeout-ms", "9000")];
    let answer = call(SLOW, &connect, "{}").await;
    assert_eq!((answer.status, &answer.json()["code"]), (504, &"deadline_exceeded".into()));
    let answer = grpc(EACH, &[("grpc-timeout", "1S")], framed(&request(b"wait"))).await;
    assert_eq!(answer.trailers["grpc-status"], "4");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_or_breaks_is_not_an_internal_error() {
    let pending = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let stalling = Body::new(web::listener::IdleBody::new(pending, Duration::from_secs(5)));
    assert_eq!(grpc(CHECK, &[], stalling).await.grpc_status(), "4");
    let broken = stream::iter([Ok(Bytes::from_static(b"\0\0")), Err(std::io::Error::other("reset"))]);
    assert_eq!(grpc(CHECK, &[], Body::from_stream(broken)).await.grpc_status(), "1");
}

#[tokio::test]
async fn names_of_fields_have_two_forms_and_unknown_ones_are_ignored_unless_they_select() {
    let json = [("content-type", "application/json; charset=utf-8")];
    let unknown = r#"{"content":"YWJj","contents":1}"#;
    assert_eq!(call(CHECK, &json, unknown).await.status, 200);
    let answer = call(STRICT, &json, unknown).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &"invalid_argument".into()));
    assert!(answer.json()["message"].as_str().unwrap().contains("contents"), "{}", answer.json());
    let versions = |version| [("content-type", "application/json"), ("connect-protocol-version", version)];
    assert_eq!(call(CHECK, &versions("1"), "{}").await.status, 200);
    assert_eq!(call(CHECK, &versions("2"), "{}").await.status, 400);
}

#[tokio::test]
async fn what_is_not_a_call_of_the_method_is_refused_by_http() {
    for (path, media_type) in [
        (CHECK, "text/plain"),
        (CHECK, "application/x-www-form-urlencoded"),
        (CHECK, "application/connect+proto"),
        (EACH, "application/json"),
    ] {
        let answer = call(path, &[("content-type", media_type)], "{}").await;
        assert_eq!(answer.status, 415, "{path} {media_type}");
        assert!(answer.headers["accept-post"].to_str().unwrap().contains("application/grpc-web-text"));
    }
    let get = Request::get(CHECK).body(Body::empty()).unwrap();
    assert_eq!(router().oneshot(get).await.unwrap().status(), 405);
    let old = Request::post(CHECK)
        .header("content-type", "application/grpc")
        .body(Body::from(framed(&request(b""))))
        .unwrap();
    let answer = Answer::of(router().oneshot(old).await.unwrap()).await;
    assert_eq!(answer.grpc_status(), "12");
}

#[tokio::test]
async fn a_stream_has_its_status_at_its_end() {
    let two = [framed(&request(b"abc")), framed(&request(b""))].concat();
    let answers = [
        framed(&length_of(&CheckRequest { content: b"abc".to_vec() }).encode_to_vec()),
        framed(&length_of(&CheckRequest::default()).encode_to_vec()),
    ]
    .concat();
    let answer = grpc(EACH, &[], two.clone()).await;
    assert_eq!((answer.body.as_ref(), &answer.trailers["grpc-status"]), (answers.as_slice(), &"0".parse().unwrap()));
    let answer = call(EACH, &[("content-type", "application/connect+proto")], two.clone()).await;
    assert_eq!(answer.body, [answers.as_slice(), b"\x02\0\0\0\x02{}"].concat());
    let answer = call(EACH, &[("content-type", "application/grpc-web")], two.clone()).await;
    assert!(answer.body.starts_with(&answers) && answer.body.ends_with(b"grpc-status: 0\r\n"), "{:?}", answer.body);
    let broken = [two.as_slice(), b"\x07\0\0\0\0"].concat();
    let answer = grpc(EACH, &[], broken.clone()).await;
    assert_eq!((answer.body.as_ref(), &answer.trailers["grpc-status"]), (answers.as_slice(), &"3".parse().unwrap()));
    let answer = call(EACH, &[("content-type", "application/connect+proto")], broken).await;
    let end: serde_json::Value = serde_json::from_slice(&answer.body[answers.len() + 5..]).unwrap();
    assert_eq!((answer.body[answers.len()], &end["error"]["code"]), (2, &"invalid_argument".into()));
}
