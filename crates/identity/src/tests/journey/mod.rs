//! The pages in a browser without scripts: pages, forms, redirects and cookies, from registration to sign-out.

mod connections;

use base::Locale;
use database::Database;
use http::header::CONTENT_SECURITY_POLICY;
use http::{Method, StatusCode};
use serde_json::json;
use test_client::{Client, FORM, Kind};

use super::TestServer;

const PUBLIC: &str = "http://id.example:4433";
const PASSWORD: &str = "correct horse battery staple";

/// A test server with this configuration of flows.
fn server_with(database: Database, flows: &serde_json::Value) -> TestServer {
    let mut config = json!({
        "dev": true,
        "serve": {"public": {"base_url": format!("{PUBLIC}/")}},
        "selfservice": {
            "flows": {
                "registration": {"after": {"password": {"hooks": [{"hook": "session"}]}}},
                "recovery": {"enabled": true},
                "verification": {"enabled": true},
            },
            "methods": {"password": {"config": {"haveibeenpwned_enabled": false}}},
        },
        "hashers": {"bcrypt": {"cost": 4}},
    });
    for (kind, flow) in flows.as_object().unwrap() {
        config["selfservice"]["flows"][kind] = flow.clone();
    }
    TestServer::start(database, config)
}

impl TestServer {
    fn visitor(&self) -> Browser {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0";
        Browser { http: self.client(Kind::Browser, PUBLIC).with_header("user-agent", firefox) }
    }

    /// A browser on the admin port.
    fn office(&self) -> Browser {
        let mut http = self.operator();
        http.kind = Kind::Browser;
        Browser { http }
    }
}

struct Browser {
    http: Client,
}

/// The page that the browser shows after all redirects.
struct Shown {
    status: StatusCode,
    path: String,
    html: String,
    /// The content security policy.
    policy: String,
}

impl Shown {
    fn heading(&self) -> &str {
        let (_, rest) = self.html.split_once("<h1>").expect("a heading");
        rest.split_once("</h1>").unwrap().0
    }

