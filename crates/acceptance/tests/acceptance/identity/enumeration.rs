//! Answers do not reveal whether an account exists: body, status and mail are the same.

use acceptance::page::Page;
use acceptance::suite::with_config_on_both_engines;
use anyhow::{Result, ensure};
use http::StatusCode;
use serde_json::json;

use super::{config, register, submit};

const KNOWN: &str = "alice@example.org";
const UNKNOWN: &str = "nobody@example.org";

/// The answer without what differs between any two flows, and without what the person typed.
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
async fn recovery_and_verification_answer_for_unknown_addresses_as_for_known_ones() -> Result<()> {
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
