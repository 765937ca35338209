//! Passwords known from data breaches. They are looked up at a range service (Have I Been Pwned), which receives only
//! the first five characters of a SHA-1 digest (k-anonymity). Padding hides the length of the response.
//!
//! Invariants: a failed request is an error or is ignored, as configured. After an ignored failure, the service is not
//! called again for a while, so that registrations do not wait for it repeatedly.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::{Secret, Timestamp};
use bytes::Bytes;
use http::Request;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use web::outbound::{Client, Limits};

use crate::config::PasswordConfig;

const CACHED_FOR: Duration = Duration::from_hours(1);
const SKIPPED_FOR: Duration = Duration::from_mins(1);
const MAX_CACHED: usize = 4096;
const LIMITS: Limits = Limits { timeout: Duration::from_secs(3), max_bytes: 256 * 1024 };

/// The list cannot be reached, and the configuration requires it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of breached passwords cannot be reached")]
pub(crate) struct BreachListUnavailable;

pub(crate) struct BreachList {
    http: Client,
    origin: Option<String>,
    ignore_errors: bool,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    /// By SHA-256 of the password.
    counts: HashMap<[u8; 32], (u64, Timestamp)>,
    order: VecDeque<[u8; 32]>,
    skipped_until: Option<Timestamp>,
}

impl BreachList {
    pub(crate) fn new(config: &PasswordConfig, http: &Client) -> Self {
        let host = config.haveibeenpwned_host.trim_end_matches('/');
        let origin = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
        Self {
            http: http.with_limits(LIMITS),
            origin: (config.haveibeenpwned_enabled && !host.is_empty()).then_some(origin),
            ignore_errors: config.ignore_network_errors,
            cache: Mutex::default(),
        }
    }

    /// The number of breaches that contain the password.
    pub(crate) async fn count(&self, password: &Secret<String>, now: Timestamp) -> Result<u64, BreachListUnavailable> {
        let Some(origin) = &self.origin else { return Ok(0) };
        let key: [u8; 32] = Sha256::digest(password.expose().as_bytes()).into();
        {
            let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((count, _)) = cache.counts.get(&key).filter(|(_, until)| now < *until) {
                return Ok(*count);
            }
            if self.ignore_errors && cache.skipped_until.is_some_and(|until| now < until) {
                return Ok(0);
            }
        }
        let hash = uppercase_hex(&Sha1::digest(password.expose().as_bytes()));
        let (prefix, suffix) = hash.split_at(5);
        match self.fetch(&format!("{origin}/range/{prefix}")).await {
            Ok(lines) => {
                let count = find(&lines, suffix);
                self.store(key, count, now);
                Ok(count)
            }
            Err(problem) => {
                tracing::warn!(problem, "the list of breached passwords cannot be reached");
                if !self.ignore_errors {
                    return Err(BreachListUnavailable);
                }
                let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                cache.skipped_until = Some(now.plus(SKIPPED_FOR));
                Ok(0)
            }
        }
    }

    async fn fetch(&self, url: &str) -> Result<String, String> {
        let request =
            Request::get(url).header("Add-Padding", "true").body(Bytes::new()).map_err(|error| error.to_string())?;
        let response = self.http.send(request).await.map_err(|error| error.to_string())?;
        if response.status() != http::StatusCode::OK {
            return Err(format!("the response status is {}", response.status()));
        }
        String::from_utf8(response.into_body().to_vec()).map_err(|error| error.to_string())
    }

    fn store(&self, key: [u8; 32], count: u64, now: Timestamp) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.skipped_until = None;
        if cache.counts.insert(key, (count, now.plus(CACHED_FOR))).is_none() {
            cache.order.push_back(key);
        }
        while cache.order.len() > MAX_CACHED {
            if let Some(oldest) = cache.order.pop_front() {
                cache.counts.remove(&oldest);
            }
        }
    }
}

impl std::fmt::Debug for BreachList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BreachList").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Finds `SUFFIX:COUNT`; padding lines count 0.
fn find(lines: &str, suffix: &str) -> u64 {
    lines
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(suffix))
        .and_then(|(_, count)| count.trim().parse().ok())
        .unwrap_or(0)
}

fn uppercase_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|n| char::from(b"0123456789ABCDEF"[usize::from(n)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use web::outbound::Destinations;

    /// A range service that lists `password`, and the number of requests that it received.
    #[expect(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]
    async fn service(status: &'static str) -> (String, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
                assert!(request.contains("add-padding: true"), "{request}");
                // SHA-1 of "password" is 5BAA6 1E4C9B93F3F0682250B6CF8331B7EE68FD8.
                let body = "003D68EB55068C33ACE09247EE4C639306B:0\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\n";
                let body = if request.starts_with("get /range/5baa6 ") { body } else { "" };
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (origin, requests)
    }

    fn list(origin: &str, ignore_network_errors: bool) -> BreachList {
        let config = PasswordConfig {
            haveibeenpwned_host: origin.to_owned(),
            ignore_network_errors,
            ..PasswordConfig::default()
        };
        BreachList::new(&config, &Client::new(Destinations::Any, &base::TrustStore::bundled()))
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_breached_password_is_found_and_the_result_is_cached() {
        let (origin, requests) = service("200 OK").await;
        let list = list(&origin, false);
        let now = Timestamp::EPOCH;
        assert_eq!(list.count(&secret("password"), now).await, Ok(9_545_824));
        assert_eq!(list.count(&secret("password"), now).await, Ok(9_545_824));
        assert_eq!(requests.load(Ordering::SeqCst), 1);
        assert_eq!(list.count(&secret("another"), now).await, Ok(0));
        assert_eq!(list.count(&secret("password"), now.plus(CACHED_FOR)).await, Ok(9_545_824));
        assert_eq!(requests.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_broken_service_is_an_error_or_is_not_called_again() {
        let (origin, requests) = service("503 Service Unavailable").await;
        let now = Timestamp::EPOCH;
        assert_eq!(list(&origin, false).count(&secret("password"), now).await, Err(BreachListUnavailable));
        let lax = list(&origin, true);
        assert_eq!(lax.count(&secret("password"), now).await, Ok(0));
        assert_eq!(lax.count(&secret("other"), now).await, Ok(0));
        assert_eq!(requests.load(Ordering::SeqCst), 2, "it is not called again at once");
        assert_eq!(lax.count(&secret("other"), now.plus(SKIPPED_FOR)).await, Ok(0));
        assert_eq!(requests.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_disabled_list_is_not_called() {
        let config = PasswordConfig { haveibeenpwned_enabled: false, ..PasswordConfig::default() };
        let list = BreachList::new(&config, &Client::new(Destinations::Any, &base::TrustStore::bundled()));
        assert_eq!(list.count(&secret("password"), Timestamp::EPOCH).await, Ok(0));
    }
}
