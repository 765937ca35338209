//! The memory cost of the gateway: allocations per request, and bytes per idle rule. Both are the same on every machine, so
//! they are checked in a test and not in a benchmark.
//!
//! The allocator counts for the whole process, so everything is measured in one test, on one thread.

use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use base::{Context, Rng};
use base64::Engine as _;
use contracts::{ActiveSession, Link, SessionCheck, SessionCredentials, Sessions, Unavailable};
use gateway::{Gateway, LocalServices, Parts};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One authenticated user, with a body like that of `whoami`.
struct SignedIn(Arc<Value>);

impl SignedIn {
    fn new() -> Self {
        let device = json!({"id": "d", "ip_address": "127.0.0.1", "user_agent": "test", "location": ""});
        let address = json!({"id": "a", "value": "a@example.org", "via": "email", "verified": true});
        Self(Arc::new(json!({
            "id": "s", "active": true, "authenticator_assurance_level": "aal1",
            "authentication_methods": [{"method": "password", "aal": "aal1"}],
            "identity": {
                "id": "0b1c", "schema_id": "default", "state": "active", "traits": {"email": "a@example.org"},
                "verifiable_addresses": [address], "recovery_addresses": [address],
            },
            "devices": [device],
        })))
    }
}

#[async_trait]
impl Sessions for SignedIn {
    async fn check(&self, cx: &Context, _: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        Ok(SessionCheck::Active(Box::new(ActiveSession {
            session_id: uuid::Uuid::nil(),
            identity_id: uuid::Uuid::nil(),
            authenticated_at: cx.now,
            expires_at: cx.now,
            aal: String::new(),
            amr: Vec::new(),
            whoami: self.0.clone(),
        })))
    }

    async fn end(&self, _: &Context, _: uuid::Uuid) -> Result<(), Unavailable> {
        Ok(())
    }
}

/// An upstream that answers without allocating.
async fn upstream() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let serving = async move {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        let mut buffer = [0; 4096];
        while let Ok(1..) = stream.read(&mut buffer).await {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the runtime of a test ends with it")]
    tokio::spawn(serving);
    Ok(url)
}

fn rule(path: &str, upstream: &str, authenticators: &Value, mutators: &Value) -> Value {
    json!({
        "id": path, "match": {"url": format!("http://<[^/]+>{path}/<.*>"), "methods": ["GET"]},
        "authenticators": authenticators, "authorizer": {"handler": "allow"}, "mutators": mutators,
        "upstream": {"url": upstream},
    })
}

fn header(template: &str) -> Value {
    json!([{"handler": "header", "config": {"headers": {"X-User-Id": template}}}])
}

async fn gateway(rules: &Value) -> Result<Arc<Gateway>> {
    let rules = base64::engine::general_purpose::STANDARD.encode(rules.to_string());
    let enabled = json!({"enabled": true});
    let config = json!({
        "access_rules": {"repositories": [format!("inline://{rules}")]},
        "authenticators": {"noop": enabled, "anonymous": enabled, "cookie_session": enabled},
        "authorizers": {"allow": enabled},
        "mutators": {"noop": enabled, "header": enabled},
    });
    let gateway = Gateway::new(Parts {
        config: serde_json::from_value(config)?,
        rng: Rng::seeded(1),
        http: web::outbound::Client::new(web::outbound::Destinations::Any, &base::TrustStore::bundled()),
        sessions: Link::to(Arc::new(SignedIn::new())),
        introspection: Link::unset(),
        permissions: Link::unset(),
        local: LocalServices::default(),
        generated_keys: jose::JwkSet::default(),
        keeps_generated_keys: false,
    })?;
    gateway.load_rules().await?;
    Ok(gateway)
}

/// The minimum of the allocations for a request to this path, to exclude one-time allocations of a thread.
async fn allocations(router: &TowerToHyperService<Router>, path: &str) -> Result<usize> {
    let mut fewest = usize::MAX;
    for _ in 0..20 {
        // The values share memory, as those of a received request do: cloning one is free.
        let values = [
            ("host", "api.example"),
            ("user-agent", "test/1.0"),
            ("accept", "*/*"),
            ("accept-language", "en"),
            ("cookie", "theme=dark; session=x"),
        ];
        let mut request = Request::get(path).body(Body::empty())?;
        request
            .headers_mut()
            .extend(values.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))));
        let region = Region::new(ALLOCATOR);
        let answer = router.call(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        fewest = fewest.min(region.change().allocations);
        ensure!(status == 200 && body.as_ref() == b"ok", "{path}: {status} {body:?}");
    }
    Ok(fewest)
}

