//! `security.attempt_limits`: how many failed guesses and messages are allowed. Each limit has a `burst`
//! and a `refill`: the time after which one more is allowed.

use base::{Budget, GoDuration};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::attempt_limit;

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AttemptLimits {
    /// Failed guesses at a password or a code, over all flows.
    pub guesses: Limits,
    /// Messages that carry a code or a link, over all flows.
    pub messages: Limits,
    /// Registrations and changes with a name that is taken, from one network. Default: `{ burst: 30, refill: 20s }`.
    pub taken_names: Limit,
    /// How long a device or network stays familiar after the last sign-in. Default: `4320h`.
    pub familiar_for: Option<GoDuration>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limits {
    /// For one user and one familiar device or network. Guesses `{ burst: 10, refill: 10m }`, messages
    /// `{ burst: 10, refill: 90s }`.
    pub familiar: Limit,
    /// For one user, from all other devices and networks together. Guesses `{ burst: 10, refill: 10m }`, messages
    /// `{ burst: 5, refill: 15m }`.
    pub stranger: Limit,
    /// From one network, over all users. Guesses `{ burst: 200, refill: 3s }`, messages `{ burst: 30, refill: 30s }`.
    pub network: Limit,
    /// Over all users and networks, in each process. Guesses `{ burst: 50000, refill: 12ms }`, messages
    /// `{ burst: 10000, refill: 90ms }`.
    pub tenant: Limit,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limit {
    /// How many attempts are allowed at once. The defaults are in [ADR 8](../adr/0008-attempt-limits.md).
    pub burst: Option<u32>,
    /// The time after which one more attempt is allowed.
    pub refill: Option<GoDuration>,
}

impl Limit {
    fn over(self, default: Budget) -> Budget {
        Budget::new(self.burst.unwrap_or(default.burst), self.refill.map_or(default.refill, GoDuration::get))
    }
}

impl AttemptLimits {
    /// The limits with defaults for what is not set.
    pub fn resolve(&self) -> attempt_limit::AttemptLimits {
        let default = attempt_limit::AttemptLimits::default();
        attempt_limit::AttemptLimits {
            guesses: attempt_limit::GuessLimits {
                familiar: self.guesses.familiar.over(default.guesses.familiar),
                stranger: self.guesses.stranger.over(default.guesses.stranger),
                network: self.guesses.network.over(default.guesses.network),
                tenant: self.guesses.tenant.over(default.guesses.tenant),
            },
            messages: attempt_limit::MessageLimits {
                familiar: self.messages.familiar.over(default.messages.familiar),
                stranger: self.messages.stranger.over(default.messages.stranger),
                network: self.messages.network.over(default.messages.network),
                tenant: self.messages.tenant.over(default.messages.tenant),
            },
            taken_names: self.taken_names.over(default.taken_names),
            familiar_for: self.familiar_for.map_or(default.familiar_for, GoDuration::get),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_configured_limit_changes_no_other_limit() {
        let set: AttemptLimits =
            serde_json::from_value(serde_json::json!({"guesses": {"stranger": {"burst": 3}}, "familiar_for": "24h"}))
                .unwrap();
        let default = attempt_limit::AttemptLimits::default();
        let resolved = set.resolve();
        assert_eq!(resolved.guesses.stranger, Budget::new(3, default.guesses.stranger.refill));
        assert_eq!(resolved.guesses.network, default.guesses.network);
        assert_eq!(resolved.messages, default.messages);
        assert_eq!(resolved.familiar_for, Duration::from_hours(24));
        assert_eq!(AttemptLimits::default().resolve(), default);
    }
}
