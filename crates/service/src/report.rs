//! What a service finds in its section: faults, which stop the start, and notices, which do not.

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is lost.
    Information,
    /// Something that the configuration asks for does not happen, or happens otherwise.
    Warning,
}

/// A key of the section, or nothing for the whole section, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub key: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub key: String,
    pub message: String,
    pub severity: Severity,
}

impl Notice {
    pub fn warning(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into(), severity: Severity::Warning }
    }
}

/// Collected while a service is built, so that one start reports everything.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub faults: Vec<Fault>,
    pub notices: Vec<Notice>,
}

impl Report {
    pub fn fault(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault { key: key.into(), message: message.into() });
    }

    /// A fault whose message begins with its key, if it concerns one.
    pub fn error(&mut self, error: &(dyn std::error::Error + 'static)) {
        let text = base::causes::chain(error);
        let is_key = |key: &str| {
            key.contains('.')
                && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '_')
        };
        match text.split_once(": ").filter(|(key, _)| is_key(key)) {
            Some((key, message)) => self.fault(key, message),
            None => self.fault("", text),
        }
    }

    pub fn warn(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.notices.push(Notice::warning(key, message));
    }
}
