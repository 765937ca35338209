//! The demo in Chromium, used with the keyboard only. The layout of each page is checked.

use std::path::Path;
use std::time::Duration;

use acceptance::browser::Browser;
use acceptance::chrome::Chrome;
use acceptance::look::{look, look_at_widths, look_closely, look_in_languages, press, speak, tab_to, type_text};
use anyhow::{Context as _, Result, ensure};
use base::{ManualClock, Rng, Timestamp};
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::Environment;
use server::cli::{RunningDemo, start_on_ports};
use server::config::Service;
use test_client::free_port;
use url::Url;

const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../screenshots");
const PATIENCE: Duration = Duration::from_secs(20);
const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery staple";
/// Later than the real clock that client libraries use to check the expiry of a token.
const START: Timestamp = Timestamp::from_unix_seconds(2_214_129_600);

async fn shoot(page: &Client, name: &str) -> Result<()> {
    look(page, &Path::new(SCREENSHOTS).join("demo"), name).await
}

/// Checks a page in every language, and at twice its size.
async fn shoot_thoroughly(page: &Client, name: &str) -> Result<()> {
    let folder = Path::new(SCREENSHOTS).join("demo");
    look(page, &folder, name).await?;
    look_closely(page, &folder, name).await?;
    look_in_languages(page, &folder, name, &["de", "ar"]).await
}

/// The result of a script on the page.
async fn ask(page: &Client, script: &str) -> Result<Value> {
    Ok(page.execute(script, Vec::new()).await?)
}

/// Shows the entered password, and hides it again.
async fn reveal(page: &Client) -> Result<()> {
    let kind = "return [document.querySelector('[name=password]').type, document.activeElement.ariaPressed].join(' ')";
    tab_to(page, ".reveal").await?;
    press(page, Key::Enter).await?;
    ensure!(ask(page, kind).await? == "text true");
    shoot(page, "sign-in-revealed").await?;
    press(page, Key::Enter).await?;
    ensure!(ask(page, kind).await? == "password false");
    Ok(())
}

async fn wait_for(page: &Client, selector: &str) -> Result<()> {
    let found = page.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
    let url = page.current_url().await?;
    found.map(drop).with_context(|| format!("no {selector} at {url}"))
}

async fn text(page: &Client) -> Result<String> {
    Ok(page.find(Locator::Css("body")).await?.text().await?)
}

/// Presses the button or link with the keyboard, and waits for an element of the next page.
async fn activate(page: &Client, selector: &str, next: &str) -> Result<()> {
    tab_to(page, selector).await?;
    press(page, Key::Enter).await?;
    wait_for(page, next).await
}

/// Reads the code of the newest mail in the mailbox, in another tab.
async fn code_in_mailbox(page: &Client, mailbox: &Url) -> Result<String> {
    let before = page.window().await?;
    let tab = page.new_window(true).await?;
    page.switch_to_window(tab.handle).await?;
    page.goto(mailbox.as_str()).await?;
    shoot(page, "mailbox").await?;
    activate(page, "main li a", ".mail").await?;
    shoot(page, "mail").await?;
    let mail = text(page).await?;
    let code = mail.split(|character: char| !character.is_ascii_digit()).find(|run| run.len() == 6);
    let code = code.with_context(|| format!("no code in {mail}"))?.to_owned();
    page.close_window().await?;
    page.switch_to_window(before).await?;
    Ok(code)
}

/// Other pages: refusals, recovery, errors.
async fn others(page: &Client, account: &Url) -> Result<()> {
    let open = async |path: &str| anyhow::Ok(page.goto(account.join(path)?.as_str()).await?);
    open("self-service/login/browser").await?;
    wait_for(page, "[name=identifier]").await?;
    tab_to(page, "[name=identifier]").await?;
    type_text(page, EMAIL).await?;
    tab_to(page, "[name=password]").await?;
    type_text(page, "not the password").await?;
    reveal(page).await?;
    tab_to(page, "[name=password]").await?;
    press(page, Key::Enter).await?;
    wait_for(page, "[role=alert]").await?;
    shoot(page, "sign-in-refused").await?;
    open("self-service/registration/browser").await?;
    tab_to(page, "[name='traits.email']").await?;
    type_text(page, "nobody@invalid").await?;
    press(page, Key::Enter).await?;
    wait_for(page, "[name=password]").await?;
    tab_to(page, "[name=password]").await?;
    type_text(page, "short").await?;
    press(page, Key::Enter).await?;
    wait_for(page, "[role=alert], [aria-invalid=true]").await?;
    shoot(page, "registration-refused").await?;
    open("self-service/recovery/browser").await?;
    wait_for(page, "[name=email]").await?;
    shoot(page, "recovery").await?;
    tab_to(page, "[name=email]").await?;
    type_text(page, EMAIL).await?;
    press(page, Key::Enter).await?;
    wait_for(page, "[name=code]").await?;
    shoot(page, "recovery-code").await?;
    open("ui/error?id=00000000-0000-0000-0000-000000000000").await?;
    shoot(page, "error").await
}

