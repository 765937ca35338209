use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::*;
use crate::domain::message_queue::{Content, MessageId, MessageStatus, MessageType, TemplateType};

fn message(recipient: &str) -> Message {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    Message {
        id: MessageId::from_uuid(uuid::Uuid::nil()),
        kind: MessageType::Email,
        channel: "email".into(),
        template_type: TemplateType::RecoveryCodeValid,
        recipient: recipient.into(),
        content: Content {
            subject: "Your code: 123456\r\nBcc: victim@example.org".into(),
            body: "Plain 123456".into(),
            html_body: Some("<p>Rich 123456</p>".into()),
            template_data: serde_json::Value::Null,
        },
        status: MessageStatus::Processing,
        send_count: 1,
        created_at: now,
        updated_at: now,
        expires_at: now,
    }
}

/// A minimal mail server that answers a recipient with `answer`, and the data that it received.
#[expect(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]
async fn server(answer: &'static str) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let received = Arc::new(Mutex::new(String::new()));
    let log = received.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 test\r\n").await.unwrap();
            let mut in_data = false;
            while let Ok(Some(line)) = lines.next_line().await {
                {
                    let mut log = log.lock().await;
                    log.push_str(&line);
                    log.push('\n');
                }
                let reply = match line.as_str() {
                    "." if in_data => {
                        in_data = false;
                        "250 taken\r\n".to_owned()
                    }
                    _ if in_data => continue,
                    line if line.starts_with("EHLO") => "250-test\r\n250 AUTH PLAIN\r\n".to_owned(),
                    line if line.starts_with("RCPT") => format!("{answer}\r\n"),
                    "DATA" => {
                        in_data = true;
                        "354 go on\r\n".to_owned()
                    }
                    "QUIT" => break,
                    line if line.starts_with("AUTH") => "235 welcome\r\n".to_owned(),
                    _ => "250 fine\r\n".to_owned(),
                };
                if write.write_all(reply.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    (port, received)
}

fn delivery(uri: String) -> Result<Option<SmtpDelivery>, SmtpConfigError> {
    trusting_delivery(uri, &TrustStore::bundled())
}

fn trusting_delivery(uri: String, trust: &TrustStore) -> Result<Option<SmtpDelivery>, SmtpConfigError> {
    let config = Smtp {
        connection_uri: Some(Secret::new(uri)),
        from_address: "no-reply@kleis.example".into(),
        from_name: "Kleis".into(),
        headers: [("X-TestServer".to_owned(), "kleis".to_owned())].into(),
        ..Smtp::default()
    };
    SmtpDelivery::new(&config, trust)
}

#[tokio::test]
async fn a_mail_arrives_with_both_texts_and_no_other_recipient() {
    let (port, received) = server("250 fine").await;
    let smtp = delivery(format!("smtp://user:p%40ss@127.0.0.1:{port}/?disable_starttls=true")).unwrap().unwrap();
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    assert_eq!(smtp.deliver(&message("ada@example.org"), now).await, Delivery::Done);
    let received = received.lock().await;
    for part in [
        "MAIL FROM:<no-reply@kleis.example>",
        "RCPT TO:<ada@example.org>",
        "From: Kleis <no-reply@kleis.example>",
        "X-TestServer: kleis",
        "Subject: Your code: 123456  Bcc: victim@example.org",
        "Message-ID: <00000000-0000-0000-0000-000000000000@kleis.example>",
        "Date: Fri, 15 Jan 2027 08:00:00 +0000",
        "Plain 123456",
        "Rich 123456",
        // "\0user\0p@ss"
        "AUTH PLAIN AHVzZXIAcEBzcw==",
    ] {
        assert!(received.contains(part), "{part} is missing in {received}");
    }
    assert!(!received.contains("\nBcc:"), "a line break does not add a header");
}

#[tokio::test]
async fn permanent_and_temporary_rejections_are_distinguished() {
    let now = Timestamp::EPOCH;
    let (port, _) = server("550 no such mailbox").await;
    let smtp = delivery(format!("smtp://127.0.0.1:{port}/?disable_starttls=true")).unwrap().unwrap();
    assert!(matches!(smtp.deliver(&message("ada@example.org"), now).await, Delivery::Impossible(_)));
    assert!(matches!(smtp.deliver(&message("no mail address"), now).await, Delivery::Impossible(_)));
    let (port, _) = server("451 later").await;
    let smtp = delivery(format!("smtp://127.0.0.1:{port}/?disable_starttls=true")).unwrap().unwrap();
    assert!(matches!(smtp.deliver(&message("ada@example.org"), now).await, Delivery::Failed(_)));
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_in_clear_text() {
    let (port, received) = server("250 fine").await;
    let smtp = delivery(format!("smtp://user:secret@127.0.0.1:{port}/")).unwrap().unwrap();
    let result = smtp.deliver(&message("ada@example.org"), Timestamp::EPOCH).await;
    assert!(matches!(result, Delivery::Failed(_) | Delivery::Impossible(_)), "{result:?}");
    let received = received.lock().await;
    assert!(!received.contains("AUTH") && !received.contains("RCPT"), "{received}");
}

#[tokio::test]
async fn flags_of_the_connection_uri_accept_the_spellings_of_go_only() {
    for spelling in ["1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"] {
        for flag in ["disable_starttls", "skip_ssl_verify"] {
            assert!(delivery(format!("smtp://mail.example.org/?{flag}={spelling}")).is_ok(), "{flag}={spelling}");
        }
    }
    let found = |uri: &str| web::config::parse_go_bool(uri);
    assert_eq!((found("1"), found("True"), found("F"), found("yes")), (Some(true), Some(true), Some(false), None));
    for wrong in ["yes", "tRUE", "", "2"] {
        let refused = delivery(format!("smtp://mail.example.org/?disable_starttls={wrong}"));
        assert!(matches!(refused, Err(SmtpConfigError::Flag("disable_starttls"))), "{wrong}");
    }
}

#[tokio::test]
async fn a_wrong_address_is_found_at_start() {
    assert!(matches!(delivery("http://x".into()), Err(SmtpConfigError::ConnectionUri)));
    assert!(matches!(delivery("smtp://".into()), Err(SmtpConfigError::ConnectionUri)));
    let header = Smtp {
        connection_uri: Some(Secret::new("smtp://127.0.0.1".into())),
        headers: [("X".to_owned(), "a\r\nb".to_owned())].into(),
        ..Smtp::default()
    };
    assert!(matches!(SmtpDelivery::new(&header, &TrustStore::bundled()), Err(SmtpConfigError::Header(_))));
    assert!(SmtpDelivery::new(&Smtp::default(), &TrustStore::bundled()).unwrap().is_none());
}
