//! The device of a session: IP address, browser, location. It helps users recognize their sessions; no decision depends on
//! it.

use base::Rng;
use serde::{Deserialize, Serialize};

base::uuid_ids! {
    /// One device of one session.
    DeviceId;
}

/// The maximum length of a text that the client sent.
const MAX_TEXT: usize = 512;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub id: DeviceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Device {
    pub fn new(rng: &Rng, ip_address: Option<String>, user_agent: Option<&str>, location: Option<&str>) -> Self {
        Self {
            id: DeviceId::generate(rng),
            ip_address,
            user_agent: user_agent.map(shortened),
            location: location.map(shortened),
        }
    }

    pub fn unknown(rng: &Rng) -> Self {
        Self::new(rng, None, None, None)
    }
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_user_agent_is_truncated_between_characters() {
        let device = Device::new(&Rng::seeded(1), None, Some(&"ü".repeat(400)), None);
        assert_eq!(device.user_agent.unwrap().len(), 512);
        let odd = format!("x{}", "ü".repeat(400));
        assert_eq!(Device::new(&Rng::seeded(1), None, Some(&odd), None).user_agent.unwrap().len(), 511);
    }
}