/// Fills in a field of the sample application and sends its form.
async fn submit(page: &Client, field: &str, email: &str) -> Result<String> {
    tab_to(page, &format!("[name={field}]")).await?;
    type_text(page, email).await?;
    press_and_wait(page).await
}

/// Presses Enter, and returns the text of the next page, which may have the same URL.
async fn press_and_wait(page: &Client) -> Result<String> {
    ask(page, "document.body.dataset.before = ''").await?;
    press(page, Key::Enter).await?;
    wait_for(page, "body:not([data-before]) [name=owner]").await?;
    text(page).await
}

fn url_of(demo: &RunningDemo, service: Service, listener: &'static str, path: &str) -> Result<Url> {
    let base = demo.running.addresses.base_url(service, listener).context("a listener")?;
    Ok(Url::parse(base)?.join(path)?)
}

/// The id of the owner, as the page of their document shows it.
fn owner_of(page: &str) -> Result<String> {
    Ok(page.split("#owners@User:").nth(1).and_then(|rest| rest.get(..36)).context("an id")?.to_owned())
}

/// Other programs may write any subject as a reader. Each is shown, in any width of the window, and can be revoked.
async fn subjects_of_others(page: &Client, demo: &RunningDemo, own: &str) -> Result<()> {
    let long = format!("{}@example.org", "a-long-name-".repeat(8));
    let owner = owner_of(own)?;
    let tuple = |subject: &str| json!({ "namespace": "Document", "object": owner, "relation": "readers", "subject_id": subject });
    let tuples = url_of(demo, Service::PERMISSIONS, "write", "admin/relation-tuples")?;
    let mut api = Browser::api(ManualClock::starting_at(START).clock());
    let deltas = json!([{ "action": "insert", "relation_tuple": tuple("bob") },
                        { "action": "insert", "relation_tuple": tuple(&long) }]);
    api.json(Method::PATCH, tuples, &deltas).await?.expect_status(StatusCode::NO_CONTENT)?;
    page.refresh().await?;
    let shown = text(page).await?;
    ensure!(shown.contains("#readers@bob") && shown.contains(&format!("#readers@{long}")), "{shown}");
    shoot(page, "app-long-name").await?;
    look_at_widths(page, &Path::new(SCREENSHOTS).join("demo"), "app-long-name", &[540, 640]).await?;
    for _ in 0..2 {
        tab_to(page, "form[action^='/revoke'] button").await?;
        press_and_wait(page).await?;
    }
    ensure!(!text(page).await?.contains("#readers@"), "both are revoked");
    Ok(())
}

/// Does not allow the access: the application says so in the language of the person, without words of the protocol.
async fn decline(page: &Client) -> Result<()> {
    let titles = [("ar", "لم تسجّل الدخول"), ("de", "Sie sind nicht angemeldet"), ("en", "You are not signed in")];
    for (language, title) in titles {
        speak(page, language).await?;
        activate(page, "button[value=deny]", "form[action='/sign-in']").await?;
        let shown = text(page).await?;
        ensure!(shown.contains(title) && !shown.contains("denied"), "{shown}");
        ensure!(ask(page, "return document.documentElement.lang").await? == language);
        if language != "en" {
            shoot(page, &format!("app-declined-{language}")).await?;
        }
        activate(page, "form[action='/sign-in'] button", "button[value=allow]").await?;
    }
    Ok(())
}

/// A page that does not exist, and a form that is sent after the session has ended.
async fn ends(page: &Client, app: &Url) -> Result<()> {
    page.goto(app.join("nothing")?.as_str()).await?;
    shoot(page, "app-missing").await?;
    activate(page, "main a[href='/']", "[name=reader]").await?;
    page.delete_cookie("kleis_demo").await?;
    tab_to(page, "[name=reader]").await?;
    type_text(page, "bob@example.org").await?;
    press(page, Key::Enter).await?;
    wait_for(page, "form[action='/sign-in'], [name=owner]").await?;
    wait_for(page, "[role=status]").await?;
    shoot(page, "app-ended").await?;
    activate(page, "form[action='/sign-in'] button", "button[value=allow]").await?;
    activate(page, "button[value=allow]", "[name=reader]").await?;
    ensure!(
        ask(page, FOCUSED_FIELD).await?[0] == "bob@example.org",
        "the address is kept, and the field has the focus"
    );
    Ok(page.goto(app.as_str()).await?)
}

