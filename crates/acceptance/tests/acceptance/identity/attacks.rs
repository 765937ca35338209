//! Attacks on one person's secrets from many addresses: few guesses are checked, and the owner is not locked out.

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::second_factors::{App, STEP, with_second_factors};
use super::{PASSWORD, session_token};

const ALICE: &str = "alice@example.org";

/// Three wrong guesses of strangers and two mails; the other limits are the defaults. Clients send their address in a header of
/// the trusted proxy, so that a test can use many addresses.
fn config() -> Value {
    let mut config = with_second_factors();
    config["trusted_proxies"] = json!(["127.0.0.1"]);
    config["identity"]["security"] = json!({ "attempt_limits": {
        "guesses": { "stranger": { "burst": 3, "refill": "10m" } },
        "messages": { "stranger": { "burst": 2, "refill": "10m" } },
    } });
    config
}

fn at(client: Browser, address: &str) -> Browser {
    client.with_header("x-forwarded-for", address)
}

/// Begins a native flow of that kind and submits each of `bodies` to it.
async fn play(suite: &Suite, client: &mut Browser, kind: &str, bodies: &[Value]) -> Result<Vec<Page>> {
    let flow = client.get(suite.identity(&format!("/self-service/{kind}/api"))).await?;
    let action = flow.at("/ui/action").as_str().with_context(|| flow.summary())?.to_owned();
    let mut answers = Vec::new();
    for body in bodies {
        answers.push(client.json(Method::POST, &action, body).await?);
    }
    Ok(answers)
}

async fn sign_in(suite: &Suite, address: &str, password: &str) -> Result<u16> {
    let body = json!({ "method": "password", "identifier": ALICE, "password": password });
    let answers = play(suite, &mut at(suite.api(), address), "login", &[body]).await?;
    Ok(answers.first().context("an answer")?.status.as_u16())
}

#[tokio::test]
async fn few_wrong_codes_over_many_flows_are_checked_for_one_person() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let home = "198.51.100.7";
        let body = json!({ "method": "password", "password": PASSWORD, "traits": { "email": ALICE } });
        let answers = play(suite, &mut at(suite.api(), home), "registration", &[body]).await?;
        ensure!(answers.iter().all(|page| page.status == 200), "{}", answers[0].summary());
        suite.mail.first_to(ALICE).await?;

        let (mut checked, mut refused) = (0, 0);
        for number in 1..=12 {
            let wrong = json!({ "method": "code", "code": "000000" });
            let bodies = [json!({ "method": "code", "email": ALICE }), wrong.clone(), wrong.clone(), wrong];
            let mut stranger = at(suite.api(), &format!("203.0.113.{number}"));
            let answers = play(suite, &mut stranger, "recovery", &bodies).await?;
            ensure!(
                answers[0].status == 200,
                "the answer must not reveal that no mail is sent: {}",
                answers[0].summary()
            );
            for page in &answers[1..] {
                match page.status.as_u16() {
                    200 => checked += 1,
                    429 => refused += 1,
                    _ => anyhow::bail!("{}", page.summary()),
                }
            }
        }
        // Three, and the first guess at each of the two codes that were sent.
        ensure!((3..=5).contains(&checked), "{checked} of 36 guesses were checked");
        ensure!(checked + refused == 36);
        // Passwords count together with codes; the owner's network has a budget of its own.
        ensure!(sign_in(suite, "203.0.113.99", PASSWORD).await? == 429);
        ensure!(sign_in(suite, home, PASSWORD).await? == 200);
        Ok(())
    })
    .await
}

/// Signs in by the page in that browser, and returns whether it succeeded.
async fn signs_in_by_page(suite: &Suite, browser: &mut Browser) -> Result<bool> {
    let page = browser.open(suite.identity("/self-service/login/browser")).await?;
    let form = page.form("form:has([name=identifier])")?.fill("identifier", ALICE)?.fill("password", PASSWORD)?;
    browser.submit(&form.press("method", "password")?).await?;
    let whoami =
        browser.clone().with_header("accept", "application/json").get(suite.identity("/sessions/whoami")).await?;
    Ok(whoami.status == 200)
}

