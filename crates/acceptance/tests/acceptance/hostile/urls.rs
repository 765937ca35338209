//! Request targets that can be interpreted in several ways.

use anyhow::{Context as _, Result, ensure};

use super::routes::Place;
use super::verdict::{refused, refused_by_the_parser, sane};
use super::wire::{Answer, exchange};
use super::world::World;

/// A path that each listener serves without authentication.
const SERVED: [(Place, &str); 8] = [
    (Place::IdentityPublic, "/self-service/login/api"),
    (Place::IdentityAdmin, "/admin/identities"),
    (Place::OauthPublic, "/.well-known/openid-configuration"),
    (Place::OauthAdmin, "/admin/clients"),
    (Place::PermissionsRead, "/health/ready"),
    (Place::PermissionsWrite, "/health/ready"),
    (Place::GatewayProxy, "/open/a"),
    (Place::GatewayApi, "/rules/open"),
];

async fn get(world: &World, place: Place, target: &[u8]) -> Result<Answer> {
    let host = world.authority(place)?;
    let head = format!(" HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
    exchange(world, place, &[b"GET ", target, head.as_bytes()].concat()).await
}

/// Other spellings of `path`, which must not be treated as the same path.
fn spellings(path: &str) -> Vec<Vec<u8>> {
    let rest = path.trim_start_matches('/');
    let (first, last) = rest.split_once('/').unwrap_or((rest, ""));
    let slash = |other: &str| format!("/{first}{other}{last}").into_bytes();
    let mut all: Vec<Vec<u8>> = [
        format!("/x/..{path}"),
        format!("/x/../..{path}"),
        format!("/..{path}"),
        format!("/.{path}"),
        format!("/%2e%2e{path}"),
        format!("/%2e{path}"),
        format!("/%2E%2e{path}"),
        format!("/.%2e{path}"),
        format!("/x/%2e%2e{path}"),
        format!("/%252e%252e{path}"),
        format!("/..;{path}"),
        format!("/;x{path}"),
        format!("/{path}"),
        format!("//{path}"),
        format!("/\\{path}"),
        format!("\\{path}"),
        format!("/%2f{path}"),
        format!("/%5c{path}"),
        format!("{path}/.."),
        format!("{path}/%2e%2e"),
        format!("{path}/../../x"),
        format!("{path}/..;/x"),
        format!("{path};a=b"),
        format!("{path}%00"),
        format!("{path}%0d%0aX-Injected:%201"),
        format!("{path}%ff"),
        format!("{path}%c0%af"),
        format!("{path}%"),
        format!("{path}%z"),
        format!("{path}%2"),
        format!("{path}%u002f"),
        format!("{path}%3f"),
        format!("{path}%23"),
        format!("{path}/%20"),
        format!("{path}\\x"),
        rest.to_owned(),
        String::new(),
        "?".to_owned(),
        "#".to_owned(),
        "//".to_owned(),
        "/".repeat(5_000),
        "/..".repeat(2_000),
        "/a/..".repeat(2_000),
        "*".to_owned(),
        ":80".to_owned(),
        "http://".to_owned(),
        "http:///x".to_owned(),
        "http://[::1".to_owned(),
        "http://a b/".to_owned(),
        "http://user:pass@evil.example/".to_owned(),
        "javascript:alert(1)".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec();
    all.extend(
        ["//", "%2f", "%2F", "%5c", "\\", "/./", "/x/../", ";/", "%252f", "/%2e/", "\u{2215}", "%c0%af"].map(slash),
    );
    all.push([path.as_bytes(), b"\xff"].concat());
    all.push([path.as_bytes(), b"\x00"].concat());
    all.push([path.as_bytes(), b"\x7f"].concat());
    all
}

/// Checks that the HTTP parser or the listener refuses the request.
fn is_refused(place: Place, answer: &Answer) -> Result<()> {
    if answer.body.is_empty() { refused_by_the_parser(answer) } else { refused(place, answer) }
}

/// The proxy may resolve dot segments if the application receives exactly the path that matched the rule.
fn is_forwarded_as_it_was_matched(answer: &Answer) -> Result<()> {
    let body = answer.json().context("what the application received")?;
    let path = body["path"].as_str().unwrap_or_default();
    let is_one_reading =
        path.starts_with("/open/") && !path.contains("..") && !path.contains("//") && !path.contains('\\');
    ensure!(is_one_reading, "the application received {path}");
    Ok(())
}

#[tokio::test]
async fn another_spelling_of_a_path_is_another_path() -> Result<()> {
    let world = World::on_sqlite().await?;
    for (place, path) in SERVED {
        let plain = get(&world, place, path.as_bytes()).await?;
        ensure!(plain.status == 200, "{path}: {}", plain.summary());
        for target in spellings(path) {
            let shown = String::from_utf8_lossy(&target[..target.len().min(120)]).into_owned();
            let answer = get(&world, place, &target).await?;
            // The public pages begin at the root.
            let is_root = matches!(shown.as_str(), "?" | "http://user:pass@evil.example/") && answer.status == 303;
            if is_root {
                continue;
            }
            // A doubled first slash is redirected to the same path with one slash.
            if answer.status == 308 {
                ensure!(answer.header("location") == path, "{place:?} {shown}: {}", answer.summary());
                continue;
            }
            if place == Place::GatewayProxy && answer.status == 200 {
                is_forwarded_as_it_was_matched(&answer).with_context(|| shown.clone())?;
                continue;
            }
            is_refused(place, &answer).with_context(|| format!("{place:?} {shown}"))?;
        }
    }
    world.end().await
}

/// RFC 9112 section 3.2.2: a server must accept the absolute form; its host has no effect.
#[tokio::test]
async fn an_absolute_target_reaches_the_same_as_its_path() -> Result<()> {
    let world = World::on_sqlite().await?;
    for (place, path) in SERVED {
        let own = format!("http://{}{path}", world.authority(place)?);
        let answer = get(&world, place, own.as_bytes()).await?;
        ensure!(answer.status == 200, "{own}: {}", answer.summary());
        let foreign = get(&world, place, format!("http://evil.example{path}").as_bytes()).await?;
        sane(place, &foreign).with_context(|| format!("{place:?}"))?;
        ensure!(!foreign.text().contains("evil.example"), "a name from the request: {}", foreign.summary());
        if place == Place::GatewayProxy {
            ensure!(foreign.status == 400, "two hosts: {}", foreign.summary());
        }
    }
    world.end().await
}

/// The admin API is not on a public listener, under any spelling.
#[tokio::test]
async fn the_admin_api_is_not_on_the_public_listeners() -> Result<()> {
    let world = World::on_sqlite().await?;
    for (place, path) in [(Place::IdentityPublic, "/admin/identities"), (Place::OauthPublic, "/admin/clients")] {
        for target in spellings(path).into_iter().chain([path.as_bytes().to_vec()]) {
            let answer = get(&world, place, &target).await?;
            ensure!(answer.status != 200, "{}: {}", String::from_utf8_lossy(&target), answer.summary());
        }
    }
    world.end().await
}
