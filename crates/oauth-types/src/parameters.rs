//! Request parameters: a query or a form (RFC 6749 section 3.1 and appendix B).
//!
//! A parameter may occur once; an empty value counts as absent. `audience` and `resource` are defined as lists (RFC 8707
//! section 2) and may be repeated.
//!
//! Parameters are parsed before authentication, so parsing takes linear time and stops at the first parameter that exceeds
//! its limit ([`base::bounds`]).

use std::borrow::Cow;
use std::collections::HashSet;

use base::bounds::{self, PARAMETER_NAME_BYTES, PARAMETERS};
use base::{NUL_IS_REFUSED, NulCharacter};

const LISTS: [&str; 2] = ["audience", "resource"];

/// Decoded parameters in their original order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    #[error("parameter '{0}' must not be repeated")]
    Repeated(String),
    #[error("parameter '{0}' is required")]
    Missing(&'static str),
    /// No supported value contains it, and PostgreSQL cannot store it.
    #[error("parameter '{0}' {NUL_IS_REFUSED}")]
    Zero(String),
    #[error("the request must have at most {PARAMETERS} parameters")]
    TooMany,
    #[error("the name of a parameter must have at most {PARAMETER_NAME_BYTES} bytes")]
    NameTooLong,
    #[error("parameter '{name}' must have at most {bytes} bytes")]
    TooLong { name: String, bytes: usize },
    #[error("parameter '{name}' must have at most {words} values")]
    TooManyWords { name: String, words: usize },
}

impl Parameters {
    /// Parses `application/x-www-form-urlencoded` text.
    pub fn parse(encoded: &[u8]) -> Result<Self, ParameterError> {
        Self::from_pairs(url::form_urlencoded::parse(encoded))
    }

    /// Parses a query and a form together: no parameter may occur in both.
    pub fn parse_both(query: &[u8], form: &[u8]) -> Result<Self, ParameterError> {
        Self::from_pairs(url::form_urlencoded::parse(query).chain(url::form_urlencoded::parse(form)))
    }

    fn from_pairs<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<Self, ParameterError> {
        let mut parameters = Self::default();
        let mut names = HashSet::new();
        for (count, (name, value)) in pairs.enumerate() {
            if count >= PARAMETERS {
                return Err(ParameterError::TooMany);
            }
            if name.len() > PARAMETER_NAME_BYTES {
                return Err(ParameterError::NameTooLong);
            }
            // RFC 6749 section 3.1: parameters without a value are treated as if they were omitted.
            if value.is_empty() {
                continue;
            }
            NulCharacter::refuse(&name, &value).map_err(|refused| ParameterError::Zero(refused.field))?;
            let is_list = LISTS.contains(&name.as_ref());
            if !names.insert(name.clone()) && !is_list {
                return Err(ParameterError::Repeated(name.into_owned()));
            }
            let before: Vec<&str> = if is_list { parameters.all(&name).collect() } else { Vec::new() };
            check_size(&name, before.into_iter().chain([value.as_ref()]))?;
            parameters.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(parameters)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(it, _)| *it == name).map(|(_, value)| value)
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

    /// The values of `audience`: repeated, or one space-separated value.
    pub fn audience(&self) -> Vec<String> {
        let mut known = HashSet::new();
        let words = self.all("audience").flat_map(|value| value.split(' ')).filter(|word| !word.is_empty());
        words.filter(|word| known.insert(*word)).map(str::to_owned).collect()
    }

    /// The same parameters as a form, in their original order.
    pub fn to_query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.iter()).finish()
    }
}

/// Checks all values of one parameter against its limits.
fn check_size<'a>(name: &str, values: impl Iterator<Item = &'a str> + Clone) -> Result<(), ParameterError> {
    let bounds = bounds::of_parameter(name);
    if values.clone().map(str::len).sum::<usize>() > bounds.bytes {
        return Err(ParameterError::TooLong { name: name.to_owned(), bytes: bounds.bytes });
    }
    let words = values.flat_map(|value| value.split(' ')).filter(|word| !word.is_empty());
    if bounds.words < usize::MAX && words.take(bounds.words + 1).count() > bounds.words {
        return Err(ParameterError::TooManyWords { name: name.to_owned(), words: bounds.words });
    }
    Ok(())
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
    fn a_nul_character_is_rejected_with_the_parameter_name() {
        assert_eq!(Parameters::parse(b"a=1&b=x%00y"), Err(ParameterError::Zero("b".to_owned())));
        assert_eq!(Parameters::parse(b"%00=1"), Err(ParameterError::Zero("\u{fffd}".to_owned())));
    }

    #[test]
    fn a_request_has_at_most_256_parameters() {
        let query = |count: usize| (0..count).map(|n| format!("a{n}=1&")).collect::<Vec<_>>().concat();
        assert!(Parameters::parse(query(256).trim_end_matches('&').as_bytes()).is_ok());
        assert_eq!(Parameters::parse(query(257).as_bytes()), Err(ParameterError::TooMany));
        assert_eq!(
            Parameters::parse("a=&".repeat(80_000).as_bytes()),
            Err(ParameterError::TooMany),
            "empty parameters count"
        );
        assert_eq!(
            Parameters::parse_both(query(200).as_bytes(), b"b=1"),
            Ok(Parameters::parse(format!("{}b=1", query(200)).as_bytes()).unwrap())
        );
        assert_eq!(
            Parameters::parse_both(query(200).as_bytes(), query(57).as_bytes()),
            Err(ParameterError::Repeated("a0".to_owned()))
        );
        assert_eq!(Parameters::parse(format!("{}=1", "a".repeat(257)).as_bytes()), Err(ParameterError::NameTooLong));
    }

    #[test]
    fn a_parameter_over_its_limit_is_rejected_with_its_name() {
        let too_many = |name: &str, words| Err(ParameterError::TooManyWords { name: name.to_owned(), words });
        let too_long = |name: &str, bytes| Err(ParameterError::TooLong { name: name.to_owned(), bytes });
        for (name, words) in [("scope", 256), ("audience", 256), ("acr_values", 32), ("ui_locales", 32), ("prompt", 32)]
        {
            let text = |count: usize| format!("{name}={}", "a+".repeat(count));
            assert!(Parameters::parse(text(words).as_bytes()).is_ok(), "{name}");
            assert_eq!(Parameters::parse(text(words + 1).as_bytes()), too_many(name, words));
        }
        for (name, bytes) in [("scope", 8192), ("ui_locales", 1024), ("login_hint", 1024), ("state", 4096)] {
            assert!(Parameters::parse(format!("{name}={}", "x".repeat(bytes)).as_bytes()).is_ok(), "{name}");
            assert_eq!(
                Parameters::parse(format!("{name}={}", "x".repeat(bytes + 1)).as_bytes()),
                too_long(name, bytes)
            );
        }
        assert!(Parameters::parse(format!("client_assertion={}", "x".repeat(50_000)).as_bytes()).is_ok());
        assert_eq!(
            Parameters::parse("audience=a+b&".repeat(129).as_bytes()),
            too_many("audience", 256),
            "all together"
        );
    }

    #[test]
    fn audience_is_a_list_in_either_form() {
        let parameters =
            Parameters::parse(b"audience=https://a+https://b&audience=https://c&audience=https://a").unwrap();
        assert_eq!(parameters.audience(), ["https://a", "https://b", "https://c"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_rejected(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(parameters) = Parameters::parse(&bytes) {
                prop_assert_eq!(Parameters::parse(parameters.to_query().as_bytes()).unwrap(), parameters);
            }
        }
    }
}
