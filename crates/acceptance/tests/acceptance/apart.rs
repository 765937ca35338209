//! `identity` and `oauth` as two processes with a database each, as the replaced programs are run: each reaches the other at
//! the configured URL, with the token that the other's admin listener requires.

use std::time::{Duration, Instant};

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::suite::Suite;
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::config::Service;
use test_client::free_port;
use url::Url;

use crate::gateway;
use crate::identity::{self, PASSWORD};
use crate::oauth::{CALLBACK, Credentials, authorize_url, redemption, token};

const ALICE: &str = "alice@example.org";
const GOODBYE: &str = "http://127.0.0.1:1/goodbye";
const OAUTH_TOKEN: &str = "the-admin-token-of-oauth";
const IDENTITY_TOKEN: &str = "the-admin-token-of-identity";

struct Apart {
    identity: Suite,
    oauth: Suite,
}

impl Apart {
    async fn start() -> Result<Self> {
        let at = |port| format!("http://127.0.0.1:{port}");
        let bearer = |token: &str| json!({ "Authorization": format!("Bearer {token}") });
        let (public, admin, oauth_admin) = (free_port(), free_port(), free_port());
        let mut of_identity = identity::config();
        of_identity["admin"] = json!({ "tokens": [IDENTITY_TOKEN] });
        of_identity["identity"]["serve"] = json!({ "public": { "port": public }, "admin": { "port": admin } });
        of_identity["identity"]["oauth2_provider"] = json!({ "url": at(oauth_admin), "headers": bearer(OAUTH_TOKEN) });
        let provider = json!({ "url": at(admin), "publicUrl": at(public), "headers": bearer(IDENTITY_TOKEN) });
        let of_oauth = json!({
            "admin": { "tokens": [OAUTH_TOKEN] },
            "oauth": { "serve": { "admin": { "port": oauth_admin } }, "urls": { "identity_provider": provider } },
        });
        Ok(Self {
            identity: Suite::start_services(&[Service::IDENTITY], of_identity).await?,
            oauth: Suite::start_services(&[Service::OAUTH], of_oauth).await?,
        })
    }

    async fn register_client(&self) -> Result<Credentials> {
        let client = json!({
            "client_name": "A web application", "redirect_uris": [CALLBACK], "scope": "openid offline_access",
            "grant_types": ["authorization_code", "client_credentials", "refresh_token"], "post_logout_redirect_uris": [GOODBYE],
        });
        let mut api = self.oauth.api().with_header("authorization", &format!("Bearer {OAUTH_TOKEN}"));
        let created = api.json(Method::POST, self.oauth.oauth_admin("/admin/clients"), &client).await?;
        let created = created.expect_status(StatusCode::CREATED)?;
        let text = |member: &str| created.at(member).as_str().unwrap_or_default().to_owned();
        Ok(Credentials { id: text("/client_id"), secret: text("/client_secret") })
    }

    async fn whoami(&self, browser: &Browser) -> Result<Page> {
        browser.clone().with_header("accept", "application/json").get(self.identity.identity("/sessions/whoami")).await
    }

    async fn stop(self) {
        self.identity.stop().await;
        self.oauth.stop().await;
    }
}

/// Signs in on the page of identity.
async fn sign_in(browser: &mut Browser, page: &Page) -> Result<Page> {
    let form = page.form("form:has([name=\"identifier\"])")?.fill("identifier", ALICE)?.fill("password", PASSWORD)?;
    browser.send_form(&form.press("method", "password")?).await
}

/// Follows to the consent page of oauth, allows the request, and continues to the relying party.
async fn allow(browser: &mut Browser, page: Page) -> Result<Url> {
    let page = browser.follow(page).await?.expect_status(StatusCode::OK)?;
    ensure!(page.text().contains(ALICE), "oauth gets the session of the browser from identity: {}", page.summary());
    let page = browser.send_form(&page.form("form[method=\"post\"]")?.press("decision", "allow")?).await?;
    browser.follow_until(page, CALLBACK).await
}

