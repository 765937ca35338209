use std::sync::{Arc, Mutex};

use base::{ManualClock, Timestamp};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{LogLayer, Sink};
use crate::{LogConfig, LogFormat, Redaction, ServiceName};

fn lines_of(format: LogFormat, log: impl FnOnce()) -> String {
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink = Sink::new({
        let written = written.clone();
        move |line| written.lock().unwrap().extend_from_slice(line)
    });
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000)).clock();
    let service = ServiceName { name: "kleis", version: "1.2.3" };
    let redaction = Arc::new(Redaction::new(&LogConfig::default()));
    let layer = LogLayer::new(service, format, redaction, clock, sink);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    String::from_utf8(written.lock().unwrap().clone()).unwrap()
}

fn a_request() {
    let span = tracing::info_span!("request", request_id = "r1", http_response.status = tracing::field::Empty);
    let _inside = span.enter();
    span.record("http_response.status", 200);
    tracing::info!(
        http_request.path = "/sessions/whoami",
        http_request.query = "token=planted",
        took = 0.5,
        "answered"
    );
}

#[test]
fn json_lines_nest_dotted_names_and_contain_the_fields_of_their_spans() {
    let line: Value = serde_json::from_str(&lines_of(LogFormat::Json, a_request)).unwrap();
    assert_eq!(
        line,
        json!({
            "time": "2027-01-15T08:00:00Z", "level": "info", "msg": "answered", "audience": "application",
            "service_name": "kleis", "service_version": "1.2.3", "target": "telemetry::logs::tests",
            "http_request": {"path": "/sessions/whoami", "query": "[redacted; log.leak_sensitive_values shows it]"},
            "http_response": {"status": 200}, "took": 0.5, "request_id": "r1",
        })
    );
}

#[test]
fn text_lines_cannot_be_forged_from_inside_a_value() {
    let text = lines_of(LogFormat::Text, || tracing::warn!(name = "a\nb=c", "first\nsecond \u{1b}[31m"));
    assert_eq!(text, "2027-01-15T08:00:00Z WARN  first\\nsecond \\u{1b}[31m name=\"a\\nb=c\"\n");
}

#[test]
fn invisible_characters_of_a_value_are_written_out() {
    let text =
        lines_of(LogFormat::Text, || tracing::warn!(url = "a\u{85}b\u{2028}c\u{202e}d\u{200b}", plain = "é", "seen"));
    assert!(text.ends_with("seen url=\"a\\u{85}b\\u{2028}c\\u{202e}d\\u{200b}\" plain=é\n"), "{text}");
}

#[test]
fn errors_are_written_with_their_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("the page cannot be read")]
    struct Outer(#[source] std::io::Error);

    let error = Outer(std::io::Error::other("disk on fire"));
    let text = lines_of(LogFormat::Text, || {
        tracing::error!(error = &error as &(dyn std::error::Error + 'static), "failed");
    });
    assert!(text.ends_with("failed error=\"the page cannot be read: disk on fire\"\n"), "{text}");
}

#[test]
fn gelf_names_extra_fields_with_an_underscore() {
    let line: Value = serde_json::from_str(&lines_of(LogFormat::Gelf, a_request)).unwrap();
    assert_eq!(line["version"], "1.1");
    assert_eq!(line["short_message"], "answered");
    assert_eq!(line["level"], 6);
    assert_eq!(line["_http_response.status"], 200);
}
