//! Tokens, codes, challenges and verifiers: garbage, forged, changed by a bit, or valid ones of the wrong kind.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::routes::Place;
use super::verdict::{refused, refused_by_the_parser, refused_or_led_on};
use super::wire::{Answer, Request, send};
use super::world::World;
use crate::oauth::{CALLBACK, SUBJECT, VERIFIER, basic};

/// The text with one bit changed, for each of its bytes.
pub(crate) fn with_one_bit_flipped(text: &str) -> impl Iterator<Item = String> {
    (0..text.len()).filter_map(move |index| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[index] ^= 1;
        // Another character of the alphabet, so that no parser rejects the encoding.
        if !bytes[index].is_ascii_alphanumeric() {
            bytes[index] = if text.as_bytes()[index] == b'A' { b'B' } else { b'A' };
        }
        String::from_utf8(bytes).ok()
    })
}

/// All valid values, by their kind.
fn everything(world: &World) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("a session token", world.session_token.clone()),
        ("a client secret", world.client.secret.clone()),
        ("a session id", world.name("session").to_owned()),
    ];
    for member in ["access_token", "refresh_token", "id_token"] {
        all.push((member, world.token(member).to_owned()));
    }
    for name in ["code", "login_challenge", "consent_challenge", "logout_challenge", "login_verifier", "recovery"] {
        all.push((name, world.name(name).to_owned()));
    }
    all
}

fn jwt(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

/// Invalid tokens; some are JWTs.
fn garbage(world: &World) -> Vec<String> {
    let issuer = world.suite.oauth("").trim_end_matches('/').to_owned();
    let claims = json!({ "iss": issuer, "sub": SUBJECT, "aud": [world.client.id], "exp": 9_999_999_999_u64, "iat": 1, "sid": "x" });
    let mut all: Vec<String> = [
        "",
        " ",
        "x",
        ".",
        "..",
        "....",
        "e30.e30.",
        "e30.e30.e30",
        "ory_at_",
        "ory_at_AAAA",
        "ory_rt_AAAA.BBBB",
        "ory_ac_x.y",
        "ory_st_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "null",
        "'--",
        "%00",
    ]
    .map(str::to_owned)
    .to_vec();
    for algorithm in ["none", "None", "nOnE", "HS256", "RS256", "ES256", "PS999", ""] {
        all.push(jwt(&json!({ "alg": algorithm, "typ": "JWT" }), &claims, ""));
        all.push(jwt(&json!({ "alg": algorithm, "kid": "../../etc/passwd" }), &claims, "AAAA"));
    }
    let jwk = json!({ "kty": "oct", "k": "c2VjcmV0" });
    all.push(jwt(
        &json!({ "alg": "RS256", "jku": "http://127.0.0.1:1/", "jwk": jwk, "x5u": "http://127.0.0.1:1/" }),
        &claims,
        "AAAA",
    ));
    all.push(jwt(&json!({ "alg": "RS256", "crit": ["exp"], "b64": false }), &claims, "AAAA"));
    all.push(jwt(&json!({ "alg": "RS256", "x": "y".repeat(60_000) }), &claims, "AAAA"));
    all.push(jwt(&json!([[[[]]]]), &json!(null), "AAAA"));
    all.push(format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode("[".repeat(50_000))));
    all.push(format!("{}.{}", world.token("access_token"), world.token("access_token")));
    all
}

async fn token_request(world: &World, fields: &[(&str, &str)]) -> Result<Answer> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::new("POST", "/oauth2/token").header("Authorization", basic(&world.client));
    send(world, Place::OauthPublic, &request.form(body)).await
}

async fn introspect(world: &World, token: &str) -> Result<Answer> {
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    send(world, Place::OauthAdmin, &Request::new("POST", "/admin/oauth2/introspect").form(body)).await
}

async fn is_live(world: &World, token: &str) -> Result<bool> {
    let answer = introspect(world, token).await?;
    ensure!(answer.status == 200, "{}", answer.summary());
    Ok(answer.json().is_some_and(|body| body["active"] == true))
}

