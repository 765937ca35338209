//! What `kleis doctor` says about a service.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// It works, and will surprise somebody.
    Warning,
    /// It will not work, or not safely.
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What it is about, in one word: `cookies`, `mail`.
    pub subject: &'static str,
    pub verdict: Verdict,
    pub explanation: String,
}

impl Diagnosis {
    pub fn new(subject: &'static str, verdict: Verdict, explanation: impl Into<String>) -> Self {
        Self { subject, verdict, explanation: explanation.into() }
    }
}

/// What a service looks at.
pub struct Examined<'a> {
    pub section: &'a Value,
    /// Whether anything is configured.
    pub is_configured: bool,
    /// The names of the services of this process.
    pub running: &'a [&'static str],
}

/// A look at a section. It may connect to what the section names, and changes nothing.
pub type Diagnosing<'a> = Pin<Box<dyn Future<Output = Vec<Diagnosis>> + Send + 'a>>;
