//! Foreign cookies, too many or too large ones, and cookies that were sealed by another server or for another purpose, or
//! changed.

use acceptance::suite::Engine;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::routes::{Place, ROUTES};
use super::tokens::with_one_bit_flipped;
use super::verdict::{about, refused, refused_by_the_parser, sane};
use super::wire::{Answer, Request, send};
use super::world::World;

const SESSION: &str = "ory_kratos_session";

/// The value of the cookie of Alice's browser whose name begins with `name`.
fn cookie(world: &World, name: &str) -> Result<String> {
    let here = url::Url::parse(&world.suite.identity("/"))?;
    let found = world.browser.cookies.visible(&here).find(|cookie| cookie.name.starts_with(name));
    found.map(|cookie| cookie.value.clone()).with_context(|| format!("no cookie {name}"))
}

async fn with_cookie(world: &World, place: Place, path: &str, cookie: &str) -> Result<Answer> {
    let request = Request::new("GET", path).header("Accept", "application/json");
    send(world, place, &request.header("Cookie", cookie)).await
}

/// The statuses of `whoami` and of the gateway with that cookie.
async fn opens(world: &World, cookie: &str) -> Result<[u16; 2]> {
    let whoami = with_cookie(world, Place::IdentityPublic, "/sessions/whoami", cookie).await?;
    let guarded = with_cookie(world, Place::GatewayProxy, "/guarded/a", cookie).await?;
    for (place, answer) in [(Place::IdentityPublic, &whoami), (Place::GatewayProxy, &guarded)] {
        sane(place, answer).with_context(|| cookie.chars().take(200).collect::<String>())?;
    }
    Ok([whoami.status, guarded.status])
}

#[tokio::test]
async fn an_unknown_cookie_is_401_on_every_route() -> Result<()> {
    World::on_both_engines(async |world| {
        let own = format!("{SESSION}={}", cookie(world, SESSION)?);
        ensure!(opens(world, &own).await? == [200, 200], "Alice is not signed in");
        let mut forged: Vec<String> =
            ["", "x", "\"", "=", "%00", "%ff", "null", "{}", "MTIz|x|y", "\u{e9}", "a b", "../..", ","]
                .iter()
                .map(|value| format!("{SESSION}={value}"))
                .collect();
        // A valid value of the wrong kind.
        forged.push(format!("{SESSION}={}", cookie(world, "csrf_token")?));
        for token in
            [&world.session_token, world.token("access_token"), world.name("login_challenge"), world.name("session")]
        {
            forged.push(format!("{SESSION}={token}"));
        }
        forged.push(format!("{SESSION}={}", "A".repeat(30_000)));
        forged.push(format!("{SESSION} ={own}"));
        forged.extend(with_one_bit_flipped(&cookie(world, SESSION)?).map(|value| format!("{SESSION}={value}")));
        for cookie in forged {
            ensure!(opens(world, &cookie).await? == [401, 401], "it is accepted: {cookie}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_cookie_that_another_installation_sealed_is_not_a_session() -> Result<()> {
    let here = World::on_sqlite().await?;
    let secrets = json!({ "secrets": {
        "default": ["another default secret 0123456789ab"],
        "cookie": ["another cookie secret 0123456789abc"],
        "cipher": ["another-cipher-secret-0123456789"],
    } });
    let elsewhere = World::start(Engine::Sqlite, secrets).await?;
    let foreign = format!("{SESSION}={}", cookie(&elsewhere, SESSION)?);
    ensure!(opens(&elsewhere, &foreign).await? == [200, 200], "it is not valid at its own installation either");
    ensure!(opens(&here, &foreign).await? == [401, 401], "it is accepted");
    elsewhere.end().await?;
    here.end().await
}

#[tokio::test]
async fn hostile_cookies_affect_no_route() -> Result<()> {
    let world = World::on_sqlite().await?;
    let many = (0..2_000).map(|n| format!("c{n}={n}; ")).collect::<Vec<_>>().concat();
    let large = format!("{SESSION}={}", "x".repeat(60_000));
    let names = ["csrf_token_x", "ory_hydra_session", "ory_hydra_login_csrf_1", "ory_kratos_continuity", SESSION];
    let garbage = names.iter().map(|name| format!("{name}=\u{1f511}%00\"; ")).collect::<Vec<_>>().concat();
    let cookies = [";;;;", "=", "a", "a=b=c; =; ;", "\"a\"=\"b", "\t", &garbage, &many, &large];
    for route in ROUTES {
        for cookie in cookies {
            let request = Request::new(route.method, world.fill(route.path)).header("Cookie", cookie);
            let answer = send(&world, route.place, &request).await?;
            if answer.status == 431 {
                refused_by_the_parser(&answer)?;
                continue;
            }
            sane(route.place, &answer).with_context(|| about(route, cookie))?;
        }
    }
    world.end().await
}

#[tokio::test]
async fn a_form_of_a_browser_requires_its_csrf_cookie() -> Result<()> {
    let world = World::on_sqlite().await?;
    let csrf = cookie(&world, "csrf_token")?;
    let mut stranger = world.suite.api();
    let flow = stranger.get(world.suite.identity("/self-service/login/browser")).await?;
    let id = flow.at("/id").as_str().context("a flow")?.to_owned();
    let nodes = flow.at("/ui/nodes");
    let token = nodes.as_array().context("nodes")?.iter().find(|node| node["attributes"]["name"] == "csrf_token");
    let token = token.context("a CSRF token")?["attributes"]["value"].as_str().unwrap_or_default().to_owned();
    let here = url::Url::parse(&world.suite.identity("/"))?;
    let name = world.browser.cookies.visible(&here);
    let name = name.map(|cookie| cookie.name.clone()).find(|name| name.starts_with("csrf_token")).context("a name")?;
    for cookie in [String::new(), format!("{name}=x"), format!("{name}={csrf}"), format!("{name}={token}")] {
        for token in ["", "x", &token, &csrf] {
            let body = json!({ "method": "password", "identifier": "a", "password": "b", "csrf_token": token });
            let request = Request::new("POST", format!("/self-service/login?flow={id}")).header("Cookie", &cookie);
            let request = request.header("Accept", "application/json").json(body.to_string());
            let answer = send(&world, Place::IdentityPublic, &request).await?;
            refused(Place::IdentityPublic, &answer).with_context(|| format!("{cookie} {token}"))?;
            ensure!(answer.status == 403, "{cookie} {token}: {}", answer.summary());
        }
    }
    world.end().await
}
