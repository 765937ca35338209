//! Streams of responses: their end, their pace, and what remains of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use web::rpc::Code;

use super::*;

const COUNT: &str = "/a.Service/Count";

/// What a stream did.
#[derive(Default)]
struct Seen {
    produced: AtomicUsize,
    is_dropped: AtomicBool,
}

/// Exists as long as its stream.
struct Alive(Arc<Seen>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.is_dropped.store(true, Ordering::SeqCst);
    }
}

/// Counts up to the number in the request, and goes on for ever without one. The third response of "fails" is an error; "waits"
/// has one response.
async fn count(seen: Arc<Seen>, _: Call, request: CheckRequest) -> Result<Messages<CheckResponse>, Status> {
    let text = String::from_utf8(request.content).unwrap();
    if text == "refused" {
        return Err(Status::new(Code::OutOfRange, "too old").with_field("snaptoken"));
    }
    let most = text.parse().unwrap_or(usize::MAX);
    let alive = Alive(seen);
    let responses = stream::unfold(alive, move |alive| {
        let (text, number) = (text.clone(), alive.0.produced.fetch_add(1, Ordering::SeqCst) + 1);
        async move {
            match (text.as_str(), number) {
                ("fails", 3) => return Some((Err(Status::unavailable()), alive)),
                ("waits", 2) => std::future::pending().await,
                _ => {}
            }
            (number <= most).then(|| (Ok(numbered(number)), alive))
        }
    });
    Ok(responses.boxed())
}

fn numbered(number: usize) -> CheckResponse {
    CheckResponse { parse_errors: vec![ParseError { message: number.to_string(), start: None, end: None }] }
}

fn counting(seen: &Arc<Seen>) -> Router {
    Services::new(seen.clone()).server_streaming(&Procedure::at(COUNT).within(BOUNDS), count).into_router()
}

async fn open(seen: &Arc<Seen>, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut request = Request::post(COUNT).version(Version::HTTP_2);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    counting(seen).oneshot(request.body(body.into()).unwrap()).await.unwrap()
}

async fn all(media_type: &str, body: impl Into<Body>) -> Answer {
    Answer::of(open(&Arc::default(), &[("content-type", media_type)], body).await).await
}

fn frames(count: usize) -> Vec<u8> {
    (1..=count).flat_map(|number| framed(&numbered(number).encode_to_vec())).collect()
}

