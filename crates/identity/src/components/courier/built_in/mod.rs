//! The built-in messages: the texts of one language in one layout, with the product's name, logo and colours.
//!
//! Invariants: the HTML part loads nothing from other hosts except a logo that the configuration names by an absolute
//! URL. The template escapes every value for HTML. The text part is plain text.

use askama::Template;
use serde_json::Value;
use ui::{Brand, Language, Sentence};

use super::part::Part;
use super::texts::{Text, Texts};
use crate::domain::message_queue::TemplateType;

/// The HTML part.
#[derive(Template)]
#[template(path = "components/courier/mail.html")]
struct Mail<'a> {
    language: Language,
    texts: &'static Texts,
    brand: &'a Brand,
    subject: String,
    heading: String,
    lead: String,
    code: Option<&'a str>,
    link: Option<&'a str>,
    button: String,
    closing: Vec<String>,
    sent_by: String,
}

/// The data of a message, before it is rendered.
pub(super) struct BuiltIn<'a> {
    pub kind: TemplateType,
    pub language: Language,
    pub brand: &'a Brand,
    /// Snake case keys.
    pub data: &'a Value,
}

impl<'a> BuiltIn<'a> {
    pub(super) fn part(&self, part: Part) -> String {
        match part {
            Part::Subject => self.fill(self.text().subject),
            Part::PlainText => self.plain(),
            Part::Html => self.html(),
            Part::TextMessage => self.text_message(),
        }
    }

    fn text(&self) -> Text {
        Text::of(self.language, self.kind)
    }

    fn texts(&self) -> &'static Texts {
        Texts::of(self.language)
    }

    fn button(&self) -> String {
        self.text().button.map(|text| self.fill(text)).unwrap_or_default()
    }

    fn plain(&self) -> String {
        let mut paragraphs = vec![self.fill(self.text().lead)];
        match (self.code(), self.link()) {
            (Some(code), link) => {
                paragraphs.push(format!("    {code}"));
                paragraphs.extend(link.map(|link| format!("{}:\n{link}", self.button())));
            }
            (None, Some(link)) => paragraphs.push(link.to_owned()),
            (None, None) => {}
        }
        paragraphs.extend(self.closing());
        paragraphs.push(self.fill(self.texts().sent_by));
        paragraphs.join("\n\n") + "\n"
    }

    fn html(&self) -> String {
        let mail = Mail {
            language: self.language,
            texts: self.texts(),
            brand: self.brand,
            subject: self.fill(self.text().subject),
            heading: self.fill(self.text().heading),
            lead: self.fill(self.text().lead),
            code: self.code(),
            link: self.link(),
            button: self.button(),
            closing: self.closing(),
            sent_by: self.fill(self.texts().sent_by),
        };
        // Rendering fails only when the formatting of a value fails.
        mail.render().unwrap_or_default()
    }

    fn text_message(&self) -> String {
        let text = self.text();
        let mut lines = vec![text.short.map(|text| self.fill(text)).unwrap_or_default()];
        if let Some(code) = self.code() {
            lines.push(self.fill(self.texts().short_validity));
            // The last line lets the browser autofill the code (WICG "Origin-bound one-time codes").
            lines.extend(self.domain().map(|domain| format!("@{domain} #{code}")));
        } else if self.kind != TemplateType::RegistrationTaken {
            lines.extend(text.advice.map(|advice| self.fill(advice)));
        }
        lines.join("\n\n")
    }

    fn closing(&self) -> Vec<String> {
        let texts = self.texts();
        let closing = match self.kind {
            TemplateType::RecoveryValid | TemplateType::VerificationValid => {
                [Some(texts.link_validity), Some(Sentence::Fixed(texts.ignore_link))]
            }
            TemplateType::RecoveryCodeValid
            | TemplateType::VerificationCodeValid
            | TemplateType::LoginCodeValid
            | TemplateType::RegistrationCodeValid => {
                [Some(texts.code_validity), Some(Sentence::Fixed(texts.ignore_code))]
            }
            TemplateType::RecoveryInvalid
            | TemplateType::RecoveryCodeInvalid
            | TemplateType::VerificationInvalid
            | TemplateType::VerificationCodeInvalid => [None, Some(Sentence::Fixed(texts.ignore))],
            TemplateType::VerifiableAddressChanged
            | TemplateType::AuthenticatorKeyAdded
            | TemplateType::RegistrationTaken => [self.at().map(|_| texts.at), self.text().advice],
        };
        closing.into_iter().flatten().map(|text| self.fill(text)).collect()
    }

    fn code(&self) -> Option<&'a str> {
        self.value(match self.kind {
            TemplateType::RecoveryCodeValid => "recovery_code",
            TemplateType::VerificationCodeValid => "verification_code",
            TemplateType::LoginCodeValid => "login_code",
            TemplateType::RegistrationCodeValid => "registration_code",
            _ => return None,
        })
    }

    fn link(&self) -> Option<&'a str> {
        let link = self.value(match self.kind {
            TemplateType::RecoveryValid | TemplateType::RecoveryCodeValid => "recovery_url",
            TemplateType::VerificationValid | TemplateType::VerificationCodeValid => "verification_url",
            _ => return None,
        });
        link.filter(|link| link.starts_with("https://") || link.starts_with("http://"))
    }

    fn at(&self) -> Option<&'a str> {
        self.value("changed_at").or_else(|| self.value("added_at"))
    }

    fn domain(&self) -> Option<String> {
        let url = url::Url::parse(self.value("request_url")?).ok()?;
        url.host_str().map(str::to_owned)
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.data.get(key).and_then(Value::as_str)
    }

    /// The text with the values of the message. An absent value becomes an empty string.
    fn fill(&self, text: Sentence) -> String {
        let minutes = self.data.get("expires_in_minutes").and_then(Value::as_u64);
        text.with([
            ("code", self.code().unwrap_or_default().into()),
            ("to", self.value("to").unwrap_or_default().into()),
            ("minutes", minutes.map_or_else(|| "".into(), Into::into)),
            ("at", self.at().unwrap_or_default().into()),
            ("product", self.brand.product_name.as_str().into()),
        ])
    }
}

#[cfg(test)]
mod tests;
