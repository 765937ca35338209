//! The findings of a service about its section: faults, which stop the start, and notices, which do not.

/// The severity of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is lost.
    Information,
    /// A configured feature has no effect or another one.
    Warning,
    /// The service starts, but a part of it does not work until this is corrected.
    Failure,
}

/// A fault of a key of the section, or of the whole section.
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

    pub fn failure(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Failure, ..Self::warning(key, message) }
    }
}

/// Collects the findings of a service while it is built, so that one start reports everything.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub faults: Vec<Fault>,
    pub notices: Vec<Notice>,
}

impl Report {
    pub fn fault(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault { key: key.into(), message: message.into() });
    }

    /// Adds a fault whose message begins with its key, if it concerns one.
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

    /// Adds a notice of what is as it should be.
    pub fn inform(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.notices.push(Notice { severity: Severity::Information, ..Notice::warning(key, message) });
    }

    /// Adds a notice of a part that does not work. A fault would stop the start.
    pub fn fail(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.notices.push(Notice::failure(key, message));
    }
}
