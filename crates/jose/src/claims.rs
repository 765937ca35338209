//! Validation of the registered claims of a JWT (RFC 7519 section 4.1).

use std::time::Duration;

use base::Timestamp;
use serde_json::{Map, Value};

/// The claims that a token must have.
#[derive(Clone, Debug)]
pub struct ClaimsCheck<'a> {
    pub now: Timestamp,
    /// The allowed clock skew.
    pub leeway: Duration,
    pub issuer: Option<&'a str>,
    /// `aud` must name at least one of these; not checked when empty.
    pub audiences: &'a [&'a str],
    pub require_expiry: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    #[error("claim '{0}' is missing")]
    Missing(&'static str),
    #[error("claim '{0}' is malformed")]
    Malformed(&'static str),
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token was issued in the future")]
    IssuedInFuture,
    #[error("the token was issued by another issuer")]
    Issuer,
    #[error("the token is meant for another audience")]
    Audience,
}

impl ClaimsCheck<'_> {
    pub fn check(&self, claims: &Map<String, Value>) -> Result<(), ClaimError> {
        match numeric_date(claims, "exp")? {
            Some(expiry) if expiry.plus(self.leeway) <= self.now => return Err(ClaimError::Expired),
            None if self.require_expiry => return Err(ClaimError::Missing("exp")),
            Some(_) | None => {}
        }
        if numeric_date(claims, "nbf")?.is_some_and(|not_before| not_before > self.now.plus(self.leeway)) {
            return Err(ClaimError::NotYetValid);
        }
        if numeric_date(claims, "iat")?.is_some_and(|issued_at| issued_at > self.now.plus(self.leeway)) {
            return Err(ClaimError::IssuedInFuture);
        }
        if let Some(issuer) = self.issuer {
            match claims.get("iss") {
                Some(Value::String(it)) if it == issuer => {}
                Some(Value::String(_)) => return Err(ClaimError::Issuer),
                Some(_) => return Err(ClaimError::Malformed("iss")),
                None => return Err(ClaimError::Missing("iss")),
            }
        }
        if self.audiences.is_empty() { Ok(()) } else { self.check_audience(claims) }
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), ClaimError> {
        let named = |value: &Value| value.as_str().is_some_and(|audience| self.audiences.contains(&audience));
        let is_named = match claims.get("aud") {
            Some(value @ Value::String(_)) => named(value),
            Some(Value::Array(values)) if values.iter().all(Value::is_string) => values.iter().any(named),
            Some(_) => return Err(ClaimError::Malformed("aud")),
            None => return Err(ClaimError::Missing("aud")),
        };
        if is_named { Ok(()) } else { Err(ClaimError::Audience) }
    }
}

/// A `NumericDate`: seconds since the epoch, possibly with a fraction (RFC 7519 section 2).
pub fn numeric_date(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
    let number = match claims.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(ClaimError::Malformed(name)),
    };
    if let Some(seconds) = number.as_i64() {
        return Ok(Some(Timestamp::from_unix_seconds(seconds)));
    }
    let seconds = number.as_f64().filter(|seconds| seconds.is_finite()).ok_or(ClaimError::Malformed(name))?;
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range of i64 saturates")]
    let seconds = seconds.floor() as i64;
    Ok(Some(Timestamp::from_unix_seconds(seconds)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn check(claims: &Value, audiences: &[&str]) -> Result<(), ClaimError> {
        let check = ClaimsCheck {
            now: Timestamp::from_unix_seconds(NOW),
            leeway: Duration::from_secs(10),
            issuer: Some("https://issuer.example"),
            audiences,
            require_expiry: true,
        };
        check.check(claims.as_object().unwrap())
    }

    fn claims(changes: &Value) -> Value {
        let mut claims = json!({"iss": "https://issuer.example", "aud": ["a", "b"], "exp": NOW + 60, "iat": NOW});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    }

    #[test]
    fn times_are_checked_with_leeway() {
        assert_eq!(check(&claims(&json!({})), &["b"]), Ok(()));
        assert_eq!(check(&claims(&json!({"exp": NOW - 9})), &["b"]), Ok(()));
        assert_eq!(check(&claims(&json!({"exp": NOW - 10})), &["b"]), Err(ClaimError::Expired));
        assert_eq!(check(&claims(&json!({"exp": null})), &["b"]), Err(ClaimError::Missing("exp")));
        assert_eq!(check(&claims(&json!({"exp": "soon"})), &["b"]), Err(ClaimError::Malformed("exp")));
        assert_eq!(check(&claims(&json!({"nbf": NOW + 11})), &["b"]), Err(ClaimError::NotYetValid));
        assert_eq!(check(&claims(&json!({"iat": 1_800_000_011.5})), &["b"]), Err(ClaimError::IssuedInFuture));
        assert_eq!(check(&claims(&json!({"exp": 1e300})), &["b"]), Ok(()));
    }

    #[test]
    fn issuer_and_audience_are_checked() {
        assert_eq!(check(&claims(&json!({"aud": "b"})), &["b", "c"]), Ok(()));
        assert_eq!(check(&claims(&json!({"aud": "bb"})), &["b"]), Err(ClaimError::Audience));
        assert_eq!(check(&claims(&json!({"aud": [["b"]]})), &["b"]), Err(ClaimError::Malformed("aud")));
        assert_eq!(check(&claims(&json!({"iss": "https://evil.example"})), &["b"]), Err(ClaimError::Issuer));
        assert_eq!(
            check(&claims(&json!({"iss": ["https://issuer.example"]})), &["b"]),
            Err(ClaimError::Malformed("iss"))
        );
    }

    proptest! {
        #[test]
        fn no_number_panics(number in any::<f64>(), integer in any::<i64>()) {
            let _ = check(&claims(&json!({"exp": number, "nbf": integer, "iat": integer})), &["b"]);
        }
    }
}
