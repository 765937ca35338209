//! Messages with values that people entered: rendering never panics, and in HTML the values stay text.
#![no_main]

use std::sync::LazyLock;

use base::Locale;
use identity::components::courier::{Template, Templates};
use identity::config::Courier;
use identity::domain::Via;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| {
    let ui = ui::Ui::new(ui::Config::default()).expect("the default layout");
    Templates::new(&Courier::default(), ui)
});

fuzz_target!(|text: &str| {
    for kind in Template::ALL.iter().copied() {
        let data = json!({
            "to": text, "verification_code": text, "recovery_code": text, "registration_code": text, "login_code": text,
            "identity": { "traits": { "email": text, "name": text } }, "transient_payload": { "a": text },
            "request_url": text, "verification_url": text, "expires_in_minutes": 15,
        });
        let content = TEMPLATES.render(kind, Via::Email, Locale::ENGLISH, data.clone());
        assert!(!content.subject.contains(['\r', '\n']), "{text:?}");
        let html = content.html_body.unwrap_or_default();
        if text.contains("<script") {
            assert!(!html.contains("<script"), "{html}");
        }
        let _ = TEMPLATES.render(kind, Via::Sms, Locale::ENGLISH, data);
    }
});
