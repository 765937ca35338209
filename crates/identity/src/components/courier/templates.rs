//! Message templates: those that the configuration names individually, those in an operator's folder, and the built-in
//! messages. Operators write templates in the language of Go's `text/template` and `html/template`. HTML is escaped
//! according to its context.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Locale;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use go_templates::{HtmlTemplate, TemplateError, TextTemplate, value_of};
use serde_json::{Map, Value};
use ui::{Brand, Ui};
use web::regular_files;

use super::built_in::BuiltIn;
use super::part::Part;
use crate::config;
use crate::domain::Via;
use crate::domain::message_queue::{Content, TemplateType};

/// The maximum number of loop iterations in a template.
const MAX_ITERATIONS: u64 = 10_000;

/// The sources of the texts.
#[derive(Clone, Debug)]
pub struct Templates {
    ui: Ui,
    brand: Brand,
    override_path: Option<PathBuf>,
    /// Texts from the configuration, by folder and file name.
    configured: BTreeMap<(String, &'static str), String>,
    /// Keys of texts that could not be read, each with the reason.
    unread: Vec<(String, String)>,
}

impl Templates {
    /// Reads the configured templates. The built-in text replaces a template that cannot be read. Templates behind HTTP are
    /// not read: mail must not depend on another server.
    pub fn new(config: &config::Courier, ui: Ui) -> Self {
        let (mut configured, mut unread) = (BTreeMap::new(), Vec::new());
        for kind in TemplateType::ALL {
            let (name, state) = kind.folder().split_once('/').unwrap_or((kind.folder(), ""));
            let Some(sources) = config.templates.get(name) else { continue };
            for part in [Part::Subject, Part::PlainText, Part::Html, Part::TextMessage] {
                let pointer = if state.is_empty() { part.key().to_owned() } else { format!("/{state}{}", part.key()) };
                let Some(url) = sources.0.pointer(&pointer).and_then(Value::as_str) else { continue };
                match read(url) {
                    Ok(text) => drop(configured.insert((kind.folder().to_owned(), part.file()), text)),
                    Err(problem) => {
                        let key = format!("courier.templates.{name}{}", pointer.replace('/', "."));
                        unread.push((key, problem));
                    }
                }
            }
        }
        let override_path = config.template_override_path.as_ref().map(PathBuf::from);
        Self { brand: ui.brand(), ui, override_path, configured, unread }
    }

    /// Keys of texts that could not be read, each with the reason.
    pub fn unread(&self) -> &[(String, String)] {
        &self.unread
    }

    /// Renders a message in the language of `locale`. `data` has snake case keys.
    pub fn render(&self, kind: TemplateType, via: Via, locale: Locale, data: Value) -> Content {
        let model = model(&data);
        let language = self.ui.language(locale);
        let part = |part| {
            let built_in = || BuiltIn { kind, language, brand: &self.brand, data: &data }.part(part);
            self.operators_part(kind, part, &model).unwrap_or_else(built_in)
        };
        let (subject, body, html_body) = match via {
            Via::Email => (one_line(&part(Part::Subject)), part(Part::PlainText), Some(part(Part::Html))),
            Via::Sms => (String::new(), part(Part::TextMessage).trim().to_owned(), None),
        };
        Content { subject, body, html_body, template_data: data }
    }

    /// The rendered template of the operator; `None` without one, or when it fails.
    fn operators_part(&self, kind: TemplateType, part: Part, model: &Value) -> Option<String> {
        if let Some(own) = self.configured.get(&(kind.folder().to_owned(), part.file())) {
            match execute(part, own, &[], model) {
                Ok(text) => return Some(text),
                Err(error) => log_failure(kind, part, &error),
            }
        }
        let folder = self.override_path.as_ref()?.join(kind.folder());
        let own = regular_files::read_to_string(&folder.join(part.file())).ok()?;
        let outcome = execute(part, &own, &siblings(&folder, part), model);
        outcome.map_err(|error| log_failure(kind, part, &error)).ok()
    }
}

/// A subject is one line, whatever its template produces.
fn one_line(text: &str) -> String {
    text.trim().replace(|c: char| c.is_control(), " ")
}

fn log_failure(kind: TemplateType, part: Part, error: &TemplateError) {
    tracing::error!(template = kind.as_str(), file = part.file(), %error, "a message template failed");
}

fn execute(part: Part, text: &str, siblings: &[String], model: &Value) -> Result<String, TemplateError> {
    let model = as_in_go(model);
    let texts = || siblings.iter().map(String::as_str).chain([text]);
    if part == Part::Html {
        let template = HtmlTemplate::new(part.file(), MAX_ITERATIONS);
        return texts().try_fold(template, HtmlTemplate::parse)?.render(&model);
    }
    let template = TextTemplate::new(part.file(), MAX_ITERATIONS);
    texts().try_fold(template, TextTemplate::parse)?.render(&model)
}

/// The model as Go represents it: integers in its own fields, and floats in values that were read from JSON.
fn as_in_go(model: &Value) -> go_templates::Value {
    let field = |value: &Value| match value.as_i64() {
        Some(number) => go_templates::Value::Int(number),
        None => value_of(value),
    };
    let fields = model.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| (Arc::from(name.as_str()), field(value)));
    go_templates::Value::Map(Arc::new(fields.collect()))
}

