//! Response types and modes (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post Response Mode).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A complete response type: a set of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseTypes {
    pub code: bool,
    pub id_token: bool,
    pub token: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseTypeError {
    #[error("the response type is empty")]
    Empty,
    #[error("'{0}' is not a supported response type")]
    Unknown(String),
}

/// How the response parameters are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

impl ResponseTypes {
    pub fn parse(text: &str) -> Result<Self, ResponseTypeError> {
        let mut types = Self { code: false, id_token: false, token: false };
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word.to_ascii_lowercase().as_str() {
                "code" => types.code = true,
                "id_token" => types.id_token = true,
                "token" => types.token = true,
                _ => return Err(ResponseTypeError::Unknown(word.to_owned())),
            }
        }
        if types.code || types.id_token || types.token { Ok(types) } else { Err(ResponseTypeError::Empty) }
    }

    pub fn is_code_alone(self) -> bool {
        self.code && !self.id_token && !self.token
    }

    /// The default mode of the response type.
    pub fn default_mode(self) -> ResponseMode {
        if self.is_code_alone() { ResponseMode::Query } else { ResponseMode::Fragment }
    }

    /// Tokens are never sent in a query (Multiple Response Types section 3).
    pub fn allows_mode(self, mode: ResponseMode) -> bool {
        mode != ResponseMode::Query || self.is_code_alone()
    }
}

impl fmt::Display for ResponseTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.code, "code"), (self.id_token, "id_token"), (self.token, "token")];
        let mut separator = "";
        for (_, word) in words.into_iter().filter(|(present, _)| *present) {
            write!(f, "{separator}{word}")?;
            separator = " ";
        }
        Ok(())
    }
}

impl ResponseMode {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "query" => Self::Query,
            "fragment" => Self::Fragment,
            "form_post" => Self::FormPost,
            _ => return None,
        })
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_case_do_not_matter() {
        assert_eq!(ResponseTypes::parse("id_token code"), ResponseTypes::parse("CODE id_token"));
        assert_eq!(ResponseTypes::parse("token id_token code").unwrap().to_string(), "code id_token token");
        assert_eq!(ResponseTypes::parse(" "), Err(ResponseTypeError::Empty));
        assert_eq!(ResponseTypes::parse("none"), Err(ResponseTypeError::Unknown("none".to_owned())));
    }

    #[test]
    fn tokens_are_never_sent_in_a_query() {
        let hybrid = ResponseTypes::parse("code token").unwrap();
        assert_eq!(hybrid.default_mode(), ResponseMode::Fragment);
        assert!(!hybrid.allows_mode(ResponseMode::Query));
        assert!(ResponseTypes::parse("code").unwrap().allows_mode(ResponseMode::Query));
    }
}
