//! The parts of a message, and the files of their templates.

/// One part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Subject,
    PlainText,
    Html,
    TextMessage,
}

impl Part {
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Subject => "email.subject.gotmpl",
            Self::PlainText => "email.body.plaintext.gotmpl",
            Self::Html => "email.body.gotmpl",
            Self::TextMessage => "sms.body.gotmpl",
        }
    }

    /// The path of the part in the configuration, below the template.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Subject => "/email/subject",
            Self::PlainText => "/email/body/plaintext",
            Self::Html => "/email/body/html",
            Self::TextMessage => "/sms/body/plaintext",
        }
    }

    /// The prefix of the files whose `{{define}}` blocks this part may use.
    pub(super) const fn siblings(self) -> &'static str {
        match self {
            Self::Subject => "email.subject",
            Self::PlainText => "email.body.plaintext",
            Self::Html => "email.body",
            Self::TextMessage => "sms.body",
        }
    }
}
