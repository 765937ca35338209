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

    /// Where the configuration names it, below the template.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Subject => "/email/subject",
            Self::PlainText => "/email/body/plaintext",
            Self::Html => "/email/body/html",
            Self::TextMessage => "/sms/body/plaintext",
        }
    }

    /// Which other services may define what this part uses.
    pub(super) const fn siblings(self) -> &'static str {
        match self {
            Self::Subject => "email.subject",
            Self::PlainText => "email.body.plaintext",
            Self::Html => "email.body",
            Self::TextMessage => "sms.body",
        }
    }
}