async fn a_pass_through_the_gateway() -> Result<()> {
    let upstream = upstream().await?;
    let session = json!([
        {"handler": "cookie_session",
         "config": {"check_session_url": "kleis://identity/sessions/whoami", "only": ["session"]}},
        {"handler": "anonymous"},
    ]);
    let noop = json!([{"handler": "noop"}]);
    let rules = json!([
        rule("/open", &upstream, &noop, &noop),
        rule("/checked", &upstream, &session, &header("{{ print .Subject }}")),
    ]);
    let router = TowerToHyperService::new(gateway(&rules).await?.public_router());
    let open = allocations(&router, "/open/x").await?;
    let checked = allocations(&router, "/checked/x").await?;
    println!("allocations: {open} without a session check, {checked} with one");
    // Most belong to the client and the framework: headers, the body's box, the channel between connection and request. Two
    // are for a retry: the list of headers once more.
    ensure!(open <= 21, "a request without a session check allocates {open} times");
    // The call to the other service and its response, the cookie, the subject, the list of headers and its one value, and
    // its copy for a retry. Most importantly, the session document is not copied, which would be fifty and more.
    ensure!(checked <= 28, "a request with a session check allocates {checked} times");
    Ok(())
}

type NumberedRule<'a> = dyn Fn(usize) -> Value + Sync + 'a;

/// The bytes of one of many idle rules: waits until it is at most the limit, and for half a minute at most.
async fn bytes_per_rule(most: usize, rule: &NumberedRule<'_>) -> Result<usize> {
    const RULES: usize = 200;
    let rules: Value = (0..RULES).map(rule).collect();
    let region = Region::new(ALLOCATOR);
    let gateway = gateway(&rules).await?;
    // The overlap check of all rules runs in the background and finishes.
    let mut held = usize::MAX;
    for _ in 0..750 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        let change = region.change();
        // Negative if earlier memory was freed only now.
        held = held.min(change.bytes_allocated.checked_sub(change.bytes_deallocated).unwrap_or(held));
        if held / RULES <= most {
            break;
        }
    }
    drop(gateway);
    Ok(held / RULES)
}

fn rules_at_rest() -> Result<()> {
    let noop = json!([{"handler": "noop"}]);
    let of = |number: usize, mutators: &Value| rule(&format!("/{number}"), "http://u", &noop, mutators);
    let with_url = |url: String| {
        let mut rule = of(0, &noop);
        rule["match"]["url"] = json!(url);
        rule
    };
    let literal = |number| with_url(format!("http://api.example/{number}"));
    let runs = |number| of(number, &noop);
    let regular = |number| with_url(format!("<https?>://h/{number}/<(a|b)[0-9]{{2,4}}>"));
    let named = |number| of(number, &header("{{ print .Subject }}"));
    let templated = |number| of(number, &header("{{ .Subject }}:{{ .Authenticator }}"));
    // Half of it is the rule as written, for `GET /rules`. A compiled regular expression alone would be twenty thousand, so
    // none is compiled before its first request; the function table would be ten thousand, so all templates share one.
    let kinds: [(&str, &NumberedRule<'_>, usize); 5] = [
        ("with a literal URL", &literal, 3_500),
        ("with runs in its URL", &runs, 4_000),
        ("with an expression in its URL", &regular, 4_500),
        ("that sets a header", &named, 5_500),
        ("with a template", &templated, 9_500),
    ];
    for (what, rule, most) in kinds {
        // One runtime each: dropping it waits for its tasks, so that nothing is freed during the next measurement.
        let bytes = runtime()?.block_on(bytes_per_rule(most, rule))?;
        println!("a rule {what} occupies {bytes} bytes");
        ensure!(bytes <= most, "a rule {what} occupies {bytes} bytes");
    }
    Ok(())
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

#[test]
fn requests_and_idle_rules_stay_within_their_memory_limits() -> Result<()> {
    rules_at_rest()?;
    runtime()?.block_on(a_pass_through_the_gateway())
}
