//! The credentials of a client (RFC 6749 section 2.3, RFC 7521 section 4.2, RFC 7523 section 2.2).

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Parameters;

/// The only supported `client_assertion_type`.
pub const JWT_BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One authentication method: a request that uses several is rejected (RFC 6749 section 2.3).
#[derive(Clone, Debug)]
pub enum ClientCredentials {
    Basic {
        client_id: String,
        secret: Secret<String>,
    },
    Post {
        client_id: String,
        secret: Secret<String>,
    },
    /// `client_id` is the one in the form; the assertion names it, too.
    Assertion {
        client_id: Option<String>,
        assertion: Secret<String>,
    },
    /// A client id without credentials.
    None {
        client_id: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCredentials {
    #[error("the request carries no client credentials")]
    Absent,
    #[error("the Authorization header is not well-formed Basic authentication")]
    Header,
    #[error("the client authenticates in more than one way")]
    Several,
    #[error("the client_id in the form is not the client that authenticates")]
    OtherClient,
    #[error("parameter 'client_assertion_type' must be 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'")]
    AssertionType,
    #[error("parameter 'client_assertion' is required with 'client_assertion_type'")]
    AssertionMissing,
}

impl ClientCredentials {
    /// Reads the `Authorization` header, if present, and the form.
    pub fn read(authorization: Option<&str>, form: &Parameters) -> Result<Self, MalformedCredentials> {
        let basic = authorization.and_then(basic_value).map(parse_basic).transpose()?;
        let client_id = form.get("client_id").map(str::to_owned);
        let secret = form.get("client_secret").map(|secret| Secret::new(secret.to_owned()));
        let assertion_type = form.get("client_assertion_type");
        let assertion = form.get("client_assertion");

        if assertion_type.is_some() || assertion.is_some() {
            if basic.is_some() || secret.is_some() {
                return Err(MalformedCredentials::Several);
            }
            if assertion_type != Some(JWT_BEARER_ASSERTION) {
                return Err(MalformedCredentials::AssertionType);
            }
            let assertion = assertion.ok_or(MalformedCredentials::AssertionMissing)?;
            return Ok(Self::Assertion { client_id, assertion: Secret::new(assertion.to_owned()) });
        }
        match (basic, client_id, secret) {
            (Some(_), _, Some(_)) => Err(MalformedCredentials::Several),
            (Some((basic_id, _)), Some(client_id), None) if basic_id != client_id => {
                Err(MalformedCredentials::OtherClient)
            }
            // An empty Basic password is no credential: a public client that sends its id in the header.
            (Some((client_id, secret)), _, None) if secret.expose().is_empty() => Ok(Self::None { client_id }),
            (Some((client_id, secret)), _, None) => Ok(Self::Basic { client_id, secret }),
            (None, Some(client_id), Some(secret)) => Ok(Self::Post { client_id, secret }),
            (None, Some(client_id), None) => Ok(Self::None { client_id }),
            (None, None, _) => Err(MalformedCredentials::Absent),
        }
    }
}

fn basic_value(authorization: &str) -> Option<&str> {
    let (scheme, value) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(value.trim())
}

/// RFC 6749 section 2.3.1: user and password are form-encoded before they are used as Basic credentials.
fn parse_basic(value: &str) -> Result<(String, Secret<String>), MalformedCredentials> {
    let decoded = STANDARD.decode(value).map_err(|_| MalformedCredentials::Header)?;
    let text = Secret::new(String::from_utf8(decoded).map_err(|_| MalformedCredentials::Header)?);
    let (user, password) = text.expose().split_once(':').ok_or(MalformedCredentials::Header)?;
    let (user, password) = (form_decode(user)?, form_decode(password)?);
    if user.is_empty() {
        return Err(MalformedCredentials::Header);
    }
    Ok((user, Secret::new(password)))
}

fn form_decode(text: &str) -> Result<String, MalformedCredentials> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        index += 1;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits = text.get(index..index + 2).ok_or(MalformedCredentials::Header)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(MalformedCredentials::Header);
                }
                decoded.push(u8::from_str_radix(digits, 16).map_err(|_| MalformedCredentials::Header)?);
                index += 2;
            }
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).map_err(|_| MalformedCredentials::Header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(authorization: Option<&str>, form: &str) -> Result<ClientCredentials, MalformedCredentials> {
        ClientCredentials::read(authorization, &Parameters::parse(form.as_bytes()).unwrap())
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn basic_user_and_password_are_form_encoded() {
        let header = basic("my%20app", "p%2B%3A+w");
        let Ok(ClientCredentials::Basic { client_id, secret }) = read(Some(&header), "") else { panic!() };
        assert_eq!((client_id.as_str(), secret.expose().as_str()), ("my app", "p+: w"));
        assert!(matches!(read(Some("Basic ###"), ""), Err(MalformedCredentials::Header)));
        assert!(matches!(read(Some(&basic("a", "%zz")), ""), Err(MalformedCredentials::Header)));
        assert!(matches!(read(Some(&basic("a", "%+1")), ""), Err(MalformedCredentials::Header)));
    }

    #[test]
    fn two_methods_at_once_are_rejected() {
        let header = basic("a", "b");
        assert!(matches!(read(Some(&header), "client_id=a&client_secret=b"), Err(MalformedCredentials::Several)));
        assert!(matches!(read(Some(&header), "client_id=z"), Err(MalformedCredentials::OtherClient)));
        assert!(matches!(read(Some(&header), "client_id=a"), Ok(ClientCredentials::Basic { .. })));
        assert!(matches!(read(None, "client_assertion=x"), Err(MalformedCredentials::AssertionType)));
        assert!(matches!(read(None, ""), Err(MalformedCredentials::Absent)));
        assert!(matches!(read(Some(&basic("a", "")), ""), Ok(ClientCredentials::None { .. })));
    }

    proptest! {
        #[test]
        fn no_header_panics(header in "\\PC{0,60}", user in "\\PC{0,20}") {
            let _ = read(Some(&header), "");
            let _ = read(Some(&basic(&user, &header)), "");
        }
    }
}
