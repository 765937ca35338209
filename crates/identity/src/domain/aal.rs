//! Authenticator assurance levels: how many different factors were proved. The name is that of NIST SP 800-63B
//! section 4.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aal {
    /// Nothing was proved.
    #[default]
    Aal0,
    /// One factor.
    Aal1,
    /// Two different factors.
    Aal2,
}

impl Aal {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aal0 => "aal0",
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Aal0, Self::Aal1, Self::Aal2].into_iter().find(|level| level.as_str() == text)
    }
}

impl std::fmt::Display for Aal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