    /// The form that contains a field or button of this name: its URL, its method, and its hidden values.
    fn form(&self, name: &str) -> (String, Method, Vec<(String, String)>) {
        let forms = self.html.split("<form ").skip(1).map(|rest| rest.split_once("</form>").unwrap().0);
        let form = forms.into_iter().find(|form| form.contains(&format!(r#"name="{name}""#)));
        let form = form.unwrap_or_else(|| panic!("no form with {name}: {}", self.html));
        let hidden = form.split("<input ").skip(1).map(|rest| rest.split_once('>').unwrap().0);
        let values = hidden.filter(|input| input.contains(r#"type="hidden""#));
        let values = values.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect();
        let method = if attribute(form, "method") == "get" { Method::GET } else { Method::POST };
        (attribute(form, "action"), method, values)
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let (_, rest) = tag.split_once(&format!(r#"{name}=""#)).unwrap_or_else(|| panic!("no {name} in {tag}"));
    let value = rest.split_once('"').unwrap().0;
    value.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

impl Browser {
    async fn open(&mut self, address: &str) -> Shown {
        self.follow(Method::GET, address.to_owned(), None).await
    }

    /// Fills in a form and submits it with one of its buttons.
    async fn submit(&mut self, page: &Shown, fields: &[(&str, &str)]) -> Shown {
        let (action, method, mut values) = page.form(fields.first().expect("a field").0);
        values.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
        if method == Method::GET {
            return self.follow(method, format!("{action}?{body}"), None).await;
        }
        self.follow(method, action, Some(body)).await
    }

    async fn follow(&mut self, mut method: Method, mut address: String, mut body: Option<String>) -> Shown {
        for _ in 0..10 {
            let reply = self.http.request(method, &address, body.take().map(|body| (FORM, body))).await;
            if reply.location().is_empty() {
                let path = address.strip_prefix(PUBLIC).unwrap_or(&address).to_owned();
                let policy = reply.header(CONTENT_SECURITY_POLICY).unwrap_or_default().to_owned();
                return Shown { status: reply.status, path, html: reply.text, policy };
            }
            address = reply.location().to_owned();
            method = Method::GET;
        }
        panic!("too many redirects, the last one to {address}");
    }

    async fn sign_up(&mut self, email: &str) -> Shown {
        let page = self.open("/ui/registration").await;
        let page = self.submit(&page, &[("traits.email", email), ("method", "profile")]).await;
        self.submit(&page, &[("password", PASSWORD), ("method", "password")]).await
    }

    async fn sign_in(&mut self, email: &str, password: &str) -> Shown {
        let page = self.open("/ui/login").await;
        self.submit(&page, &[("identifier", email), ("password", password), ("method", "password")]).await
    }
}

async fn with_server<F: Future<Output = ()>>(test: impl Fn(TestServer) -> F) {
    let sets = [jobs::MIGRATIONS, crate::MIGRATIONS];
    database::testing::on_both_engines(&sets, |database| async { test(server_with(database, &json!({}))).await }).await;
}

#[tokio::test]
async fn the_root_url_redirects_to_the_sign_in_page() {
    with_server(|server| async move {
        let page = server.visitor().open("/").await;
        assert_eq!((page.status, page.heading()), (StatusCode::OK, "Sign in"));
        assert!(page.path.starts_with("/ui/login?flow="), "{}", page.path);
        let mut german = server.visitor();
        german.http.locale = Locale::from_tag("de").unwrap();
        assert_eq!(german.open("/").await.heading(), "Anmelden");
    })
    .await;
}

#[tokio::test]
async fn a_person_signs_up_in_two_steps_and_is_welcomed_at_the_next_visit() {
    with_server(|server| async move {
        let mut browser = server.visitor();
        let page = browser.open("/ui/registration").await;
        assert_eq!(page.heading(), "Create your account");
        let page = browser.submit(&page, &[("traits.email", "ada@example.org"), ("method", "profile")]).await;
        assert_eq!(page.heading(), "Protect your account");
        let page = browser.submit(&page, &[("password", "short"), ("method", "password")]).await;
        assert!(page.html.contains("Please use at least 8 characters."), "{}", page.html);
        let page = browser.submit(&page, &[("password", PASSWORD), ("method", "password")]).await;
        assert_eq!(page.status, StatusCode::OK);
        let page = browser.open("/").await;
        assert_eq!(page.heading(), "You are signed in");
        assert!(page.html.contains("ada@example.org"), "{}", page.html);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_is_reported_above_the_form_and_the_flow_can_continue() {
    with_server(|server| async move {
        server.visitor().sign_up("ada@example.org").await;
        let mut browser = server.visitor();
        let page = browser.sign_in("ada@example.org", "something else").await;
        assert_eq!(page.heading(), "Sign in");
        assert!(page.html.contains(r#"role="alert""#) && page.html.contains("The sign-in details are not correct"));
        assert!(!page.html.contains("something else"));
        let page = browser
            .submit(&page, &[("identifier", "ada@example.org"), ("password", PASSWORD), ("method", "password")])
            .await;
        assert_eq!(page.heading(), "You are signed in");
    })
    .await;
}

#[tokio::test]
async fn other_devices_are_signed_out_from_the_settings_only_by_their_owner() {
    with_server(|server| async move {
        let (mut here, mut there) = (server.visitor(), server.visitor());
        here.sign_up("ada@example.org").await;
        there.sign_in("ada@example.org", PASSWORD).await;
        let page = here.open("/ui/settings").await;
        assert_eq!(page.heading(), "Your account");
        assert!(page.html.contains("Firefox · Linux") && page.html.contains("192.0.2.1"), "{}", page.html);
        let (action, _, values) = page.form("session");
        let forged = here.follow(Method::POST, action.clone(), Some("csrf_token=forged".into())).await;
        assert_eq!(forged.heading(), "Something went wrong");
        assert_eq!(there.open("/").await.heading(), "You are signed in");
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
        let page = here.follow(Method::POST, action, Some(body)).await;
        assert!(page.html.contains("Those devices are signed out"), "{}", page.html);
        assert_eq!(there.open("/").await.heading(), "Sign in");
        assert_eq!(here.open("/").await.heading(), "You are signed in");
    })
    .await;
}

#[tokio::test]
async fn signing_out_asks_for_confirmation_and_then_ends_the_session() {
    with_server(|server| async move {
        let mut browser = server.visitor();
        browser.sign_up("ada@example.org").await;
        let page = browser.open("/ui/logout").await;
        assert_eq!(page.heading(), "Sign out?");
        let (action, _, values) = page.form("token");
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
        let page = browser.open(&format!("{action}?{query}")).await;
        assert_eq!((page.heading(), page.path.as_str()), ("You are signed out", "/ui/signed-out"));
        assert_eq!(browser.open("/").await.heading(), "Sign in");
        assert_eq!(browser.open("/ui/logout").await.heading(), "You are signed out");
    })
    .await;
}

#[tokio::test]
async fn a_flow_that_is_gone_is_replaced_and_a_foreign_one_is_not_shown() {
    with_server(|server| async move {
        let (mut mine, mut theirs) = (server.visitor(), server.visitor());
        let page = mine.open("/ui/login?flow=00000000-0000-0000-0000-000000000000").await;
        assert_eq!(page.heading(), "Sign in");
        let foreign = theirs.open(&page.path).await;
        assert_eq!((foreign.status, foreign.heading()), (StatusCode::FORBIDDEN, "Something went wrong"));
        server.clock.advance(std::time::Duration::from_hours(2));
        let restarted = mine.open(&page.path).await;
        assert_eq!(restarted.heading(), "Sign in");
        assert_ne!(restarted.path, page.path);
    })
    .await;
}

#[tokio::test]
async fn mail_that_is_not_sent_can_be_read_on_the_admin_port() {
    with_server(|server| async move {
        server.visitor().sign_up("ada@example.org").await;
        let mut admin = server.office();
        let list = admin.open("/admin/mailbox").await;
        assert_eq!((list.status, list.heading()), (StatusCode::OK, "Mailbox"));
        assert!(list.html.contains("ada@example.org"), "{}", list.html);
        let (_, rest) = list.html.split_once(r#"href="mailbox/"#).expect("a message");
        let id = rest.split_once('"').unwrap().0;
        let mail = admin.open(&format!("/admin/mailbox/{id}")).await;
        assert!(mail.html.contains("verification_code_valid"), "{}", mail.html);
        assert!(mail.html.contains(&format!(r#"<iframe class="mail-html" src="{id}/html""#)), "{}", mail.html);
        let html = admin.open(&format!("/admin/mailbox/{id}/html")).await;
        assert!(html.html.contains("<title>Your verification code: "), "{}", html.html);
        assert!(html.policy.contains("default-src 'none'") && html.policy.ends_with("sandbox"), "{}", html.policy);
        assert!(mail.policy.ends_with("frame-src 'self'") && !mail.policy.contains("unsafe"), "{}", mail.policy);
        assert_eq!(admin.open("/admin/mailbox/nothing").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_registrant_who_opens_the_mail_in_another_browser_can_still_finish() {
    let sets = [jobs::MIGRATIONS, crate::MIGRATIONS];
    database::testing::on_both_engines(&sets, |database| async {
        let server = server_with(database, &json!({"registration": {"confirm_address_first": true}}));
        let mut browser = server.visitor();
        let waiting = browser.sign_up("ada@example.org").await;
        assert_eq!(waiting.heading(), "Confirm your address");
        assert!(waiting.html.contains("We sent a code to ada@example.org."), "{}", waiting.html);
        let mailbox = server.office().open("/admin/mailbox").await;
        let id = mailbox.html.split_once(r#"href="mailbox/"#).unwrap().1.split_once('"').unwrap().0;
        let mail = server.office().open(&format!("/admin/mailbox/{id}")).await;
        let link = mail.html.split("<a href=\"").find(|part| part.contains("&#38;code=")).expect("a link");
        let link = link.split_once('"').unwrap().0.replace("&#38;", "&");
        let code = link.split_once("code=").unwrap().1.to_owned();
        let mut phone = server.visitor();
        let page = phone.open(&link).await;
        assert_eq!((page.status, page.heading()), (StatusCode::FORBIDDEN, "Continue in the other browser"));
        let page = browser.submit(&waiting, &[("code", &code), ("method", "code")]).await;
        assert_eq!(page.heading(), "You are signed in");
        phone.http.locale = Locale::from_tag("de").unwrap();
        assert_eq!(phone.open(&waiting.path).await.heading(), "Im anderen Browser fortfahren");
    })
    .await;
}

#[tokio::test]
async fn a_configured_page_replaces_the_built_in_one() {
    let sets = [jobs::MIGRATIONS, crate::MIGRATIONS];
    database::testing::on_both_engines(&sets, |database| async {
        let own = json!({"login": {"ui_url": format!("{PUBLIC}/own/login?theme=1")}, "settings": {"ui_url": format!("{PUBLIC}/own/settings")}});
        let server = server_with(database, &own);
        let mut browser = server.visitor();
        let page = browser.open("/ui/login?flow=abc").await;
        assert_eq!(page.path, "/own/login?theme=1&flow=abc");
        assert_eq!(browser.open("/ui/settings").await.path, "/own/settings");
        assert_eq!(browser.open("/ui/registration").await.heading(), "Create your account");
    })
    .await;
}

#[tokio::test]
async fn the_code_page_shows_the_address_and_links_to_its_correction() {
    with_server(|server| async move {
        let mut browser = server.visitor();
        let page = browser.open("/ui/recovery?return_to=http%3A%2F%2Fid.example%3A4433%2Fui%2Fwelcome").await;
        // The address is unknown; the page is the same.
        let page = browser.submit(&page, &[("email", "nobody@example.org"), ("method", "code")]).await;
        assert_eq!(page.heading(), "Enter your code");
        assert!(page.html.contains("<bdi>nobody@example.org</bdi>"), "{}", page.html);
        assert!(page.html.contains(r#"data-wait="30""#), "{}", page.html);
        let refused = browser.submit(&page, &[("code", "000000"), ("method", "code")]).await;
        assert!(refused.html.contains("This code is not correct"), "{}", refused.html);
        assert!(refused.html.contains("<bdi>nobody@example.org</bdi>"), "{}", refused.html);
        server.clock.advance(std::time::Duration::from_secs(31));
        let later = browser.open(&refused.path).await;
        assert!(!later.html.contains("data-wait"), "{}", later.html);
        let link = later.html.split("<a href=\"").find(|part| part.contains("Wrong address?")).expect("a link");
        let link = link.split_once('"').unwrap().0.replace("&#38;", "&");
        let restarted = browser.open(&link).await;
        assert_eq!(restarted.heading(), "Recover your account");
        assert!(restarted.html.contains(r#"name="email""#), "{}", restarted.html);
        assert!(link.contains("return_to="), "{link}");
    })
    .await;
}

#[tokio::test]
async fn a_network_that_caused_too_many_messages_sees_how_long_to_wait() {
    with_server(|server| async move {
        let mut browser = server.visitor();
        let mut page = browser.open("/ui/recovery").await;
        page = browser.submit(&page, &[("email", "nobody@example.org"), ("method", "code")]).await;
        for _ in 0..29 {
            page = browser.submit(&page, &[("email", "nobody@example.org")]).await;
        }
        server.clock.advance(std::time::Duration::from_secs(1));
        let page = browser.open(&page.path).await;
        // The limit is thirty at once and one more every 30 seconds; the pause after a message is 30 seconds as well.
        assert!(page.html.contains(r#"data-wait="29""#), "{}", page.html);
        server.clock.advance(std::time::Duration::from_secs(30));
        assert!(!browser.open(&page.path).await.html.contains("data-wait"));
    })
    .await;
}

#[tokio::test]
async fn a_language_is_chosen_by_a_link_that_keeps_the_flow() {
    with_server(|server| async move {
        let mut browser = server.visitor();
        let page = browser.open("/ui/login").await;
        let flow = page.path.split_once("flow=").unwrap().1;
        let link = format!(r#"href="?flow={flow}&#38;lang=ar""#);
        assert!(page.html.contains(&link), "{}", page.html);
        let chosen = browser.open(&format!("{}&lang=ar", page.path)).await;
        assert_eq!(chosen.heading(), "تسجيل الدخول");
        assert!(chosen.html.contains(r#"<html lang="ar" dir="rtl""#), "{}", chosen.html);
        assert_eq!(browser.http.cookie("kleis_language"), Some("ar"));
        // The form is that of the same flow.
        let refused =
            browser.submit(&chosen, &[("identifier", "a@b.example"), ("password", "x"), ("method", "password")]);
        assert!(refused.await.path.ends_with(flow));
        assert_eq!(browser.open(&format!("{}&lang=xx", page.path)).await.heading(), "Sign in");
        assert_eq!(browser.http.cookie("kleis_language"), Some("ar"));
    })
    .await;
}

#[tokio::test]
async fn the_rules_for_a_new_password_are_those_of_the_configuration() {
    with_server(|server| async move {
        let mut browser = server.visitor();
        let page = browser.open("/ui/registration").await;
        let page = browser.submit(&page, &[("traits.email", "ada@example.org"), ("method", "profile")]).await;
        // The check against data breaches is disabled in this test server.
        let rule = "At least 8 characters. Not similar to your sign-in name.</p>";
        assert!(page.html.contains(rule), "{}", page.html);
        browser.submit(&page, &[("password", PASSWORD), ("method", "password")]).await;
        assert!(browser.open("/ui/settings").await.html.contains(rule));
    })
    .await;
}
