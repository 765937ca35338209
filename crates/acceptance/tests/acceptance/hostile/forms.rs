//! Forms and queries: invalid escapes, too many fields, invalid paths, wrong and missing content types.

use anyhow::{Context as _, Result, ensure};

use super::json::incompressible;
use super::routes::{Body, Place, ROUTES, Route};
use super::verdict::{about, refused, refused_by_name, refused_or_led_on, sane};
use super::wire::{Answer, Request, send};
use super::world::World;

const FORM: &str = "application/x-www-form-urlencoded";

/// Invalid or unusual forms.
fn hostile_forms() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 20] = [
        b"%",
        b"%zz=%zz",
        b"a=%",
        b"a=%f",
        b"a=%ff%fe",
        b"\xff\xfe=\xff",
        b"&&&&&",
        b"====",
        b"=&=",
        b"method=password&method=code&method=",
        b"traits=x&traits.email=y",
        b"traits.email=a&traits.email.b=c",
        b"traits.__proto__.polluted=1&traits.constructor.prototype.x=1",
        b"traits.0.0.0.0=x",
        b"traits..email=x&.traits=y&traits.=z",
        b"traits[email]=x&traits[]=y",
        b"traits.emails.499=a&traits.emails.500=b&traits.emails.-1=c",
        b"method[$ne]=x",
        b"method=%e2%80%ae&identifier=%f0%9f%94%91",
        b"method=password;identifier=x",
    ];
    let mut all: Vec<Vec<u8>> = texts.into_iter().map(<[u8]>::to_vec).collect();
    all.push(format!("traits{}=x", ".0".repeat(20_000)).into_bytes());
    all.push(format!("traits{}=x", ".a".repeat(20_000)).into_bytes());
    all.push((0..5_000).map(|n| format!("traits.k{n}.k=v&")).collect::<Vec<_>>().concat().into_bytes());
    all.push((0..900).map(|n| format!("traits.l{n}.499=v&")).collect::<Vec<_>>().concat().into_bytes());
    all.push("a=b&".repeat(50_000).into_bytes());
    all.push(format!("method=password&identifier={0}&password={0}&email={0}", incompressible(300_000)).into_bytes());
    let address = format!("{}@example.org", incompressible(5_000));
    all.push(format!("method=code&email={address}&identifier={address}&traits.email={address}").into_bytes());
    all.push(format!("{}=1", "k".repeat(1_000_000)).into_bytes());
    all
}

/// The routes whose own parser reads a form.
fn readers() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.reads_forms() && route.place != Place::GatewayProxy)
}

async fn submit(world: &World, route: &Route, content_type: &str, body: impl Into<Vec<u8>>) -> Result<Answer> {
    let request = Request::new(route.method, world.fill(route.path)).header("X-Session-Token", &world.session_token);
    send(world, route.place, &request.body(content_type, body)).await
}

#[tokio::test]
async fn a_hostile_form_is_accepted_or_refused() -> Result<()> {
    World::on_both_engines(async |world| {
        for route in readers() {
            for body in hostile_forms() {
                let answer = submit(world, route, FORM, body.clone()).await?;
                sane(route.place, &answer).with_context(|| about(route, String::from_utf8_lossy(&body)))?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_null_character_in_a_form_is_refused_with_the_name_of_its_field() -> Result<()> {
    World::on_both_engines(async |world| {
        for route in readers() {
            for field in ["method", "identifier", "traits.email", "token", "grant_type", "client_id", "state", "scope"]
            {
                let body = format!("{field}=a%00b&method=password&grant_type=client_credentials");
                let answer = submit(world, route, FORM, body.clone()).await?;
                ensure!(answer.status == 400, "{}: {}", about(route, &body), answer.summary());
                refused_by_name(route.place, &answer, field).with_context(|| about(route, &body))?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_null_character_in_a_query_is_refused_with_the_name_of_its_parameter() -> Result<()> {
    World::on_both_engines(async |world| {
        let names =
            ["flow", "id", "return_to", "subject", "client_id", "page_token", "credentials_identifier", "token"];
        for route in ROUTES.iter().filter(|route| !matches!(route.place, Place::GatewayProxy | Place::GatewayApi)) {
            for name in names {
                let path = world.fill(route.path.split('?').next().unwrap_or_default());
                let request = Request::new(route.method, format!("{path}?a=1&{name}=a%00b"));
                let answer = send(world, route.place, &request).await?;
                ensure!(answer.status == 400, "{}: {}", about(route, name), answer.summary());
                refused_by_name(route.place, &answer, name).with_context(|| about(route, name))?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hostile_query_is_accepted_or_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    let long = incompressible(20_000);
    let many = "a=b&".repeat(4_000);
    let queries = [
        "",
        "&",
        "=",
        "?",
        "%",
        "%zz",
        "a=%",
        "id=%ff",
        "flow=%ff%fe",
        "id=x&id=y",
        "flow=..%2f..%2f",
        "id[]=x",
        "subject=%27--",
        "return_to=javascript:alert(1)",
        "return_to=//evil.example",
        "return_to=http://[::1",
        "return_to=\\\\evil",
        "aal=aal9",
        "refresh=maybe",
        "login_challenge=",
        "consent_challenge=%00x",
        "page=-1",
        "per_page=99999999999999999999",
        "include_credential=nothing",
        "active=perhaps",
        "expand=everything",
        "ids=a,b,,c",
        "status=lost",
        "organization_id=x",
        "all=maybe&subject=x",
        "sid=x",
        "client_id=%e2%98%83",
        "prompt=none%20login",
        "max_age=-1",
        "response_mode=query.jwt",
        "request=e30.e30.",
        "claims=%7b",
        "scope=%22%5c",
        "locale=../../etc/passwd",
        &long,
        &many,
    ];
    for route in ROUTES.iter().filter(|route| route.method == "GET" || route.method == "DELETE") {
        for query in queries {
            // A stream is refused by its own query, because it would not end.
            let path = match route.body {
                Body::NoneOfStream => world.fill(route.path) + "&",
                _ => world.fill(route.path.split('?').next().unwrap_or_default()) + "?",
            };
            let answer = send(&world, route.place, &Request::new(route.method, format!("{path}{query}"))).await?;
            sane(route.place, &answer).with_context(|| about(route, query))?;
        }
    }
    world.end().await
}

#[tokio::test]
async fn a_form_with_another_content_type_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\npassword\r\n--x--\r\n";
    for route in readers() {
        for (content_type, body) in [
            ("", "method=password&a=b"),
            ("text/plain", "method=password&a=b"),
            ("multipart/form-data; boundary=x", multipart),
            ("multipart/form-data", multipart),
            ("application/octet-stream", "\u{0}\u{1}"),
        ] {
            let answer = submit(&world, route, content_type, body).await?;
            // Self-service endpoints read multipart forms, and a page redirects visitors without a session to the sign-in.
            let outcome = match route.place {
                Place::IdentityPublic => refused_or_led_on(route.place, &answer),
                _ => refused(route.place, &answer),
            };
            outcome.with_context(|| about(route, content_type))?;
        }
    }
    world.end().await
}

#[tokio::test]
async fn a_browser_that_sends_nonsense_gets_an_error() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in readers() {
        for body in
            ["", "method=", "method=nothing", "method=password", "csrf_token=x", "decision=maybe", "grant_type=none"]
        {
            let request = Request::new(route.method, world.fill(route.path)).header("Accept", "text/html");
            let answer = send(&world, route.place, &request.form(body)).await?;
            refused_or_led_on(route.place, &answer).with_context(|| about(route, body))?;
        }
    }
    world.end().await
}