#[tokio::test]
async fn a_stream_of_responses_is_in_the_protocol_of_its_call() {
    let body = framed(&request(b"3"));
    let answer = all("application/grpc", body.clone()).await;
    assert_eq!((answer.body.as_ref(), &answer.trailers["grpc-status"]), (frames(3).as_slice(), &"0".parse().unwrap()));
    assert_eq!(answer.headers["x-accel-buffering"], "no");
    let web = [frames(3).as_slice(), b"\x80\0\0\0\x10grpc-status: 0\r\n"].concat();
    assert_eq!(all("application/grpc-web+proto", body.clone()).await.body, web);
    let text = all("application/grpc-web-text", STANDARD.encode(&body)).await;
    let decoded: Vec<u8> = text.body.chunks(4).flat_map(|part| STANDARD.decode(part).unwrap()).collect();
    assert_eq!(decoded, web);
    let answer = all("application/connect+proto", body).await;
    assert_eq!(answer.body, [frames(3).as_slice(), b"\x02\0\0\0\x02{}"].concat());
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/connect+proto".parse().unwrap()));
    let answer = all("application/connect+json", framed(br#"{"content":"MQ=="}"#)).await;
    let one = framed(br#"{"parseErrors":[{"message":"1"}]}"#);
    assert_eq!(answer.body, [one.as_ref(), b"\x02\0\0\0\x02{}"].concat());
    assert_eq!(answer.headers["content-type"], "application/connect+json");
    // A stream without any response.
    let answer = all("application/grpc", framed(&request(b"0"))).await;
    assert_eq!((answer.body.len(), &answer.trailers["grpc-status"]), (0, &"0".parse().unwrap()));
    assert_eq!(all("application/json", r#"{"content":"MQ=="}"#).await.status, 415);
}

#[tokio::test]
async fn an_error_ends_a_stream_before_or_after_its_first_response() {
    let refused = framed(&request(b"refused"));
    let answer = all("application/grpc", refused.clone()).await;
    assert_eq!((answer.body.len(), &answer.headers["grpc-status"]), (0, &"11".parse().unwrap()));
    let answer = all("application/connect+json", framed(br#"{"content":"cmVmdXNlZA=="}"#)).await;
    let end: serde_json::Value = serde_json::from_slice(&answer.body[5..]).unwrap();
    assert_eq!((answer.status, answer.body[0], &end["error"]["code"]), (200, 2, &"out_of_range".into()));
    assert_eq!(end["error"]["details"][0]["debug"]["metadata"]["field"], "snaptoken");
    let answer = all("application/grpc-web", refused).await;
    assert!(answer.body.starts_with(b"\x80") && answer.body.windows(15).any(|it| it == b"grpc-status: 11"));
    let fails = framed(&request(b"fails"));
    let answer = all("application/grpc", fails.clone()).await;
    assert_eq!((answer.body.as_ref(), &answer.trailers["grpc-status"]), (frames(2).as_slice(), &"14".parse().unwrap()));
    let answer = all("application/connect+proto", fails).await;
    let end: serde_json::Value = serde_json::from_slice(&answer.body[frames(2).len() + 5..]).unwrap();
    assert_eq!((answer.body[frames(2).len()], &end["error"]["code"]), (2, &"unavailable".into()));
}

#[tokio::test]
async fn bad_frames_open_no_stream() {
    let whole = framed(&request(b"3"));
    let mut end_of_stream = whole.to_vec();
    end_of_stream[0] = 2;
    for (body, code) in [
        (Vec::new(), "3"),
        (whole[..4].to_vec(), "3"),
        (whole[..whole.len() - 1].to_vec(), "3"),
        ([whole.as_ref(), whole.as_ref()].concat(), "3"),
        (end_of_stream, "3"),
        (framed(b"\x0a\x7fabc").to_vec(), "3"),
        (b"\0\xff\xff\xff\xff".to_vec(), "8"),
        (framed(&[0; 1001]).to_vec(), "8"),
    ] {
        let seen = Arc::default();
        let answer = Answer::of(open(&seen, &[("content-type", "application/grpc")], body.clone()).await).await;
        assert_eq!((answer.grpc_status(), answer.body.len()), (code, 0), "{body:?}");
        assert_eq!(seen.produced.load(Ordering::SeqCst), 0, "{body:?}");
        let answer = all("application/connect+proto", body).await;
        assert_eq!((answer.status, answer.body[0]), (200, 2));
    }
    let versions = |version| [("content-type", "application/connect+proto"), ("connect-protocol-version", version)];
    for (version, code) in [("1", None), ("2", Some("invalid_argument"))] {
        let answer = Answer::of(open(&Arc::default(), &versions(version), framed(&request(b"0"))).await).await;
        let end: serde_json::Value = serde_json::from_slice(&answer.body[5..]).unwrap();
        assert_eq!(end["error"]["code"].as_str(), code, "{version}");
    }
}

#[tokio::test]
async fn a_stream_is_as_fast_as_its_client_and_ends_when_the_client_leaves() {
    for media_type in ["application/grpc", "application/grpc-web", "application/connect+proto"] {
        let seen = Arc::default();
        let response = open(&seen, &[("content-type", media_type)], framed(&request(b"endless"))).await;
        let mut body = response.into_body();
        for read in 1..=5 {
            body.frame().await.unwrap().unwrap();
            tokio::task::yield_now().await;
            let produced = seen.produced.load(Ordering::SeqCst);
            assert!((read..=read + 1).contains(&produced), "{produced} responses for {read}");
        }
        assert!(!seen.is_dropped.load(Ordering::SeqCst));
        drop(body);
        assert!(seen.is_dropped.load(Ordering::SeqCst), "{media_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_its_deadline_and_an_absurd_one_is_none() {
    let waits = framed(&request(b"waits"));
    let grpc = |timeout| [("content-type", "application/grpc"), ("grpc-timeout", timeout)];
    for timeout in ["1S", "1000m", "1n"] {
        let seen = Arc::default();
        let mut body = open(&seen, &grpc(timeout), waits.clone()).await.into_body();
        body.frame().await.unwrap().unwrap();
        let last = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(last["grpc-status"], "4", "{timeout}");
        assert!(seen.is_dropped.load(Ordering::SeqCst));
        assert!(body.frame().await.is_none());
    }
    let connect = [("content-type", "application/connect+proto"), ("connect-timeout-ms", "1000")];
    let answer = Answer::of(open(&Arc::default(), &connect, waits.clone()).await).await;
    let end: serde_json::Value = serde_json::from_slice(&answer.body[frames(1).len() + 5..]).unwrap();
    assert_eq!(end["error"]["code"], "deadline_exceeded");
    for headers in
        [grpc("99999999H"), [("content-type", "application/connect+proto"), ("connect-timeout-ms", "9999999999")]]
    {
        let mut body = open(&Arc::default(), &headers, waits.clone()).await.into_body();
        body.frame().await.unwrap().unwrap();
        let day = Duration::from_hours(24);
        assert!(tokio::time::timeout(day, body.frame()).await.is_err(), "{headers:?}");
    }
    for bad in ["", "-1S", "100000000S", "18446744073709551616n"] {
        let answer = Answer::of(open(&Arc::default(), &grpc(bad), waits.clone()).await).await;
        assert_eq!(answer.grpc_status(), "3", "{bad}");
    }
}
