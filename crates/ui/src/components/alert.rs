//! A message above a form. Errors interrupt a screen reader (`role="alert"`), the rest waits its turn
//! (`role="status"`, WCAG 4.1.3).

use askama::Template;

use crate::MessageKind;

#[derive(Clone, Debug, Template)]
#[template(path = "components/alert.html")]
pub struct Alert {
    pub kind: MessageKind,
    pub text: String,
}

impl Alert {
    pub fn new(kind: MessageKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}
