//! The language of the messages that flows send.

use base::Locale;
use serde_json::{Value, json};

use super::{PASSWORD, TestServer, with_server};
use crate::domain::message_queue::{Message, MessageStatus};

fn locale(tag: &str) -> Locale {
    Locale::from_tag(tag).unwrap()
}

fn html(message: &Message) -> &str {
    message.content.html_body.as_deref().expect("an HTML part")
}

async fn newest(server: &TestServer) -> Message {
    server.mails().await.into_iter().next().expect("a mail")
}

/// Requests a recovery code in that language.
async fn ask_in(server: &TestServer, tag: &str) -> Message {
    server.advance(120);
    let mut client = server.native();
    client.http.locale = locale(tag);
    let id = client.begin("recovery").await;
    client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
    newest(server).await
}

#[tokio::test]
async fn a_message_is_in_the_language_of_the_request() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let english = ask_in(&server, "en").await;
        assert!(english.content.subject.starts_with("Your recovery code: "), "{}", english.content.subject);
        let german = ask_in(&server, "de").await;
        assert!(german.content.subject.starts_with("Ihr Code zur Wiederherstellung: "), "{}", german.content.subject);
        assert!(german.content.body.contains("gilt 60 Minuten"), "{}", german.content.body);
        assert!(html(&german).contains("<html lang=\"de\" dir=\"ltr\">"), "{}", html(&german));
        assert_eq!(german.content.template_data["locale"], "de");
        let french = ask_in(&server, "fr").await;
        assert!(french.content.subject.starts_with("Your recovery code: "), "{}", french.content.subject);
        assert_eq!(french.content.template_data["locale"], "fr", "an operator may have a template for it");
    })
    .await;
}

#[tokio::test]
async fn the_language_of_the_client_takes_precedence_over_that_of_the_request() {
    with_server(json!({}), |server| async move {
        server.provider();
        let mut client = server.browser();
        let id = client.begin_with("registration", "?login_challenge=hinted").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": "b@example.org"}});
        client.submit("registration", &id, body).await.expect(303);
        let mail = newest(&server).await;
        assert!(mail.content.subject.starts_with("Ihr Bestätigungscode: "), "{}", mail.content.subject);
    })
    .await;
}

#[tokio::test]
async fn a_message_keeps_its_language_until_it_is_delivered() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let queued = ask_in(&server, "de").await;
        let worker = jobs::Worker::new(
            server.identity.database.clone(),
            server.clock.clock(),
            server.identity.rng.clone(),
            server.identity.handlers(),
            crate::RETENTION.iter().copied(),
        );
        worker.run_due().await.unwrap();
        let sent = newest(&server).await;
        assert_eq!((sent.status, sent.id), (MessageStatus::Sent, queued.id));
        assert_eq!(sent.content, queued.content);
    })
    .await;
}

#[tokio::test]
async fn a_notice_to_an_unknown_recipient_is_in_the_language_of_the_request() {
    let notify: Value = json!({"selfservice": {"flows": {"recovery": {"notify_unknown_recipients": true}}}});
    with_server(notify, |server| async move {
        let mut client = server.native();
        client.http.locale = locale("de");
        let id = client.begin("recovery").await;
        client.submit("recovery", &id, json!({"method": "code", "email": "nobody@example.org"})).await.expect(200);
        let mail = newest(&server).await;
        assert_eq!(mail.content.subject, "Jemand wollte den Zugang zu einem Konto wiederherstellen");
    })
    .await;
}
