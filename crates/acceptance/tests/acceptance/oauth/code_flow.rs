//! The authorization code flow (RFC 6749 section 4.1, RFC 7636).

use acceptance::page::query;
use acceptance::suite::with_config_on_both_engines;
use anyhow::{Result, ensure};
use http::StatusCode;

use super::{CALLBACK, SUBJECT, authorize, authorize_url, config, introspect, redemption, register, token, web_client};

#[tokio::test]
async fn a_code_is_redeemed_once_and_a_second_time_revokes_its_tokens() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        let mut browser = suite.browser();
        let callback = authorize(suite, &mut browser, &authorize_url(suite, &client, &[])?, false).await?;
        ensure!(query(&callback, "state").as_deref() == Some("a-state-of-the-test"));
        // RFC 9207 section 2: the response contains the issuer.
        ensure!(query(&callback, "iss").is_some_and(|issuer| suite.oauth("/").starts_with(&issuer)), "{callback}");

        let fields = redemption(&callback)?;
        let tokens = token(suite, &client, &fields).await?.expect_status(StatusCode::OK)?;
        ensure!(tokens.header("cache-control").contains("no-store"), "{}", tokens.header("cache-control"));
        for member in ["/access_token", "/refresh_token", "/id_token"] {
            ensure!(tokens.at(member).is_string(), "{member}: {}", tokens.summary());
        }
        ensure!(tokens.at("/scope") == "openid offline_access", "{}", tokens.summary());
        let access = tokens.at("/access_token").as_str().unwrap_or_default().to_owned();
        let refresh = tokens.at("/refresh_token").as_str().unwrap_or_default().to_owned();
        let introspected = introspect(suite, &access).await?;
        ensure!(introspected["active"] == true && introspected["sub"] == SUBJECT, "{introspected}");
        ensure!(introspected["client_id"] == client.id, "{introspected}");

        let again = token(suite, &client, &fields).await?.expect_status(StatusCode::BAD_REQUEST)?;
        ensure!(again.at("/error") == "invalid_grant", "{}", again.summary());
        for token in [access, refresh] {
            ensure!(introspect(suite, &token).await?["active"] == false, "a replay revokes the tokens");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_wrong_verifier_invalidates_the_code() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        let mut browser = suite.browser();
        let callback = authorize(suite, &mut browser, &authorize_url(suite, &client, &[])?, false).await?;
        let right = redemption(&callback)?;
        let mut wrong = right.clone();
        wrong.retain(|(name, _)| *name != "code_verifier");
        wrong.push(("code_verifier", "another-verifier-that-is-long-enough-0123456789".to_owned()));
        for fields in [&wrong, &right] {
            let refused = token(suite, &client, fields).await?.expect_status(StatusCode::BAD_REQUEST)?;
            ensure!(refused.at("/error") == "invalid_grant", "{}", refused.summary());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_is_bound_to_its_client_and_its_redirect_uri() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        let other = register(suite, web_client()).await?;
        let mut browser = suite.browser();
        let callback = authorize(suite, &mut browser, &authorize_url(suite, &client, &[])?, false).await?;
        let stolen = token(suite, &other, &redemption(&callback)?).await?;
        ensure!(stolen.expect_status(StatusCode::BAD_REQUEST)?.at("/error") == "invalid_grant");
        let callback = authorize(suite, &mut browser, &authorize_url(suite, &client, &[])?, false).await?;
        let mut fields = redemption(&callback)?;
        fields.retain(|(name, _)| *name != "redirect_uri");
        fields.push(("redirect_uri", format!("{CALLBACK}/")));
        let moved = token(suite, &client, &fields).await?;
        ensure!(moved.expect_status(StatusCode::BAD_REQUEST)?.at("/error") == "invalid_grant");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_redirect_uri_must_match_byte_for_byte() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        for wrong in ["http://127.0.0.1:1/callback/", "http://127.0.0.1:1/callback?x=1", "https://evil.example.org/"] {
            let mut url = authorize_url(suite, &client, &[])?;
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let pairs = pairs.into_iter().map(|(name, value)| {
                let value = if name == "redirect_uri" { wrong.to_owned() } else { value };
                (name, value)
            });
            let pairs: Vec<_> = pairs.collect();
            url.query_pairs_mut().clear().extend_pairs(pairs);
            let answer = suite.browser().get(&url).await?;
            ensure!(!answer.header("location").starts_with(wrong), "{wrong}: {}", answer.header("location"));
            ensure!(!answer.header("location").starts_with("https://evil"), "{}", answer.header("location"));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_invalid_request_is_returned_to_the_client_before_the_sign_in() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        for (name, value, error) in [
            ("scope", "openid admin", "invalid_scope"),
            ("audience", "https://other.example.org", "invalid_request"),
            ("prompt", "none", "login_required"),
        ] {
            let mut url = authorize_url(suite, &client, &[])?;
            let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            pairs.retain(|(it, _)| it != name);
            pairs.push((name.to_owned(), value.to_owned()));
            url.query_pairs_mut().clear().extend_pairs(pairs);
            let mut browser = suite.browser();
            let page = browser.get(&url).await?;
            let callback = browser.follow_until(page, CALLBACK).await?;
            ensure!(query(&callback, "error").as_deref() == Some(error), "{name}={value}: {callback}");
            ensure!(query(&callback, "state").as_deref() == Some("a-state-of-the-test"), "{callback}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_remembered_login_and_consent_are_not_asked_again() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        let mut browser = suite.browser();
        let url = authorize_url(suite, &client, &[])?;
        authorize(suite, &mut browser, &url, true).await?;
        // Both applications are still visited, with `skip` set.
        let page = browser.get(&url).await?;
        let login = browser.follow_until(page, super::LOGIN).await?;
        let challenge = query(&login, "login_challenge").unwrap_or_default();
        let sdk = super::admin_sdk(suite);
        let request = ory_hydra_client::apis::o_auth2_api::get_o_auth2_login_request(&sdk, &challenge).await;
        let request = request.map_err(super::explain)?;
        ensure!(request.skip && request.subject == SUBJECT);
        // Another browser has no remembered login.
        let mut other = suite.browser();
        let page = other.get(&url).await?;
        let login = other.follow_until(page, super::LOGIN).await?;
        let challenge = query(&login, "login_challenge").unwrap_or_default();
        let request = ory_hydra_client::apis::o_auth2_api::get_o_auth2_login_request(&sdk, &challenge).await;
        ensure!(!request.map_err(super::explain)?.skip);
        Ok(())
    })
    .await
}
