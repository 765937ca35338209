//! The context of a flow's page besides its form: links, rules for a new password, the client, the code that is awaited.

use crate::{OutsideText, Strings};

/// The context of a page besides the form of its flow.
#[derive(Clone, Debug, Default)]
pub struct FlowContext {
    /// The links to other pages, below the forms.
    pub links: Vec<PageLink>,
    /// The recovery page for people who forgot their password: beside the field of the password, or below the forms without one.
    pub forgot_password: Option<String>,
    /// The start of a sign-in for another account, when an earlier step asked for the account.
    pub another_account: Option<String>,
    /// The rules for a new password.
    pub password_rules: Option<PasswordRules>,
    /// The name of the client that the person signs in for. The client chose the name, so it proves nothing, and the page
    /// only repeats it; the logo of the client is not loaded, because the request would reveal to a third party who signs in.
    pub client: Option<OutsideText>,
    /// Present when the flow waits for a code.
    pub code: Option<CodeContext>,
}

/// The context of a page that asks for a code.
#[derive(Clone, Debug, Default)]
pub struct CodeContext {
    /// The address as it was entered.
    pub sent_to: Option<OutsideText>,
    /// The page on which another address can be entered.
    pub wrong_address: Option<String>,
    /// Seconds until another code can be requested. A script counts them down; without it the button is enabled at once, and
    /// the service applies its limit.
    pub resend_wait: u32,
}

/// The rules for a new password, as the service checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    pub min_length: usize,
    pub unlike_identifier: bool,
    pub not_breached: bool,
}

impl PasswordRules {
    pub(crate) fn words(self, strings: &'static Strings) -> String {
        let length = strings.password_min_length(self.min_length);
        let others = [
            self.unlike_identifier.then_some(strings.password_unlike_identifier),
            self.not_breached.then_some(strings.password_not_breached),
        ];
        others.into_iter().flatten().fold(length, |all, rule| format!("{all} {rule}"))
    }
}

/// A link to another page, below the forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLink {
    /// The text before the link, for instance a question.
    pub question: Option<&'static str>,
    pub label: &'static str,
    pub href: String,
}

impl PageLink {
    pub fn new(label: &'static str, href: impl Into<String>) -> Self {
        Self { question: None, label, href: href.into() }
    }

    #[must_use]
    pub fn asking(mut self, question: &'static str) -> Self {
        self.question = Some(question);
        self
    }
}
