//! Configured values that are adjusted: weak hashing costs are raised, as in the replaced program, and unsupported settings are
//! replaced by supported ones. Each adjustment is reported at the start.

use super::{Config, FlowUse, HasherAlgorithm};

/// The lowest cost of a bcrypt hash outside of development.
const MIN_BCRYPT_COST: u32 = 12;
/// The highest cost that bcrypt supports.
const MAX_BCRYPT_COST: u32 = 31;
/// The least memory of Argon2 per lane (RFC 9106 section 3.1).
const ARGON2_LANE_BYTES: u64 = 8 << 10;

/// One adjusted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    pub key: String,
    pub message: String,
}

impl Config {
    /// The adjusted configuration and its adjustments. `lanes` is the parallelism of Argon2 where none is configured.
    pub(crate) fn adjusted(mut self, lanes: u32) -> (Self, Vec<Adjustment>) {
        let mut adjustments = Vec::new();
        let mut adjust = |key: &str, message: String| adjustments.push(Adjustment { key: key.to_owned(), message });
        let cost = &mut self.hashers.bcrypt.cost;
        if self.hashers.algorithm == HasherAlgorithm::Bcrypt && !self.dev && *cost < MIN_BCRYPT_COST {
            adjust("hashers.bcrypt.cost", format!("is below the minimum; {MIN_BCRYPT_COST} is used"));
            *cost = MIN_BCRYPT_COST;
        }
        if *cost > MAX_BCRYPT_COST {
            adjust("hashers.bcrypt.cost", format!("is above the maximum; {MAX_BCRYPT_COST} is used"));
            *cost = MAX_BCRYPT_COST;
        }
        let argon2 = &mut self.hashers.argon2;
        let least = ARGON2_LANE_BYTES * u64::from(argon2.parallelism.unwrap_or(lanes));
        if argon2.memory.0 < least {
            adjust("hashers.argon2.memory", format!("is below the minimum; {}KB is used", least >> 10));
            argon2.memory.0 = least;
        }
        for (name, value, least) in [
            ("iterations", &mut argon2.iterations, 1),
            ("salt_length", &mut argon2.salt_length, 16),
            ("key_length", &mut argon2.key_length, 16),
        ] {
            if *value < least {
                adjust(&format!("hashers.argon2.{name}"), format!("is below the minimum; {least} is used"));
                *value = least;
            }
        }
        let (codes, links) = (self.selfservice.methods.code.enabled, self.selfservice.methods.link.is_enabled());
        let flows = &mut self.selfservice.flows;
        for (name, is_enabled, used) in [
            ("recovery", &mut flows.recovery.enabled, &mut flows.recovery.used),
            ("verification", &mut flows.verification.enabled, &mut flows.verification.used),
        ] {
            if *is_enabled && *used == FlowUse::Link && !links {
                let key = format!("selfservice.flows.{name}.use");
                if codes {
                    adjust(&key, "is link, but selfservice.methods.link.enabled is false; code is used".to_owned());
                    *used = FlowUse::Code;
                } else {
                    let message = format!("is link; links and codes are both switched off, so there is no {name}");
                    adjust(&key, message);
                    *is_enabled = false;
                }
            }
        }
        for key in self.courier.unsupported_bodies() {
            adjust(
                &key,
                "Jsonnet bodies are not supported yet: messages are sent with the built-in body, which a receiver that \
                 expects another format rejects"
                    .to_owned(),
            );
        }
        (self, adjustments)
    }

    /// The adjustments of this configuration.
    pub fn adjustments(&self) -> Vec<Adjustment> {
        self.clone().adjusted(crate::components::hashing::default_lanes()).1
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn adjusted(hashers: &serde_json::Value) -> (Config, Vec<String>) {
        let config: Config = serde_json::from_value(json!({ "hashers": hashers })).unwrap();
        let (config, adjustments) = config.adjusted(2);
        (config, adjustments.into_iter().map(|it| format!("{}: {}", it.key, it.message)).collect())
    }

    #[test]
    fn a_weak_bcrypt_cost_is_raised_and_reported() {
        let (config, messages) = adjusted(&json!({"algorithm": "bcrypt", "bcrypt": {"cost": 8}}));
        assert_eq!(config.hashers.bcrypt.cost, 12);
        assert_eq!(messages, ["hashers.bcrypt.cost: is below the minimum; 12 is used"]);
        let (config, messages) = adjusted(&json!({"algorithm": "bcrypt", "bcrypt": {"cost": 13}}));
        assert_eq!((config.hashers.bcrypt.cost, messages.len()), (13, 0));
    }

    #[test]
    fn codes_replace_links_that_are_switched_off() {
        let adjusted = |link: bool, enabled: bool| {
            let flow = json!({"enabled": enabled, "use": "link"});
            let config: Config = serde_json::from_value(json!({ "selfservice": {
                "flows": {"recovery": flow, "verification": flow}, "methods": {"link": {"enabled": link}},
            } }))
            .unwrap();
            let (config, adjustments) = config.adjusted(2);
            let keys: Vec<String> = adjustments.into_iter().map(|it| it.key).collect();
            (config.selfservice.flows.recovery.used, config.selfservice.flows.verification.used, keys)
        };
        let keys = ["selfservice.flows.recovery.use", "selfservice.flows.verification.use"].map(str::to_owned).to_vec();
        assert_eq!(adjusted(false, true), (FlowUse::Code, FlowUse::Code, keys));
        assert_eq!(adjusted(true, true), (FlowUse::Link, FlowUse::Link, vec![]));
        assert_eq!(adjusted(false, false).2, Vec::<String>::new(), "a flow that is switched off is not reported");
    }

    #[test]
    fn too_little_argon2_memory_is_raised_and_reported() {
        let (config, messages) =
            adjusted(&json!({"algorithm": "argon2", "argon2": {"memory": "1KB", "iterations": 1, "parallelism": 1}}));
        assert_eq!(config.hashers.argon2.memory.kib(), 8);
        assert_eq!(messages, ["hashers.argon2.memory: is below the minimum; 8KB is used"]);
    }

    #[test]
    fn links_that_are_switched_off_are_replaced_by_codes_if_those_are_enabled() {
        let adjusted = |code: bool| {
            let tree = json!({"selfservice": {
                "flows": {"recovery": {"enabled": true, "use": "link"}, "verification": {"enabled": false, "use": "link"}},
                "methods": {"link": {"enabled": false}, "code": {"enabled": code}},
            }});
            let config: Config = serde_json::from_value(tree).unwrap();
            let (config, adjustments) = config.adjusted(2);
            let keys: Vec<_> = adjustments.into_iter().map(|it| it.key).collect();
            assert_eq!(keys, ["selfservice.flows.recovery.use"]);
            config.selfservice.flows.recovery
        };
        let by_code = adjusted(true);
        assert_eq!((by_code.enabled, by_code.used), (true, FlowUse::Code));
        assert!(!adjusted(false).enabled);
    }
}
