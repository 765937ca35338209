//! The response of an application that rejects a login or a consent.

use serde::{Deserialize, Serialize};

/// Why an application rejected the request, for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    #[serde(rename = "e")]
    pub error: String,
    #[serde(rename = "d")]
    pub description: String,
}

impl Rejection {
    /// Reads an application's error, restricted to the characters that may be sent to a client (RFC 6749 section 4.1.2.1).
    /// The default is `access_denied`.
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
