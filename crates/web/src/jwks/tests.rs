use std::sync::atomic::{AtomicUsize, Ordering};

use base::{RequestId, TrustStore};
use jose::{Algorithm, KeyUse};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::outbound::{Client, Destinations};

const POLICY: Policy = Policy {
    time_to_live: Duration::from_secs(100),
    stale_on_error: Duration::from_secs(50),
    longest_wait: Duration::from_secs(5),
    pause_after_failure: Duration::from_secs(10),
    pause_after_unknown_kid: Duration::from_secs(20),
};

/// A publisher of one document that counts requests.
struct Publisher {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    requests: Arc<AtomicUsize>,
}

impl Publisher {
    async fn start(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (answer, requests) = (Arc::new(Mutex::new((200, keys(&["a"])))), Arc::new(AtomicUsize::new(0)));
        let (its_answer, its_requests) = (answer.clone(), requests.clone());
        let serve = async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                its_requests.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(delay).await;
                let (status, body) = its_answer.lock().unwrap().clone();
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the server ends with the runtime of the test")]
        tokio::spawn(serve);
        Self { url, answer, requests }
    }

    fn publish(&self, status: u16, body: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, body.into());
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn keys(kids: &[&str]) -> String {
    let key = |kid: &&str| Jwk::generate(Algorithm::EdDSA, (*kid).to_owned()).unwrap();
    JwkSet { keys: kids.iter().map(key).collect() }.to_public_value().to_string()
}

fn sets() -> RemoteKeySets {
    RemoteKeySets::new(Documents::remote(client()), |_| true, Bounds::default())
}

fn client() -> Client {
    Client::new(Destinations::Any, &TrustStore::bundled())
}

fn at(seconds: i64) -> Context {
    let now = Timestamp::from_unix_seconds(1_800_000_000 + seconds);
    Context::for_background(now, TenantId::DEFAULT, RequestId(uuid::Uuid::nil()))
}

#[tokio::test]
async fn concurrent_requests_share_one_fetch() {
    let (publisher, sets) = (Publisher::start(Duration::from_millis(50)).await, sets());
    let cx = at(0);
    let find = || sets.find(&cx, &publisher.url, Some("a"), &POLICY);
    let found = futures_util::future::join_all((0..20).map(|_| find())).await;
    assert!(found.iter().all(|keys| keys.as_ref().unwrap().contains("a")));
    assert_eq!(publisher.requests(), 1);
    assert!(sets.fetcher.fetches.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_fetch_continues_after_its_requests_timed_out() {
    let (publisher, sets) = (Publisher::start(Duration::from_millis(200)).await, sets());
    let hasty = Policy { longest_wait: Duration::from_millis(20), ..POLICY };
    let error = sets.find(&at(0), &publisher.url, None, &hasty).await.unwrap_err();
    assert!(error.to_string().ends_with("did not arrive in time"), "{error}");
    assert!(sets.find(&at(0), &publisher.url, None, &POLICY).await.unwrap().contains("a"));
    assert_eq!(publisher.requests(), 1);
}

#[tokio::test]
async fn an_expired_set_is_fetched_again_and_keeps_its_value_if_unchanged() {
    let (publisher, sets) = (Publisher::start(Duration::ZERO).await, sets());
    let find = async |seconds| sets.find(&at(seconds), &publisher.url, None, &POLICY).await.unwrap();
    let first = find(0).await;
    assert!(Arc::ptr_eq(&first, &find(99).await));
    assert_eq!(publisher.requests(), 1);
    assert!(Arc::ptr_eq(&first, &find(100).await));
    assert_eq!(publisher.requests(), 2);
    publisher.publish(200, keys(&["b"]));
    let other = find(200).await;
    assert!(other.contains("b") && !other.contains("a"));
}

#[tokio::test]
async fn expired_keys_are_used_during_an_outage_for_a_limited_time() {
    let (publisher, sets) = (Publisher::start(Duration::ZERO).await, sets());
    let find = async |seconds| sets.find(&at(seconds), &publisher.url, Some("a"), &POLICY).await;
    assert!(find(0).await.is_ok());
    publisher.publish(503, "");
    assert!(find(110).await.is_ok());
    assert!(find(149).await.is_ok());
    assert!(find(150).await.is_err());
    publisher.publish(200, keys(&["a"]));
    assert!(find(160).await.is_ok());
}

#[tokio::test]
async fn withdrawn_keys_are_not_used_after_they_expire() {
    for (status, body) in [(404, ""), (200, "<html>"), (200, "[]")] {
        let (publisher, sets) = (Publisher::start(Duration::ZERO).await, sets());
        let find = async |kid, seconds| sets.find(&at(seconds), &publisher.url, Some(kid), &POLICY).await;
        assert!(find("a", 0).await.is_ok());
        publisher.publish(status, body);
        assert!(find("unknown", 50).await.is_err());
        assert!(find("a", 99).await.is_ok());
        assert!(find("a", 100).await.is_err(), "{status} {body}");
    }
}

#[tokio::test]
async fn a_failed_fetch_is_followed_by_a_pause() {
    let (publisher, sets) = (Publisher::start(Duration::ZERO).await, sets());
    publisher.publish(500, "");
    let find = async |seconds| sets.find(&at(seconds), &publisher.url, None, &POLICY).await;
    let error = find(0).await.unwrap_err();
    assert!(error.to_string().ends_with("returned the status 500"), "{error}");
    publisher.publish(200, keys(&["a"]));
    assert_eq!(find(9).await.unwrap_err(), error);
    assert_eq!(publisher.requests(), 1);
    assert!(find(10).await.is_ok());
}

#[tokio::test]
async fn an_unknown_kid_is_fetched_once_per_pause() {
    let (publisher, sets) = (Publisher::start(Duration::ZERO).await, sets());
    let find = async |kid, seconds| sets.find(&at(seconds), &publisher.url, Some(kid), &POLICY).await;
    for kid in ["x", "y", "z"] {
        assert!(!find(kid, 0).await.unwrap().contains(kid));
    }
    assert!(find("x", 19).await.is_ok());
    assert_eq!(publisher.requests(), 1);
    publisher.publish(200, keys(&["a", "x"]));
    assert!(find("x", 20).await.unwrap().contains("x"));
    assert_eq!(publisher.requests(), 2);
    // If that fetch fails, known keys are still used.
    publisher.publish(500, "");
    assert!(find("y", 40).await.is_err());
    assert!(find("a", 41).await.unwrap().contains("a"));
    assert!(find("y", 49).await.is_err());
    assert_eq!(publisher.requests(), 3);
}

#[tokio::test]
async fn each_tenant_has_its_own_sets() {
    let (publisher, sets) = (Publisher::start(Duration::ZERO).await, sets());
    let other = Context { tenant: TenantId::from_i32(2), ..at(0) };
    for cx in [&at(0), &other, &at(0), &other] {
        assert!(sets.find(cx, &publisher.url, None, &POLICY).await.is_ok());
    }
    assert_eq!(publisher.requests(), 2);
}

#[tokio::test]
async fn the_cache_is_bounded_in_entries_and_in_bytes() {
    let document = keys(&["a", "b"]);
    let local = |bounds| RemoteKeySets::new(Documents::remote_and_local(client()), |_| true, bounds);
    let url = |number: usize| {
        let document = format!("{document}{}", " ".repeat(number));
        format!("base64://{}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, document))
    };
    let few = local(Bounds { entries: 8, bytes: 1 << 20, ..Bounds::default() });
    for number in 0..50 {
        assert!(few.find(&at(0), &url(number), Some("b"), &POLICY).await.is_ok());
    }
    assert!((1..=8).contains(&few.fetcher.kept.len()), "{few:?}");
    let small = local(Bounds { entries: 1_000, bytes: 16 << 10, ..Bounds::default() });
    for number in 0..50 {
        assert!(small.find(&at(0), &url(number), Some("b"), &POLICY).await.is_ok());
        assert!(small.fetcher.kept.weight() <= 16 << 10);
    }
    assert!((1..16).contains(&small.fetcher.kept.len()), "{small:?}");
    // Failures are cached as well, and count.
    for port in 1..50 {
        assert!(few.find(&at(0), &format!("unknown://{port}"), None, &POLICY).await.is_err());
    }
    assert!((1..=8).contains(&few.fetcher.kept.len()), "{few:?}");
}

#[tokio::test]
async fn concurrent_fetches_are_bounded() {
    let (slow, other) = (Publisher::start(Duration::from_millis(100)).await, Publisher::start(Duration::ZERO).await);
    let bounds = Bounds { fetches: 1, ..Bounds::default() };
    let sets = RemoteKeySets::new(Documents::remote(client()), |_| true, bounds);
    let cx = at(0);
    let (first, second) =
        tokio::join!(sets.find(&cx, &slow.url, None, &POLICY), sets.find(&cx, &other.url, None, &POLICY),);
    assert!(first.is_ok() && second.unwrap_err().to_string().contains("too many"));
    assert!(sets.find(&cx, &other.url, None, &POLICY).await.is_ok());
}

#[tokio::test]
async fn unusable_keys_do_not_verify() {
    let mut set = JwkSet { keys: vec![Jwk::generate(Algorithm::EdDSA, "a".to_owned()).unwrap()] };
    let mut other = set.keys[0].clone();
    (other.kid, other.key_use) = (Some("b".to_owned()), Some(KeyUse::Encryption));
    set.keys.push(other);
    let publisher = Publisher::start(Duration::ZERO).await;
    publisher.publish(200, set.to_public_value().to_string());
    let is_usable = |key: &Jwk| key.key_use == Some(KeyUse::Signature);
    let sets = RemoteKeySets::new(Documents::remote(client()), is_usable, Bounds::default());
    let found = sets.find(&at(0), &publisher.url, None, &POLICY).await.unwrap();
    assert_eq!((found.contains("a"), found.contains("b")), (true, false));
}

#[tokio::test]
async fn only_urls_of_the_configuration_read_files() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!({"keys": []}).to_string()).unwrap();
    let path = file.path().display().to_string();
    let (remote, local) = (Documents::remote(client()), Documents::remote_and_local(client()));
    for url in [path.clone(), format!("file://{path}")] {
        assert_eq!(local.read(&url).await.unwrap(), br#"{"keys":[]}"#);
        assert!(remote.read(&url).await.is_err());
    }
    assert_eq!(local.read("base64://e30").await.unwrap(), b"{}");
    assert!(remote.read("base64://e30").await.is_err());
    assert!(local.read("ftp://h/keys").await.unwrap_err().to_string().contains("scheme"));
    assert_eq!(shown("base64://e30"), "base64://…");
}
