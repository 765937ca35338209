//! Answers do not reveal whether an account exists: body, status and mail are the same.

use acceptance::page::Page;
use acceptance::suite::with_config_on_both_engines;
use anyhow::{Result, ensure};
use http::StatusCode;
use serde_json::json;

use super::{PASSWORD, config, log_in, register, submit, submit_to};

const KNOWN: &str = "alice@example.org";
const UNKNOWN: &str = "nobody@example.org";

/// The answer without the parts that differ between any two flows, and without the entered address.
fn comparable(page: &Page, typed: &str) -> String {
    let id = page.at("/id");
    let mut text = page.text().replace(typed, "TYPED");
    if let Some(id) = id.as_str() {
        text = text.replace(id, "ID");
    }
    format!("{} {text}", page.status)
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_identifier_look_the_same() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        register(suite, KNOWN).await?;
        let body =
            |identifier: &str| json!({ "method": "password", "identifier": identifier, "password": "wrong one" });
        let known = submit(suite, "login", "", &body(KNOWN)).await?;
        let unknown = submit(suite, "login", "", &body(UNKNOWN)).await?;
        ensure!(known.status == StatusCode::BAD_REQUEST, "{}", known.summary());
        ensure!(known.at("/ui/messages/0/id") == 4_000_006, "{}", known.summary());
        ensure!(comparable(&known, KNOWN) == comparable(&unknown, UNKNOWN), "{}\n{}", known.text(), unknown.text());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn by_default_a_sign_up_does_not_reveal_which_accounts_exist() -> Result<()> {
    with_config_on_both_engines(json!({}), async |suite| {
        let sign_up = async |email: &str| {
            let traits = json!({ "email": email });
            let body = json!({ "method": "password", "password": PASSWORD, "traits": traits });
            submit(suite, "registration", "", &body).await?.expect_status(StatusCode::OK)
        };
        let verification = |page: &Page| page.at("/continue_with/0/flow/id").as_str().unwrap_or_default().to_owned();
        let first = sign_up(KNOWN).await?;
        let code = suite.mail.first_to(KNOWN).await?.code(6)?;
        let action = suite.identity(&format!("/self-service/verification?flow={}", verification(&first)));
        let passed = submit_to(suite, &action, "", &json!({ "method": "code", "code": code })).await?;
        ensure!(passed.at("/state") == "passed_challenge", "{}", passed.summary());
        log_in(suite, KNOWN, PASSWORD).await?;

        let (taken, fresh) = (sign_up(KNOWN).await?, sign_up(UNKNOWN).await?);
        let shape = |page: &Page, typed: &str| {
            let mut body = page.at("");
            for pointer in [
                "/identity/id",
                "/identity/verifiable_addresses/0/id",
                "/identity/recovery_addresses/0/id",
                "/continue_with/0/flow/id",
            ] {
                if let Some(id) = body.pointer_mut(pointer) {
                    *id = json!("?");
                }
            }
            format!("{} {}", page.status, body.to_string().replace(typed, "TYPED"))
        };
        ensure!(shape(&taken, KNOWN) == shape(&fresh, UNKNOWN), "{}\n{}", taken.text(), fresh.text());
        suite.mail.first_to(UNKNOWN).await?.code(6)?;
        let notice = suite.mail.nth_to(KNOWN, 2).await?;
        ensure!(notice.code(6).is_err() && notice.text.contains("already"), "its holder is notified: {}", notice.text);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn recovery_and_verification_answer_alike_for_known_and_unknown_addresses() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        register(suite, KNOWN).await?;
        for kind in ["recovery", "verification"] {
            let body = |email: &str| json!({ "method": "code", "email": email });
            let known = submit(suite, kind, "", &body(KNOWN)).await?;
            let unknown = submit(suite, kind, "", &body(UNKNOWN)).await?;
            ensure!(known.status == StatusCode::OK, "{}", known.summary());
            ensure!(comparable(&known, KNOWN) == comparable(&unknown, UNKNOWN), "{}\n{}", known.text(), unknown.text());
        }
        ensure!(suite.mail.mails().iter().all(|mail| mail.to != [UNKNOWN]), "strangers get no mail by default");
        Ok(())
    })
    .await
}
