//! The findings of `kleis doctor` about a service.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// It works, but has consequences that may be unexpected.
    Warning,
    /// It does not work, or not safely.
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The subject in one word: `cookies`, `mail`.
    pub subject: &'static str,
    pub verdict: Verdict,
    pub explanation: String,
}

impl Diagnosis {
    pub fn new(subject: &'static str, verdict: Verdict, explanation: impl Into<String>) -> Self {
        Self { subject, verdict, explanation: explanation.into() }
    }
}

/// The input of a diagnosis.
pub struct Examined<'a> {
    pub section: &'a Value,
    /// Whether anything is configured.
    pub is_configured: bool,
    /// The names of the services of this process.
    pub running: &'a [&'static str],
}

/// Examines a section. It may connect to the configured servers, and changes nothing.
pub type Diagnosing<'a> = Pin<Box<dyn Future<Output = Vec<Diagnosis>> + Send + 'a>>;
