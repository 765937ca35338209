//! A message above a form. Screen readers read an error at once (`role="alert"`) and other messages after the current text
//! (`role="status"`, WCAG 4.1.3).

use askama::Template;

use crate::{MessageKind, PageLink};

#[derive(Clone, Debug, Template)]
#[template(path = "components/alert.html")]
pub struct Alert {
    pub kind: MessageKind,
    pub text: String,
    /// What to do about it.
    pub link: Option<PageLink>,
}

impl Alert {
    pub fn new(kind: MessageKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), link: None }
    }

    #[must_use]
    pub fn linking(mut self, link: PageLink) -> Self {
        self.link = Some(link);
        self
    }
}