/// Files beside an operator's template with the same prefix. They hold `{{define}}` blocks, for instance one per language.
fn siblings(folder: &Path, part: Part) -> Vec<String> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let known = [Part::Subject, Part::PlainText, Part::Html, Part::TextMessage];
            name.starts_with(part.siblings()) && !known.iter().any(|part| part.file() == name)
        })
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| regular_files::read_to_string(path).ok()).collect()
}

/// The fields under the names that templates use, and numbers as Go reads them from JSON.
fn model(data: &Value) -> Value {
    let mut model = Map::new();
    for (key, value) in data.as_object().into_iter().flatten() {
        model.insert(field_name(key), value.clone());
    }
    let domain = data
        .get("request_url")
        .and_then(Value::as_str)
        .and_then(|url| url::Url::parse(url).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    model.entry("RequestURLDomain").or_insert_with(|| domain.map_or(Value::Null, Value::String));
    Value::Object(model)
}

/// `recovery_url` becomes `RecoveryURL`, `oauth2_login_request` becomes `OAuth2LoginRequest`.
fn field_name(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for word in key.split('_') {
        match word {
            "url" => name.push_str("URL"),
            "id" => name.push_str("ID"),
            "oauth2" => name.push_str("OAuth2"),
            _ => {
                let mut letters = word.chars();
                name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                name.push_str(letters.as_str());
            }
        }
    }
    name
}

fn read(url: &str) -> Result<String, String> {
    if let Some(text) = url.strip_prefix("base64://") {
        let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
        return String::from_utf8(bytes).map_err(|error| error.to_string());
    }
    match url.strip_prefix("file://") {
        Some(path) => regular_files::read_to_string(Path::new(path)).map_err(|error| error.to_string()),
        None => Err("only file:// and base64:// are supported: mail must not depend on another server".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn built_in_ui() -> Ui {
        Ui::new(ui::Config::default()).unwrap()
    }

    fn english(config: &config::Courier) -> Content {
        let templates = Templates::new(config, built_in_ui());
        templates.render(TemplateType::RecoveryCodeValid, Via::Email, Locale::ENGLISH, data())
    }

    fn templates() -> Templates {
        Templates::new(&config::Courier::default(), built_in_ui())
    }

    #[test]
    fn a_subject_is_one_line() {
        let mut data = data();
        data["recovery_code"] = json!("1\r\nBcc: mallory@example.org");
        for kind in TemplateType::ALL {
            let subject = templates().render(*kind, Via::Email, Locale::ENGLISH, data.clone()).subject;
            assert!(!subject.contains(char::is_control), "{subject:?}");
        }
    }

    fn data() -> Value {
        json!({
            "to": "a@example.org", "recovery_code": "123456", "verification_code": "123456", "login_code": "123456",
            "registration_code": "123456", "recovery_url": "https://x.example/r?a=1&b=2",
            "verification_url": "https://x.example/v?a=1&b=2", "expires_in_minutes": 60,
            "request_url": "https://x.example/self-service",
            "identity": {"id": "1", "traits": {"name": "<b>Bob</b>"}},
        })
    }

    #[test]
    fn every_built_in_template_renders_without_a_gap() {
        for kind in TemplateType::ALL {
            let mail = templates().render(*kind, Via::Email, Locale::ENGLISH, data());
            let html = mail.html_body.unwrap();
            assert!(!mail.subject.is_empty() && !mail.body.is_empty() && html.contains("</html>"), "{kind:?}");
            for text in [&mail.subject, &mail.body, &html] {
                assert!(!text.contains("no value") && !text.contains("{{"), "{kind:?}: {text}");
            }
            let is_code = kind.as_str().contains("code_valid");
            assert_eq!(mail.body.contains("123456"), is_code, "{kind:?}");
            assert_eq!(html.contains("123456"), is_code, "{kind:?}");
            if is_code {
                let text = templates().render(*kind, Via::Sms, Locale::ENGLISH, data());
                assert!(text.body.contains("@x.example #123456"), "{}", text.body);
                assert!(mail.body.contains("60 minutes"), "{}", mail.body);
            }
        }
    }

    #[test]
    fn an_operators_template_is_used_unless_it_is_broken() {
        let folder = std::env::temp_dir().join(format!("kleis-templates-{}", std::process::id()));
        let own = folder.join("recovery_code/valid");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("email.subject.gotmpl"), "  {{ upper \"code\" }} {{ .RecoveryCode }} ").unwrap();
        std::fs::write(own.join("email.body.gotmpl"), "<p>{{ template \"hello\" . }}</p>").unwrap();
        std::fs::write(
            own.join("email.body.hello.gotmpl"),
            "{{ define \"hello\" }}Hello {{ .Identity.traits.name }}{{ end }}",
        )
        .unwrap();
        std::fs::write(own.join("email.body.plaintext.gotmpl"), "{{ .Broken ").unwrap();
        let config = config::Courier {
            template_override_path: Some(folder.display().to_string()),
            ..config::Courier::default()
        };
        let mail = english(&config);
        assert_eq!(mail.subject, "CODE 123456");
        assert_eq!(mail.html_body.unwrap(), "<p>Hello &lt;b&gt;Bob&lt;/b&gt;</p>");
        assert!(mail.body.contains("123456"), "the built-in text is used: {}", mail.body);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_configured_template_takes_precedence() {
        let subject = format!("base64://{}", STANDARD.encode("Hi {{ .To }}"));
        let config: config::Courier = serde_json::from_value(json!({
            "templates": {"recovery_code": {"valid": {"email": {"subject": subject, "body": {}}}}}
        }))
        .unwrap();
        let mail = english(&config);
        assert_eq!(mail.subject, "Hi a@example.org");
        let config: config::Courier = serde_json::from_value(json!({
            "templates": {"verifiable_address_changed": {"email": {"subject": "https://example.org/x"}}}
        }))
        .unwrap();
        let key = "courier.templates.verifiable_address_changed.email.subject";
        assert!(matches!(Templates::new(&config, built_in_ui()).unread(), [(at, _)] if at == key), "{config:?}");
    }

    #[test]
    fn the_built_in_text_replaces_a_template_that_cannot_be_read() {
        let config: config::Courier = serde_json::from_value(json!({
            "templates": {"recovery_code": {"valid": {"email": {"subject": "file:///nowhere/subject", "body": {}}}}}
        }))
        .unwrap();
        let templates = Templates::new(&config, built_in_ui());
        assert_eq!(templates.unread()[0].0, "courier.templates.recovery_code.valid.email.subject");
        assert_eq!(english(&config).subject, english(&config::Courier::default()).subject);
    }

    #[test]
    fn an_operators_template_receives_the_locale() {
        let subject =
            format!("base64://{}", STANDARD.encode("{{ if eq .Locale \"fr\" }}Votre code{{ else }}Code{{ end }}"));
        let config: config::Courier = serde_json::from_value(json!({
            "templates": {"recovery_code": {"valid": {"email": {"subject": subject}}}}
        }))
        .unwrap();
        let mut french = data();
        french["locale"] = json!("fr");
        let locale = Locale::from_tag("fr").unwrap();
        let templates = Templates::new(&config, built_in_ui());
        let mail = templates.render(TemplateType::RecoveryCodeValid, Via::Email, locale, french);
        assert_eq!(mail.subject, "Votre code");
        assert!(mail.body.starts_with("Enter this code"), "there are no built-in texts in French: {}", mail.body);
    }

    #[test]
    fn an_operators_template_prints_as_go_does() {
        let mut data = data();
        data["transient_payload"] = json!({"n": 12_345_678, "list": ["a", "b"], "name": "Jean-Luc O'Neil"});
        for (template, expected) in [
            ("{{ .ExpiresInMinutes }} {{ add .ExpiresInMinutes 1 }} {{ eq .ExpiresInMinutes 60 }}", "60 61 true"),
            ("{{ .TransientPayload.n }} {{ int .TransientPayload.n }}", "1.2345678e+07 12345678"),
            ("{{ splitList \"\" \"xyz\" | join \"|\" }} {{ splitList \",\" \"\" | len }}", "x|y|z 1"),
            ("{{ untitle \"Hello Big-World\" }}", "hello big-World"),
            ("{{ title .TransientPayload.name }}", "Jean-Luc O'Neil"),
            ("{{ .TransientPayload.list | toJson | quote }}", "\"[\\\"a\\\",\\\"b\\\"]\""),
            ("{{ coalesce \"\" nil | toString }}", "<nil>"),
        ] {
            let encoded = format!("base64://{}", STANDARD.encode(template));
            let config: config::Courier = serde_json::from_value(json!({
                "templates": {"recovery_code": {"valid": {"email": {"body": {"plaintext": encoded}}}}}
            }))
            .unwrap();
            let mail = Templates::new(&config, built_in_ui());
            let mail = mail.render(TemplateType::RecoveryCodeValid, Via::Email, Locale::ENGLISH, data.clone());
            assert_eq!(mail.body, expected, "{template}");
        }
    }

    #[test]
    fn field_names_are_those_of_the_go_models() {
        for (key, field) in [
            ("to", "To"),
            ("recovery_url", "RecoveryURL"),
            ("request_url_domain", "RequestURLDomain"),
            ("oauth2_login_request", "OAuth2LoginRequest"),
            ("expires_in_minutes", "ExpiresInMinutes"),
            ("locale", "Locale"),
            ("transient_payload", "TransientPayload"),
        ] {
            assert_eq!(field_name(key), field);
        }
    }
}