#[tokio::test]
async fn an_owner_on_a_familiar_device_signs_in_during_an_attack() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let body = json!({ "method": "password", "password": PASSWORD, "traits": { "email": ALICE } });
        play(suite, &mut at(suite.api(), "198.51.100.7"), "registration", &[body]).await?;
        let mut owner = at(suite.browser(), "198.51.100.7");
        ensure!(signs_in_by_page(suite, &mut owner).await?, "the device becomes familiar");
        owner.cookies.remove("ory_kratos_session");

        let mut answers = Vec::new();
        for number in 1..=8 {
            answers.push(sign_in(suite, &format!("203.0.113.{number}"), "a wrong password").await?);
        }
        ensure!(answers == [400, 400, 400, 429, 429, 429, 429, 429], "{answers:?}");
        ensure!(sign_in(suite, "203.0.113.50", PASSWORD).await? == 429, "a stranger is refused");
        // The device is familiar, the network is new.
        ensure!(signs_in_by_page(suite, &mut at(owner, "192.0.2.200")).await?, "the owner is not locked out");
        ensure!(!signs_in_by_page(suite, &mut at(suite.browser(), "192.0.2.201")).await?, "a new device is refused");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refused_guess_does_not_count() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let body = json!({ "method": "password", "password": PASSWORD, "traits": { "email": ALICE } });
        play(suite, &mut at(suite.api(), "198.51.100.7"), "registration", &[body]).await?;
        let refused = async |suite: &Suite| {
            let body = json!({ "method": "password", "identifier": ALICE, "password": "a wrong password" });
            let pages = play(suite, &mut at(suite.api(), "203.0.113.1"), "login", &[body]).await?;
            anyhow::Ok((pages[0].status.as_u16(), pages[0].header("retry-after").to_owned()))
        };
        for _ in 0..3 {
            ensure!(refused(suite).await? == (400, String::new()));
        }
        for _ in 0..10 {
            ensure!(refused(suite).await? == (429, "600".to_owned()), "the wait does not grow");
        }
        suite.advance(std::time::Duration::from_mins(10));
        ensure!(sign_in(suite, "203.0.113.1", PASSWORD).await? == 200, "after the wait one guess is checked");
        Ok(())
    })
    .await
}

/// Submits a code as the second factor of the session of `token`, in a new flow.
async fn second_factor(suite: &Suite, address: &str, token: &str, code: &str) -> Result<u16> {
    let mut client = at(suite.api(), address).with_header("x-session-token", token);
    let flow = client.get(suite.identity("/self-service/login/api?aal=aal2")).await?;
    let action = flow.at("/ui/action").as_str().with_context(|| flow.summary())?.to_owned();
    let body = json!({ "method": "totp", "totp_code": code });
    Ok(client.json(Method::POST, &action, &body).await?.status.as_u16())
}

#[tokio::test]
async fn an_attacker_with_the_password_has_few_guesses_at_codes_from_all_addresses() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        let body = json!({
            "schema_id": "default",
            "traits": { "email": ALICE },
            "credentials": {
                "password": { "config": { "password": PASSWORD } },
                "totp": { "config": { "totp_url": format!("otpauth://totp/x?secret={secret}") } },
            },
        });
        let created = suite.api().json(Method::POST, suite.identity_admin("/admin/identities"), &body).await?;
        ensure!(created.status == 201, "{}", created.summary());
        let (app, home) = (App::with(secret)?, "198.51.100.7");
        let session = async |address: &str| {
            let body = json!({ "method": "password", "identifier": ALICE, "password": PASSWORD });
            let answers = play(suite, &mut at(suite.api(), address), "login", &[body]).await?;
            session_token(&answers[0])
        };
        ensure!(second_factor(suite, home, &session(home).await?, &app.code(suite)?).await? == 200);
        suite.advance(STEP);

        let mut thieves = Vec::new();
        for number in 1..=8 {
            let address = format!("203.0.113.{number}");
            thieves.push((session(&address).await?, address));
        }
        let (mut checked, mut refused) = (0, 0);
        for (token, address) in thieves.iter().chain(&thieves) {
            match second_factor(suite, address, token, "000000").await? {
                400 => checked += 1,
                429 => refused += 1,
                status => anyhow::bail!("{status}"),
            }
        }
        ensure!(checked == 3 && refused == 13, "{checked} guesses were checked");
        let (token, address) = &thieves[0];
        ensure!(second_factor(suite, address, token, &app.code(suite)?).await? == 429, "the right code is not checked");
        let own = session(home).await?;
        ensure!(second_factor(suite, home, &own, &app.code(suite)?).await? == 200, "the owner is not locked out");
        Ok(())
    })
    .await
}
