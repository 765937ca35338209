//! Invalid identifiers: in paths, and in the parameters for flows, sessions and challenges.

use anyhow::{Context as _, Result};

use super::json::{incompressible, sample};
use super::routes::{Place, ROUTES};
use super::verdict::{about, refused, sane};
use super::wire::{Request, send};
use super::world::World;

/// Ids that do not exist.
fn unknown_ids() -> Vec<String> {
    let texts = [
        "x",
        "0",
        "-1",
        "null",
        "undefined",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "3f2c1b0a-0000-4000-8000-00000000beeg",
        "3f2c1b0a-0000-4000-8000-00000000bee",
        "%7B3f2c1b0a%7D",
        "%27%20OR%201%3D1--",
        "%F0%9F%94%91",
        "%ff",
        "%00",
        "%0d%0aX-Injected:1",
        "%2e%2e",
        "..%2f..%2fetc",
        "%25",
        "%",
        "%zz",
        "a%20b",
        "*",
        "a;b=c",
        "9223372036854775808",
        "1e9",
        "[]",
        "$where",
    ];
    texts.map(str::to_owned).into_iter().chain([incompressible(10_000), "%41".repeat(10_000)]).collect()
}

#[tokio::test]
async fn an_unknown_id_in_a_path_is_refused() -> Result<()> {
    World::on_both_engines(async |world| {
        for route in ROUTES.iter().filter(|route| route.path.contains("/{")) {
            let (before, rest) = route.path.split_once("/{").unwrap_or_default();
            let (_, after) = rest.split_once('}').unwrap_or_default();
            for id in unknown_ids() {
                let request = Request::new(route.method, world.fill(&format!("{before}/{id}{after}")));
                let request = request.header("X-Session-Token", &world.session_token);
                let request =
                    if route.reads_json() { request.json(sample(world, route)?.to_string()) } else { request };
                let answer = send(world, route.place, &request).await?;
                sane(route.place, &answer).with_context(|| about(route, &id))?;
                // As in the original, an unknown identity has an empty list of sessions.
                let is_empty_list =
                    route.path.contains("/admin/identities/{identity}/sessions") && answer.text() == "[]";
                if route.method == "GET" && !route.path.contains("/keys/") && !is_empty_list {
                    refused(route.place, &answer).with_context(|| about(route, &id))?;
                }
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_unknown_id_in_a_query_is_refused() -> Result<()> {
    World::on_both_engines(async |world| {
        for route in ROUTES.iter().filter(|route| route.path.contains("={")) {
            let (before, rest) = route.path.split_once("={").unwrap_or_default();
            let (_, after) = rest.split_once('}').unwrap_or_default();
            for id in unknown_ids() {
                // Ids with `#`, `&` and similar characters would change the query.
                let request = Request::new(route.method, world.fill(&format!("{before}={id}{after}")));
                let request =
                    request.header("Accept", "application/json").header("X-Session-Token", &world.session_token);
                let request = if route.reads_json() { request.json("{\"method\":\"password\"}") } else { request };
                let answer = send(world, route.place, &request).await?;
                sane(route.place, &answer).with_context(|| about(route, &id))?;
            }
        }
        Ok(())
    })
    .await
}

/// An id of one kind is not valid as another, although they have the same form.
#[tokio::test]
async fn a_flow_of_one_kind_is_not_valid_as_another() -> Result<()> {
    World::on_both_engines(async |world| {
        let kinds = ["login", "registration", "recovery", "verification", "settings"];
        for kind in kinds {
            for other in kinds.iter().filter(|other| **other != kind).chain(&["identity", "session", "message"]) {
                let id = world.name(other);
                for (method, path) in [
                    ("GET", format!("/self-service/{kind}/flows?id={id}")),
                    ("POST", format!("/self-service/{kind}?flow={id}")),
                ] {
                    let request = Request::new(method, &path).header("Accept", "application/json");
                    let request = request.header("X-Session-Token", &world.session_token);
                    let request = if method == "POST" { request.json("{\"method\":\"code\"}") } else { request };
                    let answer = send(world, Place::IdentityPublic, &request).await?;
                    refused(Place::IdentityPublic, &answer).with_context(|| format!("{other} for {method} {path}"))?;
                }
            }
        }
        Ok(())
    })
    .await
}
