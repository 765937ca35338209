//! Connected applications on the settings page, with a test authorization server.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base::Context;
use contracts::{Connection, Connections, Unavailable};

use super::*;

/// An authorization server that lists one client, or does not answer.
#[derive(Default)]
struct Provider {
    is_down: bool,
    /// Subject and client of each ended connection.
    ended: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Connections for Provider {
    async fn list(&self, cx: &Context, _: &str) -> Result<Vec<Connection>, Unavailable> {
        if self.is_down {
            return Err(Unavailable::new("oauth", "down"));
        }
        let album = Connection {
            client_id: "album".into(),
            client_name: "Album <script>\u{202e}\n".repeat(40),
            consented_at: cx.now,
        };
        Ok(vec![album])
    }

    async fn end(&self, _: &Context, subject: &str, client_id: &str) -> Result<(), Unavailable> {
        if self.is_down {
            return Err(Unavailable::new("oauth", "down"));
        }
        self.ended.lock().unwrap().push((subject.to_owned(), client_id.to_owned()));
        Ok(())
    }
}

impl TestServer {
    fn authorization_server(&self, is_down: bool) -> Arc<Provider> {
        let provider = Arc::new(Provider { is_down, ..Provider::default() });
        self.connections.set(provider.clone());
        provider
    }
}

fn body(values: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish()
}

#[tokio::test]
async fn without_an_authorization_server_applications_are_not_shown() {
    with_server(|server| async move {
        let mut browser = server.visitor();
        browser.sign_up("ada@example.org").await;
        let page = browser.open("/ui/settings").await;
        assert_eq!((page.status, page.heading()), (StatusCode::OK, "Your account"));
        assert!(!page.html.contains("Connected applications"), "{}", page.html);
    })
    .await;
}

#[tokio::test]
async fn an_application_is_listed_and_ended_by_a_form_of_this_page() {
    with_server(|server| async move {
        let provider = server.authorization_server(false);
        let mut browser = server.visitor();
        browser.sign_up("ada@example.org").await;
        let page = browser.open("/ui/settings").await;
        assert!(page.html.contains("Album &#60;script&#62;") && page.html.contains('…'), "{}", page.html);
        assert!(!page.html.contains("<script>") && !page.html.contains('\u{202e}'), "{}", page.html);
        let (action, method, mut values) = page.form("client");
        assert_eq!(method, Method::POST);
        let forged = Some("csrf_token=forged&client=album".to_owned());
        let refused = browser.follow(Method::POST, action.clone(), forged).await;
        assert_eq!(refused.heading(), "Something went wrong");
        assert!(provider.ended.lock().unwrap().is_empty());
        values.push(("client".into(), "album".into()));
        let page = browser.follow(Method::POST, action, Some(body(&values))).await;
        assert!(page.html.contains("can no longer use your account"), "{}", page.html);
        let ended = provider.ended.lock().unwrap().clone();
        assert_eq!((ended.len(), ended[0].1.as_str()), (1, "album"));
    })
    .await;
}

#[tokio::test]
async fn ending_an_application_needs_a_recent_sign_in() {
    with_server(|server| async move {
        let provider = server.authorization_server(false);
        let mut browser = server.visitor();
        browser.sign_up("ada@example.org").await;
        server.clock.advance(std::time::Duration::from_mins(61));
        let page = browser.open("/ui/settings").await;
        let (action, _, mut values) = page.form("client");
        values.push(("client".into(), "album".into()));
        let page = browser.follow(Method::POST, action, Some(body(&values))).await;
        assert_eq!(page.heading(), "Confirm it’s you");
        assert!(provider.ended.lock().unwrap().is_empty());
        let page = browser.submit(&page, &[("password", PASSWORD), ("method", "password")]).await;
        assert_eq!(page.heading(), "Your account");
    })
    .await;
}

#[tokio::test]
async fn an_unavailable_authorization_server_does_not_affect_the_rest_of_the_page() {
    with_server(|server| async move {
        server.authorization_server(true);
        let mut browser = server.visitor();
        browser.sign_up("ada@example.org").await;
        server.visitor().sign_in("ada@example.org", PASSWORD).await;
        let page = browser.open("/ui/settings").await;
        assert_eq!((page.status, page.heading()), (StatusCode::OK, "Your account"));
        assert!(page.html.contains("Connected applications cannot be shown"), "{}", page.html);
        let (_, _, mut values) = page.form("session");
        values.push(("client".into(), "album".into()));
        let page = browser.follow(Method::POST, "/ui/connections".into(), Some(body(&values))).await;
        assert!(page.html.contains("Connected applications cannot be shown"), "{}", page.html);
    })
    .await;
}
