//! What an application answers that refuses a login or a consent.

use serde::{Deserialize, Serialize};

/// Why an application turned the person away; the client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    #[serde(rename = "e")]
    pub error: String,
    #[serde(rename = "d")]
    pub description: String,
}

impl Rejection {
    /// Reads what an application said, in the characters that a client may be sent (RFC 6749 section 4.1.2.1). Without a
    /// name it is `access_denied`.
    pub fn new(error: &str, description: &str, hint: &str) -> Self {
        let name: String = error.chars().filter(|it| matches!(it, '!' | '#'..='[' | ']'..='~')).take(100).collect();
        let mut sentence = description.to_owned();
        if !hint.is_empty() {
            sentence = if sentence.is_empty() { hint.to_owned() } else { format!("{sentence} {hint}") };
        }
        let allowed = |character| match character {
            '"' => '\'',
            '\\' => '/',
            ' '..='~' => character,
            _ => '?',
        };
        Self {
            error: if name.is_empty() { "access_denied".to_owned() } else { name },
            description: sentence.chars().take(1_000).map(allowed).collect(),
        }
    }
}
