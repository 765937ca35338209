//! The name of an account on a page.

use serde_json::Value;

/// The name that identifies an account to its owner, from a session as the API shows it: an address, else a name.
pub(super) fn account_name(session: &Value) -> Option<String> {
    let identity = session.get("identity")?;
    let address = identity.pointer("/verifiable_addresses/0/value");
    let traits =
        ["email", "username", "phone", "name"].into_iter().filter_map(|name| identity.get("traits")?.get(name));
    address.into_iter().chain(traits).find_map(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_takes_precedence_over_a_name() {
        let named = json!({"identity": {"traits": {"name": {"first": "Ada"}, "username": "ada"}}});
        assert_eq!(account_name(&named).as_deref(), Some("ada"));
        let addressed = json!({"identity": {"verifiable_addresses": [{"value": "a@example.org"}], "traits": {}}});
        assert_eq!(account_name(&addressed).as_deref(), Some("a@example.org"));
        assert_eq!(account_name(&json!({"identity": {"traits": {}}})), None);
    }
}