#[tokio::test]
async fn garbage_is_not_a_token() -> Result<()> {
    World::on_both_engines(async |world| {
        for token in garbage(world) {
            let what = || token.chars().take(120).collect::<String>();
            for (place, path, header) in [
                (Place::IdentityPublic, "/sessions/whoami", "X-Session-Token"),
                (Place::IdentityPublic, "/sessions/whoami", "Authorization"),
                (Place::OauthPublic, "/userinfo", "Authorization"),
                (Place::GatewayProxy, "/guarded/a", "Authorization"),
            ] {
                let value = if header == "Authorization" { format!("Bearer {token}") } else { token.clone() };
                let answer = send(world, place, &Request::new("GET", path).header(header, value)).await?;
                if answer.status == 431 {
                    refused_by_the_parser(&answer)?;
                    continue;
                }
                ensure!(answer.status == 401, "{path} {}: {}", what(), answer.summary());
                refused(place, &answer).with_context(what)?;
            }
            // RFC 7662 section 2.2: an invalid token is not an error; a missing one is.
            let answer = introspect(world, &token).await?;
            let is_missing = token.is_empty() && answer.status == 400;
            let is_inactive = answer.json().is_some_and(|body| body["active"] == false);
            ensure!(is_missing || (answer.status == 200 && is_inactive), "{}: {}", what(), answer.summary());
            for (grant, field) in [("refresh_token", "refresh_token"), ("authorization_code", "code")] {
                let fields =
                    [("grant_type", grant), (field, &token), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
                let answer = token_request(world, &fields).await?;
                ensure!(answer.status == 400, "{grant} {}: {}", what(), answer.summary());
                refused(Place::OauthPublic, &answer).with_context(what)?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_forged_jwt_is_refused_everywhere() -> Result<()> {
    let world = World::on_sqlite().await?;
    let assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for token in garbage(&world).iter().filter(|token| !token.trim().is_empty()) {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", assertion_type),
            ("client_assertion", token),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let answer = send(&world, Place::OauthPublic, &Request::new("POST", "/oauth2/token").form(body)).await?;
        refused(Place::OauthPublic, &answer).context("as a client assertion")?;
        for (method, path, name) in [
            ("POST", "/oauth2/sessions/logout", "id_token_hint"),
            ("POST", "/oauth2/auth", "request"),
            ("POST", "/oauth2/auth", "id_token_hint"),
            ("POST", "/oauth2/auth", "login_verifier"),
            ("POST", "/oauth2/auth", "consent_verifier"),
            ("POST", "/oauth2/sessions/logout", "logout_verifier"),
        ] {
            let fields = [
                (name, token.as_str()),
                ("client_id", &world.client.id),
                ("response_type", "code"),
                ("redirect_uri", CALLBACK),
            ];
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let answer = send(&world, Place::OauthPublic, &Request::new(method, path).form(body)).await?;
            refused_or_led_on(Place::OauthPublic, &answer).with_context(|| format!("{name} {token:.120}"))?;
            let location = answer.header("location");
            ensure!(
                !location.contains("code=") && !location.contains("verifier="),
                "{name}: the redirect goes to {location}"
            );
        }
    }
    world.end().await
}

#[tokio::test]
async fn a_token_of_one_kind_is_not_valid_as_another() -> Result<()> {
    World::on_both_engines(async |world| {
        for (what, token) in everything(world) {
            let get = |place, path: &str, header: &str, value: String| {
                let request = Request::new("GET", path).header(header, value);
                async move { send(world, place, &request).await }
            };
            if what != "a session token" {
                let answer = get(Place::IdentityPublic, "/sessions/whoami", "X-Session-Token", token.clone()).await?;
                ensure!(answer.status == 401, "{what} as a session token: {}", answer.summary());
                let answer = get(Place::GatewayProxy, "/guarded/a", "X-Session-Token", token.clone()).await?;
                ensure!(answer.status == 401, "{what} at the gateway: {}", answer.summary());
            }
            if what != "access_token" {
                let answer = get(Place::OauthPublic, "/userinfo", "Authorization", format!("Bearer {token}")).await?;
                ensure!(answer.status == 401, "{what} as an access token: {}", answer.summary());
            }
            if what != "access_token" && what != "refresh_token" {
                ensure!(!is_live(world, &token).await?, "{what} is a live token");
            }
            if what != "refresh_token" {
                let answer =
                    token_request(world, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await?;
                ensure!(answer.status == 400, "{what} as a refresh token: {}", answer.summary());
            }
            if what != "code" {
                let fields = [
                    ("grant_type", "authorization_code"),
                    ("code", &token),
                    ("redirect_uri", CALLBACK),
                    ("code_verifier", VERIFIER),
                ];
                let answer = token_request(world, &fields).await?;
                ensure!(answer.status == 400, "{what} as a code: {}", answer.summary());
            }
            for kind in ["login", "consent", "logout"] {
                if what == format!("{kind}_challenge") {
                    continue;
                }
                let path = format!("/admin/oauth2/auth/requests/{kind}?{kind}_challenge={token}");
                let answer = send(world, Place::OauthAdmin, &Request::new("GET", path)).await?;
                refused(Place::OauthAdmin, &answer).with_context(|| format!("{what} as a {kind} challenge"))?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_verifier_of_one_kind_is_not_valid_as_another() -> Result<()> {
    let world = World::on_sqlite().await?;
    for (what, token) in everything(&world) {
        for (path, name) in [
            ("/oauth2/auth", "login_verifier"),
            ("/oauth2/auth", "consent_verifier"),
            ("/oauth2/sessions/logout", "logout_verifier"),
        ] {
            // The browser of the flow has the cookies; another client with a valid verifier is refused as well.
            let answer =
                send(&world, Place::OauthPublic, &Request::new("GET", format!("{path}?{name}={token}"))).await?;
            refused_or_led_on(Place::OauthPublic, &answer).with_context(|| format!("{what} as {name}"))?;
            let location = answer.header("location");
            ensure!(!location.contains("code=") && !location.contains("_challenge="), "{what} as {name}: {location}");
        }
    }
    world.end().await
}

#[tokio::test]
async fn a_sealed_value_with_one_bit_changed_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    ensure!(is_live(&world, world.token("access_token")).await?, "the access token is not live");
    for token in with_one_bit_flipped(world.token("access_token")) {
        ensure!(!is_live(&world, &token).await?, "live: {token}");
    }
    for token in with_one_bit_flipped(world.token("refresh_token")) {
        let answer = token_request(&world, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await?;
        ensure!(answer.status == 400, "{token}: {}", answer.summary());
    }
    for token in with_one_bit_flipped(&world.session_token) {
        let request = Request::new("GET", "/sessions/whoami").header("X-Session-Token", &token);
        let answer = send(&world, Place::IdentityPublic, &request).await?;
        ensure!(answer.status == 401, "{token}: {}", answer.summary());
    }
    for kind in ["login", "consent", "logout"] {
        for challenge in with_one_bit_flipped(world.name(&format!("{kind}_challenge"))) {
            let path = format!("/admin/oauth2/auth/requests/{kind}?{kind}_challenge={challenge}");
            let answer = send(&world, Place::OauthAdmin, &Request::new("GET", path)).await?;
            ensure!(answer.status == 404, "{kind} {challenge}: {}", answer.summary());
        }
    }
    for hint in with_one_bit_flipped(world.token("id_token")) {
        let request = Request::new("GET", format!("/oauth2/sessions/logout?id_token_hint={hint}"));
        let answer = send(&world, Place::OauthPublic, &request).await?;
        ensure!(answer.status == 400, "{hint}: {}", answer.summary());
    }
    ensure!(is_live(&world, world.token("refresh_token")).await?, "attempts with invalid tokens ended the family");
    world.end().await
}
