//! Client identifiers (RFC 6749 section 2.2).

use std::fmt;
use std::sync::Arc;

use base::uuid;
use serde::{Deserialize, Deserializer, Serialize};

/// A client id: one or more printable ASCII characters (RFC 6749 appendix A.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientId(Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client_id is 1 to 255 printable ASCII characters")]
pub struct InvalidClientId;

impl ClientId {
    pub fn parse(text: &str) -> Result<Self, InvalidClientId> {
        let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if (1..=255).contains(&text.len()) && printable { Ok(Self(text.into())) } else { Err(InvalidClientId) }
    }

    pub fn from_uuid(uuid: uuid::Uuid) -> Self {
        Self(uuid.to_string().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_printable_ascii() {
        assert!(ClientId::parse("shop-1").is_ok());
        for bad in ["", "späti", "a\nb", &"x".repeat(256)] {
            assert_eq!(ClientId::parse(bad), Err(InvalidClientId), "{bad:?}");
        }
    }
}
