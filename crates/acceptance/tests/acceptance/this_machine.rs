//! `localhost`, `127.0.0.1` and `[::1]` are three sites to a browser and one machine to a person: a visit that begins under any
//! of them continues under the configured one.

use std::time::Duration;

use acceptance::browser::Browser;
use acceptance::page::Page;
use anyhow::{Context as _, Result, ensure};
use base::{ManualClock, Rng, Timestamp};
use http::StatusCode;
use server::Environment;
use server::cli::{RunningDemo, start_on_ports};
use test_client::free_port;
use url::Url;

const PASSWORD: &str = "correct horse battery staple";
/// Later than the real clock that client libraries use to check the expiry of a token.
const START: Timestamp = Timestamp::from_unix_seconds(2_214_129_600);

/// The same URL under another name of this machine.
fn named(url: &Url, host: &str) -> Result<Url> {
    let mut url = url.clone();
    url.set_host(Some(host))?;
    Ok(url)
}

async fn submit(browser: &mut Browser, page: &Page, fields: &[(&str, &str)], button: (&str, &str)) -> Result<Page> {
    let has = fields.first().map_or(button.0, |(name, _)| *name);
    let mut form = page.form(&format!("form:has([name=\"{has}\"])"))?;
    for (name, value) in fields {
        form = form.fill(name, value)?;
    }
    browser.submit(&form.press(button.0, button.1)?).await?.expect_status(StatusCode::OK)
}

/// The code in the newest mail.
async fn code(browser: &Browser, mailbox: &Url) -> Result<String> {
    let mut reader = browser.clone();
    let list = reader.open(mailbox).await?;
    let mail = reader.open(list.link("main li a")?).await?.text_of(".mail").context("a mail")?;
    let code = mail.split(|character: char| !character.is_ascii_digit()).find(|run| run.len() == 6);
    code.map(str::to_owned).with_context(|| format!("no code in {mail}"))
}

/// Signs up in the sample application, starting under that name of this machine, and calls the API.
async fn journey(demo: &RunningDemo, browser: &mut Browser, host: &str) -> Result<()> {
    let email = format!("at-{}@example.org", host.trim_matches(['[', ']']).replace(['.', ':'], "-"));
    let app = browser.open(named(&demo.app, host)?).await?.expect_status(StatusCode::OK)?;
    ensure!(app.url.host_str() == Some("localhost"), "{}", app.url);
    let sign_in = browser.submit(&app.form("form[action='/sign-in']")?).await?.expect_status(StatusCode::OK)?;
    let sign_up = browser.open(sign_in.link("a[href*='registration']")?).await?;
    let page = submit(browser, &sign_up, &[("traits.email", email.as_str())], ("method", "profile")).await?;
    let page = submit(browser, &page, &[("password", PASSWORD)], ("method", "password")).await?;
    let code = code(browser, &demo.mailbox).await?;
    let page = submit(browser, &page, &[("code", code.as_str())], ("method", "code")).await?;
    let page = submit(browser, &page, &[], ("decision", "allow")).await?;
    ensure!(page.url == demo.app && page.text().contains(&email), "{}", page.summary());
    let page = browser.submit(&page.form("form[action^='/call-api']")?).await?.expect_status(StatusCode::OK)?;
    ensure!(page.text_of("[role=status]").is_some_and(|text| text.contains("200")), "{}", page.summary());
    Ok(())
}

#[tokio::test]
async fn the_demo_works_under_each_name_of_this_machine() -> Result<()> {
    let data = tempfile::tempdir()?;
    let time = ManualClock::starting_at(START);
    let environment = Environment {
        clock: time.clock(),
        rng: Rng::seeded(12),
        data_dir: data.path().to_owned(),
        free_ports: true,
        ..Environment::system()
    };
    let clock = environment.clock.clone();
    let demo = start_on_ports([free_port(), free_port(), free_port()], environment).await?;
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    for host in ["localhost", "127.0.0.1", "[::1]"].into_iter().filter(|host| has_ipv6 || *host != "[::1]") {
        journey(&demo, &mut Browser::new(clock.clone()), host).await.with_context(|| host.to_owned())?;
        // The newest mail is that of the next round.
        time.advance(Duration::from_mins(1));
        // A visit that begins at the account pages is redirected as well.
        let account = Browser::new(clock.clone()).open(named(&demo.account, host)?).await?;
        ensure!(account.url.host_str() == Some("localhost") && account.form("form:has([name=identifier])").is_ok());
        // A visitor of the protected API is refused because of the missing session, not because of the name.
        let api = Browser::new(clock.clone()).get(named(&demo.api, host)?.join("hello")?).await?;
        ensure!(api.status == StatusCode::UNAUTHORIZED, "{}", api.summary());
    }
    demo.running.shutdown().await;
    Ok(())
}
