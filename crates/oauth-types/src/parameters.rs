//! Request parameters: a query or a form (RFC 6749 section 3.1 and appendix B).
//!
//! A parameter occurs once; one without a value counts as left out. `audience` and `resource` are lists by their own
//! definitions (RFC 8707 section 2) and may occur more often.

use std::borrow::Cow;

const LISTS: [&str; 2] = ["audience", "resource"];

/// Decoded parameters, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    #[error("parameter '{0}' must not be repeated")]
    Repeated(String),
    #[error("parameter '{0}' is required")]
    Missing(&'static str),
    /// No value of ours has one, and PostgreSQL cannot store it.
    #[error("parameter '{0}' must not hold the character U+0000")]
    Zero(String),
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text.
    pub fn parse(encoded: &[u8]) -> Result<Self, ParameterError> {
        Self::from_pairs(url::form_urlencoded::parse(encoded))
    }

    /// Reads a query and a form together: together, too, they name each parameter once.
    pub fn parse_both(query: &[u8], form: &[u8]) -> Result<Self, ParameterError> {
        Self::from_pairs(url::form_urlencoded::parse(query).chain(url::form_urlencoded::parse(form)))
    }

    fn from_pairs<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<Self, ParameterError> {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            // RFC 6749 section 3.1: parameters sent without a value are treated as if they were left out.
            if value.is_empty() {
                continue;
            }
            if name.contains('\0') || value.contains('\0') {
                return Err(ParameterError::Zero(name.replace('\0', "\u{fffd}")));
            }
            if !LISTS.contains(&name.as_ref()) && parameters.get(&name).is_some() {
                return Err(ParameterError::Repeated(name.into_owned()));
            }
            parameters.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(parameters)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub fn require(&self, name: &'static str) -> Result<&str, ParameterError> {
        self.get(name).ok_or(ParameterError::Missing(name))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of `audience`: repeated, or one value with spaces.
    pub fn audience(&self) -> Vec<String> {
        let values: Vec<_> = self.iter().filter(|(name, _)| *name == "audience").map(|(_, value)| value).collect();
        let mut audience: Vec<String> = Vec::new();
        for value in values.iter().flat_map(|value| value.split(' ')).filter(|value| !value.is_empty()) {
            if !audience.iter().any(|it| it == value) {
                audience.push(value.to_owned());
            }
        }
        audience
    }

    /// The same parameters as form text, in the order in which they came.
    pub fn to_query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_repeated_parameter_is_named() {
        assert_eq!(Parameters::parse(b"a=1&a=1"), Err(ParameterError::Repeated("a".to_owned())));
        assert_eq!(Parameters::parse_both(b"a=1", b"a=2"), Err(ParameterError::Repeated("a".to_owned())));
        assert!(Parameters::parse(b"a=&a=1").is_ok());
    }

    #[test]
    fn a_zero_is_refused_by_the_name_of_its_parameter() {
        assert_eq!(Parameters::parse(b"a=1&b=x%00y"), Err(ParameterError::Zero("b".to_owned())));
        assert_eq!(Parameters::parse(b"%00=1"), Err(ParameterError::Zero("\u{fffd}".to_owned())));
    }

    #[test]
    fn audience_is_a_list_in_either_spelling() {
        let parameters =
            Parameters::parse(b"audience=https://a+https://b&audience=https://c&audience=https://a").unwrap();
        assert_eq!(parameters.audience(), ["https://a", "https://b", "https://c"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(parameters) = Parameters::parse(&bytes) {
                prop_assert_eq!(Parameters::parse(parameters.to_query().as_bytes()).unwrap(), parameters);
            }
        }
    }
}
