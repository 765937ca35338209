//! The stored addresses for sign-in codes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::address::Via;
use crate::domain::factors::{FactorRules, Factors};
use crate::domain::stored_credential::{Remainder, RemovalRefused, StoredCredential};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodeCredential {
    /// `None` in the first format, which had one channel for all identifiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    addresses: Option<Vec<CodeAddress>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct CodeAddress {
    /// A [`Via`]; channels of other systems are kept but not used.
    channel: String,
    address: String,
}

impl CodeCredential {
    pub fn new<'a>(addresses: impl IntoIterator<Item = &'a (Via, String)>) -> Self {
        let addresses = addresses
            .into_iter()
            .map(|(via, address)| CodeAddress { channel: via.as_str().to_owned(), address: address.clone() });
        Self { addresses: Some(addresses.collect()), rest: Map::new() }
    }

    /// The addresses, in either format.
    pub fn addresses_of(&self, identifiers: &[String]) -> Vec<(Via, String)> {
        let Some(listed) = &self.addresses else {
            return identifiers.iter().map(|value| (Via::Email, value.clone())).collect();
        };
        listed.iter().filter_map(|entry| Some((Via::parse(&entry.channel)?, entry.address.clone()))).collect()
    }
}

impl StoredCredential for CodeCredential {
    fn factors(&self, identifiers: &[String], rules: FactorRules) -> Factors {
        let count = self.addresses_of(identifiers).len();
        Factors {
            first: if rules.code_is_first_factor { count } else { 0 },
            second: if rules.code_is_second_factor { count } else { 0 },
        }
    }

    /// The addresses are derived from the traits.
    fn remove(&mut self, _: &mut Vec<String>, _: Option<&str>) -> Result<Remainder, RemovalRefused> {
        Err(RemovalRefused::Unsupported)
    }
}