/// Pages of another port of this machine are of the same site, so their forms carry the cookie: each is refused. `other` is the URL
/// of such a page.
async fn foreign_forms(page: &Client, app: &Url, other: &Url) -> Result<()> {
    const SEND: &str = "const form = document.body.appendChild(document.createElement('form')); \
                        [form.action, form.method] = [arguments[0], 'post']; form.submit()";
    for path in ["share", "revoke", "sign-out", "sign-in"] {
        page.goto(other.as_str()).await?;
        page.execute(SEND, vec![json!(app.join(path)?)]).await?;
        wait_for(page, "main a[href='/']").await?;
        let shown = text(page).await?;
        ensure!(shown.contains("did not come from one of our pages") && shown.contains("403"), "{path}: {shown}");
    }
    shoot(page, "app-foreign-form").await?;
    activate(page, "main a[href='/']", "[name=reader]").await?;
    ensure!(!text(page).await?.contains("Enter an email address"), "no form was accepted, and the person is signed in");
    Ok(())
}

/// The value of the field with the focus, whether it is invalid, its problem, the title of the window.
const FOCUSED_FIELD: &str = "const field = document.activeElement; \
                             const problem = document.getElementById(field.getAttribute('aria-describedby')); \
                             return [field.value, field.ariaInvalid, problem?.innerText, document.title]";