#[tokio::test]
async fn a_person_signs_in_across_two_processes_and_out_of_both() -> Result<()> {
    let apart = Apart::start().await?;
    let client = apart.register_client().await?;
    identity::register(&apart.identity, ALICE).await?;

    let mut browser = apart.oauth.browser();
    let login = browser.open(authorize_url(&apart.oauth, &client, &[])?).await?.expect_status(StatusCode::OK)?;
    ensure!(
        login.url.as_str().starts_with(&apart.identity.identity("/")),
        "the login page is identity's: {}",
        login.url
    );
    let signed_in = sign_in(&mut browser, &login).await?;
    ensure!(signed_in.location()?.as_str().starts_with(&apart.oauth.oauth("/")), "{}", signed_in.summary());
    let callback = allow(&mut browser, signed_in).await?;
    let tokens = token(&apart.oauth, &client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
    let whoami = apart.whoami(&browser).await?.expect_status(StatusCode::OK)?;
    let id_token = tokens.at("/id_token").as_str().context("an ID token")?.to_owned();
    ensure!(claims(&id_token)?["sub"] == whoami.at("/identity/id"), "the subject is the identity");

    sign_out(&apart, &mut browser, &id_token).await?;
    // The relying party ended the login; identity is notified in the background.
    let started = Instant::now();
    while apart.whoami(&browser).await?.status != StatusCode::UNAUTHORIZED {
        ensure!(started.elapsed() < Duration::from_secs(10), "the session of identity has not ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    apart.stop().await;
    Ok(())
}

/// Signs out by the relying party's link, and confirms if asked.
async fn sign_out(apart: &Apart, browser: &mut Browser, id_token: &str) -> Result<()> {
    let mut url = Url::parse(&apart.oauth.oauth("/oauth2/sessions/logout"))?;
    url.query_pairs_mut()
        .append_pair("id_token_hint", id_token)
        .append_pair("post_logout_redirect_uri", GOODBYE)
        .append_pair("state", "bye");
    let page = browser.get(&url).await?;
    if page.location().is_ok_and(|to| to.as_str().starts_with(GOODBYE)) {
        return Ok(());
    }
    let page = browser.follow(page).await?.expect_status(StatusCode::OK)?;
    let page = browser.send_form(&page.form("form[method=\"post\"]")?.press("decision", "sign_out")?).await?;
    browser.follow_until(page, GOODBYE).await?;
    Ok(())
}

#[tokio::test]
async fn a_user_disabled_at_one_process_has_no_token_at_the_other() -> Result<()> {
    let apart = Apart::start().await?;
    let client = apart.register_client().await?;
    identity::register(&apart.identity, ALICE).await?;
    let mut browser = apart.oauth.browser();
    let login = browser.open(authorize_url(&apart.oauth, &client, &[])?).await?.expect_status(StatusCode::OK)?;
    let signed_in = sign_in(&mut browser, &login).await?;
    let callback = allow(&mut browser, signed_in).await?;
    let tokens = token(&apart.oauth, &client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
    let access = tokens.at("/access_token").as_str().context("a token")?.to_owned();
    let is_live = async || {
        let mut api = apart.oauth.api().with_header("authorization", &format!("Bearer {OAUTH_TOKEN}"));
        let answer = api.post(apart.oauth.oauth_admin("/admin/oauth2/introspect"), &[("token", &access)]).await?;
        anyhow::Ok(answer.expect_status(StatusCode::OK)?.at("/active") == true)
    };
    ensure!(is_live().await?, "a token is valid at first");

    let person = apart.whoami(&browser).await?.at("/identity/id").as_str().context("an id")?.to_owned();
    let url = apart.identity.identity_admin(&format!("/admin/identities/{person}"));
    let disable = json!([{ "op": "replace", "path": "/state", "value": "inactive" }]);
    let mut admin = apart.identity.api().with_header("authorization", &format!("Bearer {IDENTITY_TOKEN}"));
    admin.json(Method::PATCH, url, &disable).await?.expect_status(StatusCode::OK)?;
    let started = Instant::now();
    while is_live().await? {
        ensure!(started.elapsed() < Duration::from_secs(10), "the token is still valid");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    apart.stop().await;
    Ok(())
}

#[tokio::test]
async fn connected_applications_are_listed_and_ended_across_two_processes() -> Result<()> {
    let apart = Apart::start().await?;
    let client = apart.register_client().await?;
    identity::register(&apart.identity, ALICE).await?;
    let mut browser = apart.oauth.browser();
    let login = browser.open(authorize_url(&apart.oauth, &client, &[])?).await?.expect_status(StatusCode::OK)?;
    let signed_in = sign_in(&mut browser, &login).await?;
    let callback = allow(&mut browser, signed_in).await?;
    let tokens = token(&apart.oauth, &client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
    let refresh = tokens.at("/refresh_token").as_str().context("a refresh token")?.to_owned();

    let settings = apart.identity.identity("/self-service/settings/browser");
    let page = browser.open(&settings).await?.expect_status(StatusCode::OK)?;
    ensure!(page.text().contains("A web application"), "{}", page.summary());
    let form = page.form("form[action*=\"/ui/connections\"]")?.press("client", &client.id)?;
    let page = browser.submit(&form).await?.expect_status(StatusCode::OK)?;
    ensure!(!page.text().contains("A web application"), "{}", page.summary());
    let fields = [("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh)];
    token(&apart.oauth, &client, &fields).await?.expect_status(StatusCode::BAD_REQUEST)?;

    // If the authorization server does not answer, the rest of the page is still shown.
    let Apart { identity, oauth } = apart;
    oauth.stop().await;
    let page = browser.open(&settings).await?.expect_status(StatusCode::OK)?;
    ensure!(page.text().contains("Connected applications cannot be shown"), "{}", page.summary());
    identity.stop().await;
    Ok(())
}

/// A gateway in a third process, with one rule for sessions and one for tokens.
async fn start_gateway(apart: &Apart, upstream: &Upstream) -> Result<Suite> {
    let rules = json!([
        gateway::rule("session", &upstream.url(), &json!([{ "handler": "cookie_session" }])),
        gateway::rule("token", &upstream.url(), &json!([{ "handler": "oauth2_introspection" }])),
    ]);
    let session = json!({
        "check_session_url": apart.identity.identity("/sessions/whoami"), "only": ["ory_kratos_session"],
        "subject_from": "identity.id", "preserve_path": true,
    });
    let introspection = json!({
        "introspection_url": apart.oauth.oauth_admin("/admin/oauth2/introspect"),
        "introspection_request_headers": { "Authorization": format!("Bearer {OAUTH_TOKEN}") },
    });
    let config = json!({ "gateway": {
        "access_rules": { "repositories": [format!("inline://{}", STANDARD.encode(rules.to_string()))] },
        "authenticators": {
            "cookie_session": { "enabled": true, "config": session },
            "oauth2_introspection": { "enabled": true, "config": introspection },
        },
        "authorizers": { "allow": { "enabled": true } },
        "mutators": { "header": { "enabled": true, "config": { "headers": { "X-User-Id": "{{ print .Subject }}" } } } },
    } });
    Suite::start_services(&[Service::GATEWAY], config).await
}

#[tokio::test]
async fn a_gateway_in_another_process_calls_both_services() -> Result<()> {
    let apart = Apart::start().await?;
    let upstream = Upstream::start().await?;
    let gateway = start_gateway(&apart, &upstream).await?;
    identity::register(&apart.identity, ALICE).await?;

    let mut browser = apart.identity.browser();
    let refused = browser.get(gateway.gateway("/session/x")).await?;
    ensure!(refused.status == StatusCode::UNAUTHORIZED, "{}", refused.summary());
    let login = browser.open(apart.identity.identity("/self-service/login/browser")).await?;
    sign_in(&mut browser, &login).await?;
    let person = apart.whoami(&browser).await?.expect_status(StatusCode::OK)?.at("/identity/id");
    let page = browser.get(gateway.gateway("/session/x")).await?.expect_status(StatusCode::OK)?;
    ensure!(page.at("/headers/x-user-id/0") == person, "{}", page.summary());

    let client = apart.register_client().await?;
    let grant = [("grant_type", "client_credentials".to_owned())];
    let tokens = token(&apart.oauth, &client, &grant).await?.expect_status(StatusCode::OK)?;
    let access = tokens.at("/access_token").as_str().context("a token")?.to_owned();
    for (sent, status) in [(access.as_str(), StatusCode::OK), ("no-token", StatusCode::UNAUTHORIZED)] {
        let mut api = gateway.api().with_header("authorization", &format!("Bearer {sent}"));
        let page = api.get(gateway.gateway("/token/x")).await?.expect_status(status)?;
        ensure!(status != StatusCode::OK || page.at("/headers/x-user-id/0") == client.id, "{}", page.summary());
    }
    gateway.stop().await;
    apart.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_unknown_challenge_is_not_a_failure_and_an_unreachable_oauth_is_one() -> Result<()> {
    let Apart { identity, oauth } = Apart::start().await?;
    let url = identity.identity("/self-service/login/browser?login_challenge=unknown");
    let status = identity.api().get(&url).await?.status;
    ensure!(status.is_client_error(), "{status}");
    oauth.stop().await;
    let answer = identity.api().get(&url).await?;
    ensure!(answer.status.is_server_error(), "{}", answer.summary());
    ensure!(!answer.text().contains("127.0.0.1"), "the address of the service must not be shown: {}", answer.summary());
    identity.stop().await;
    Ok(())
}

/// The claims of a token that this test received directly from its issuer.
fn claims(token: &str) -> Result<Value> {
    let Some(payload) = token.split('.').nth(1) else { bail!("not a token: {token}") };
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?)
}
