//! The services of this build, by the names that people write.

use std::str::FromStr;

/// A service that can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    Identity,
    Oauth,
    Gateway,
}

impl Service {
    pub const ALL: [Self; 3] = [Self::Identity, Self::Oauth, Self::Gateway];

    /// Its section in the configuration, and its name everywhere else.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Oauth => "oauth",
            Self::Gateway => "gateway",
        }
    }

    /// The prefix of environment variables that deployments of the replaced program already set.
    pub(super) const fn classic_prefix(self) -> &'static str {
        match self {
            Self::Identity => "KRATOS_",
            Self::Oauth => "HYDRA_",
            Self::Gateway => "OATHKEEPER_",
        }
    }

    /// Top-level keys that only the file of the replaced program has.
    pub(super) const fn classic_keys(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["selfservice", "courier", "session", "hashers", "ciphers", "oauth2_provider"],
            Self::Oauth => &["urls", "oauth2", "oidc", "strategies", "ttl", "webfinger", "hsm"],
            Self::Gateway => &["access_rules", "authenticators", "authorizers", "mutators", "errors"],
        }
    }
}

/// The name is not one of [`Service::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no service \"{0}\"; this build has identity, oauth and gateway")]
pub struct UnknownService(String);

impl FromStr for Service {
    type Err = UnknownService;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "identity" | "kratos" => Ok(Self::Identity),
            "oauth" | "hydra" => Ok(Self::Oauth),
            "gateway" | "oathkeeper" => Ok(Self::Gateway),
            other => Err(UnknownService(other.to_owned())),
        }
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