/// Shares a document and revokes it; opens one that another person shares and no longer shares.
async fn documents(page: &Client, demo: &RunningDemo) -> Result<()> {
    const BOB: &str = "bob@example.org";
    let own = text(page).await?;
    ensure!(own.contains("read, share") && own.contains("#owners@User:"), "the owner is shown with the reason: {own}");
    ensure!(submit(page, "reader", BOB).await?.contains("Nobody has signed up"));
    // The address stays, and the field has the focus and refers to its problem.
    let field = ask(page, FOCUSED_FIELD).await?;
    ensure!(field[0] == BOB && field[1] == "true" && field[2].to_string().contains("Nobody has signed up"), "{field}");
    ensure!(field[3] == "Error: Hello – Sample app", "{field}");
    shoot(page, "app-nobody").await?;
    page.goto(demo.app.as_str()).await?;
    ensure!(submit(page, "reader", EMAIL).await?.contains("You own this document already"));
    page.goto(demo.app.as_str()).await?;
    let url = |service, listener, path| url_of(demo, service, listener, path);
    let mut api = Browser::api(ManualClock::starting_at(START).clock());
    let identities = url(Service::IDENTITY, "admin", "admin/identities")?;
    let credentials = json!({ "password": { "config": { "password": PASSWORD } } });
    let identity = json!({ "schema_id": "", "traits": { "email": BOB }, "credentials": credentials });
    let bob = api.json(Method::POST, identities, &identity).await?.expect_status(StatusCode::CREATED)?;
    let bob = bob.at("/id").as_str().context("an id")?.to_owned();

    let shared = submit(page, "reader", BOB).await?;
    ensure!(
        shared.contains(&format!("#readers@User:{bob}")) && shared.contains("may read your document now"),
        "{shared}"
    );
    shoot(page, "app-shared").await?;
    look_closely(page, &Path::new(SCREENSHOTS).join("demo"), "app-shared").await?;
    tab_to(page, "form[action^='/revoke'] button").await?;
    let revoked = press_and_wait(page).await?;
    ensure!(!revoked.contains("#readers@") && revoked.contains("may no longer read"), "{revoked}");

    subjects_of_others(page, demo, &own).await?;

    let refused = submit(page, "owner", BOB).await?;
    ensure!(refused.contains("403") && refused.contains("no tuple leads from"), "{refused}");
    ensure!(refused.contains(&format!("{BOB} has not shared this document with you")), "{refused}");
    shoot(page, "app-refused").await?;
    page.refresh().await?;
    ensure!(!text(page).await?.contains("no tuple leads from"), "a reload sends no form again");
    let ada = owner_of(&own)?;
    let subject = json!({ "namespace": "User", "object": ada, "relation": "" });
    let tuple = json!({ "namespace": "Document", "object": bob, "relation": "readers", "subject_set": subject });
    let tuples = url(Service::PERMISSIONS, "write", "admin/relation-tuples")?;
    for (action, status, reason) in [("insert", "200", "#readers@User:"), ("delete", "403", "no tuple leads from")] {
        let deltas = json!([{ "action": action, "relation_tuple": tuple }]);
        let changed = api.json(Method::PATCH, tuples.clone(), &deltas).await?;
        changed.expect_status(StatusCode::NO_CONTENT)?;
        let answer = submit(page, "owner", BOB).await?;
        ensure!(answer.contains(status) && answer.contains(reason), "{action}: {answer}");
        shoot(page, &format!("app-{action}")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_demo_works_with_the_keyboard_alone() -> Result<()> {
    let data = tempfile::tempdir()?;
    let environment = Environment {
        clock: ManualClock::starting_at(START).clock(),
        rng: Rng::seeded(11),
        data_dir: data.path().to_owned(),
        free_ports: true,
        migrate: true,
        ..Environment::system()
    };
    let demo = start_on_ports([free_port(), free_port(), free_port()], environment).await?;
    let chrome = Chrome::start().await?;
    let page = &chrome.client;
    let api = demo.api.join("hello")?;

    page.goto(api.as_str()).await?;
    ensure!(!text(page).await?.contains(EMAIL), "a visitor without a session is unknown");
    ensure!(
        text(page).await?.contains("401"),
        "the gateway refuses a visitor without a session: {}",
        text(page).await?
    );

    // The other name of this machine is another site for a browser.
    page.goto(&demo.app.as_str().replace("localhost", "127.0.0.1")).await?;
    ensure!(page.current_url().await? == demo.app, "the browser is redirected to the configured URL");
    shoot(page, "app").await?;
    look_in_languages(page, &Path::new(SCREENSHOTS).join("demo"), "app", &["de", "ar"]).await?;
    activate(page, "form[action='/sign-in'] button", "[name=identifier]").await?;
    ensure!(text(page).await?.contains("Sign in to continue to"), "the page names the application");
    shoot_thoroughly(page, "sign-in").await?;
    activate(page, "a[href*='registration']", "[name='traits.email']").await?;
    shoot_thoroughly(page, "registration").await?;
    tab_to(page, "[name='traits.email']").await?;
    type_text(page, EMAIL).await?;
    press(page, Key::Enter).await?;
    wait_for(page, "[name=password]").await?;
    shoot_thoroughly(page, "registration-password").await?;
    tab_to(page, "[name=password]").await?;
    type_text(page, PASSWORD).await?;
    press(page, Key::Enter).await?;

    wait_for(page, "[name=code]").await?;
    shoot_thoroughly(page, "verification").await?;
    let again = ask(page, "return document.querySelector('[data-wait]').outerHTML").await?;
    ensure!(again.as_str().is_some_and(|it| it.contains("disabled") && it.contains("(0:")), "it counts down: {again}");
    let code = code_in_mailbox(page, &demo.mailbox).await?;
    tab_to(page, "[name=code]").await?;
    type_text(page, "000000").await?;
    press(page, Key::Enter).await?;
    wait_for(page, "[role=alert]").await?;
    shoot(page, "verification-wrong").await?;
    // A language that is chosen at one service applies to the other.
    activate(page, "footer a[lang=de]", "html[lang=de] [name=code]").await?;
    tab_to(page, "[name=code]").await?;
    type_text(page, &code).await?;
    press(page, Key::Enter).await?;

    wait_for(page, "html[lang=de] button[value=allow]").await?;
    speak(page, "en").await?;
    shoot(page, "consent").await?;
    look_in_languages(page, &Path::new(SCREENSHOTS).join("demo"), "consent", &["ar"]).await?;
    decline(page).await?;
    activate(page, "button[value=allow]", "form[action^='/call-api']").await?;
    shoot(page, "app-signed-in").await?;
    let welcome = text(page).await?;
    ensure!(welcome.contains("sub") && welcome.contains(EMAIL), "the claims of the ID token are shown: {welcome}");
    activate(page, "form[action^='/call-api'] button", "[role=status]").await?;
    shoot(page, "app-api").await?;
    let answer = text(page).await?;
    ensure!(answer.contains("200"), "the API answers: {answer}");

    look_in_languages(page, &Path::new(SCREENSHOTS).join("demo"), "app-signed-in", &["de", "ar"]).await?;
    documents(page, &demo).await?;
    ends(page, &demo.app).await?;

    page.goto(api.as_str()).await?;
    let known = text(page).await?;
    ensure!(!known.contains("401"), "the gateway accepts the session: {known}");
    foreign_forms(page, &demo.app, &api).await?;

    page.goto(demo.account.join("self-service/settings/browser")?.as_str()).await?;
    wait_for(page, "form").await?;
    shoot(page, "settings").await?;

    page.goto(demo.app.as_str()).await?;
    tab_to(page, "form[action='/sign-out'] button").await?;
    press(page, Key::Enter).await?;
    wait_for(page, "form[action='/sign-in'], button[value=sign_out]").await?;
    if page.find(Locator::Css("form[action='/sign-in']")).await.is_err() {
        shoot(page, "logout").await?;
        activate(page, "button[value=sign_out]", "form[action='/sign-in']").await?;
    }
    shoot(page, "app-signed-out").await?;
    page.goto(api.as_str()).await?;
    ensure!(text(page).await?.contains("401"), "after signing out the session is gone: {}", text(page).await?);

    others(page, &demo.account).await?;
    chrome.close().await?;
    demo.running.shutdown().await;
    Ok(())
}
