//! The standard claims about a user, taken from the identity (OpenID Connect Core section 5.1), each released with its
//! scope (section 5.4).
//!
//! The operator's schema defines the traits, so the claims are read from common names: `email`, `name` as a string or as an
//! object of parts, `phone`, and the claims' own names. Invariants: an address counts as verified only if the identity
//! service has verified this very address; a value of the wrong type is omitted.

use oauth_types::ScopeSet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The standard claims of each scope.
const CLAIMS_BY_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
];

/// String claims, and the names of the traits that may hold them.
const TEXTS: [(&str, &[&str]); 12] = [
    ("given_name", &["given_name", "first_name"]),
    ("family_name", &["family_name", "last_name"]),
    ("middle_name", &["middle_name"]),
    ("nickname", &["nickname"]),
    ("preferred_username", &["preferred_username", "username"]),
    ("profile", &["profile"]),
    ("picture", &["picture"]),
    ("website", &["website"]),
    ("gender", &["gender"]),
    ("birthdate", &["birthdate"]),
    ("zoneinfo", &["zoneinfo"]),
    ("locale", &["locale"]),
];

/// Longer strings are omitted: tokens are sent in headers.
const MAX_LENGTH: usize = 2_048;

/// All standard claims of a user, regardless of the scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonClaims(Map<String, Value>);

impl PersonClaims {
    /// Reads an identity in the format of `whoami`.
    pub fn of(identity: &Value) -> Self {
        let traits = &identity["traits"];
        let mut claims = Map::new();
        for (claim, names) in TEXTS {
            put(&mut claims, claim, first_text(traits, names));
        }
        put_name(&mut claims, &traits["name"]);
        put_address_of(&mut claims, identity, ["email", "email_verified"], &["email"], "email");
        put_address_of(
            &mut claims,
            identity,
            ["phone_number", "phone_number_verified"],
            &["phone_number", "phone"],
            "sms",
        );
        if let Some(place) = postal_address(&traits["address"]) {
            claims.insert("address".to_owned(), place);
        }
        let updated_at = identity["updated_at"].as_str().and_then(|text| text.parse::<base::Timestamp>().ok());
        if let Some(updated_at) = updated_at {
            claims.insert("updated_at".to_owned(), json!(updated_at.unix_seconds()));
        }
        Self(claims)
    }

    /// Whether this scope includes any of these claims.
    pub fn are_asked_for(scope: &ScopeSet) -> bool {
        scope.contains("openid") && CLAIMS_BY_SCOPE.iter().any(|(name, _)| scope.contains(name))
    }

    /// The claims of these scopes.
    pub fn granted_by(&self, scope: &ScopeSet) -> Map<String, Value> {
        let granted = CLAIMS_BY_SCOPE.iter().filter(|(name, _)| scope.contains(name));
        let names = granted.flat_map(|(_, names)| names.iter());
        names.filter_map(|name| Some(((*name).to_owned(), self.0.get(*name)?.clone()))).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The supported scopes and claims, for discovery.
pub fn supported() -> (Vec<&'static str>, Vec<&'static str>) {
    let scopes = CLAIMS_BY_SCOPE.iter().map(|(scope, _)| *scope).collect();
    let claims = CLAIMS_BY_SCOPE.iter().flat_map(|(_, claims)| claims.iter().copied()).collect();
    (scopes, claims)
}

/// `name` is the full name, or an object of its parts.
fn put_name(claims: &mut Map<String, Value>, name: &Value) {
    put(claims, "given_name", first_text(name, &["first", "given", "given_name", "first_name"]));
    put(claims, "middle_name", first_text(name, &["middle", "middle_name"]));
    put(claims, "family_name", first_text(name, &["last", "family", "family_name", "last_name"]));
    let whole = text(name).map(str::to_owned).or_else(|| {
        let parts = ["given_name", "middle_name", "family_name"].iter().filter_map(|part| claims.get(*part)?.as_str());
        let parts: Vec<&str> = parts.collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    });
    put(claims, "name", whole.as_deref());
}

/// An email address or a phone number, and whether it is verified.
fn put_address_of(
    claims: &mut Map<String, Value>,
    identity: &Value,
    [claim, verified]: [&str; 2],
    traits: &[&str],
    via: &str,
) {
    let known = identity["verifiable_addresses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut of_this_kind = known.iter().filter(|it| it["via"] == via);
    let address = first_text(&identity["traits"], traits);
    let Some(address) = address.or_else(|| of_this_kind.clone().find_map(|it| text(&it["value"]))) else { return };
    // The identity service stores addresses in lower case.
    let is_same =
        |it: &&Value| it["value"].as_str().is_some_and(|value| value.to_lowercase() == address.to_lowercase());
    let is_verified = of_this_kind.find(is_same).is_some_and(|it| it["verified"] == true);
    claims.insert(claim.to_owned(), json!(address));
    claims.insert(verified.to_owned(), json!(is_verified));
}

/// OpenID Connect Core section 5.1.1: an object with standard members; a string is the formatted address.
fn postal_address(place: &Value) -> Option<Value> {
    if let Some(whole) = text(place) {
        return Some(json!({"formatted": whole}));
    }
    let members = ["formatted", "street_address", "locality", "region", "postal_code", "country"];
    let known = members.iter().filter_map(|name| Some(((*name).to_owned(), json!(text(&place[*name])?))));
    Some(known.collect::<Map<_, _>>()).filter(|known| !known.is_empty()).map(Value::Object)
}

fn first_text<'a>(object: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| text(object.get(*name)?))
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty() && text.len() <= MAX_LENGTH)
}

fn put(claims: &mut Map<String, Value>, claim: &str, value: Option<&str>) {
    if let Some(value) = value {
        claims.insert(claim.to_owned(), json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(identity: &Value, scope: &str) -> Value {
        Value::Object(PersonClaims::of(identity).granted_by(&ScopeSet::parse(scope)))
    }

    fn ada() -> Value {
        json!({
            "traits": {"email": "Ada@example.org", "name": {"first": "Ada", "last": "Lovelace"}, "phone": "+441234567"},
            "verifiable_addresses": [
                {"via": "email", "value": "ada@example.org", "verified": true},
                {"via": "sms", "value": "+441234567", "verified": false},
            ],
            "updated_at": "2026-11-22T10:00:00.5Z",
        })
    }

    #[test]
    fn each_scope_releases_only_its_claims() {
        let expected = json!({"email": "Ada@example.org", "email_verified": true});
        assert_eq!(granted(&ada(), "openid email"), expected);
        let expected = json!({"phone_number": "+441234567", "phone_number_verified": false});
        assert_eq!(granted(&ada(), "openid phone"), expected);
        let expected = json!({
            "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "updated_at": 1_795_341_600,
        });
        assert_eq!(granted(&ada(), "profile openid"), expected);
        assert_eq!(granted(&ada(), "openid offline_access photos"), json!({}));
    }

    #[test]
    fn a_name_may_be_a_string_and_traits_may_have_the_claims_names() {
        let identity = json!({"traits": {
            "name": "Ada", "username": "ada", "locale": "en-GB", "birthdate": "1815-12-10", "address": "London",
        }});
        let expected =
            json!({"name": "Ada", "preferred_username": "ada", "locale": "en-GB", "birthdate": "1815-12-10"});
        assert_eq!(granted(&identity, "profile"), expected);
        assert_eq!(granted(&identity, "address"), json!({"address": {"formatted": "London"}}));
        let parts =
            json!({"traits": {"first_name": "Ada", "last_name": "Lovelace", "address": {"country": "UK", "x": 1}}});
        assert_eq!(granted(&parts, "profile")["name"], "Ada Lovelace");
        assert_eq!(granted(&parts, "address"), json!({"address": {"country": "UK"}}));
    }

    #[test]
    fn an_address_is_verified_only_by_itself() {
        let mut identity = ada();
        identity["traits"]["email"] = json!("eve@example.org");
        assert_eq!(granted(&identity, "email"), json!({"email": "eve@example.org", "email_verified": false}));
        // A phone number is not verified by an email address with the same text.
        identity["verifiable_addresses"] = json!([{"via": "email", "value": "+441234567", "verified": true}]);
        assert_eq!(granted(&identity, "phone")["phone_number_verified"], false);
        // Without a trait of that name, the address that the schema marks is used.
        let only_address =
            json!({"verifiable_addresses": [{"via": "email", "value": "a@b.example", "verified": true}]});
        assert_eq!(granted(&only_address, "email"), json!({"email": "a@b.example", "email_verified": true}));
    }

    #[test]
    fn values_of_the_wrong_type_are_omitted() {
        let odd = json!({"traits": {
            "email": 5, "name": ["Ada"], "picture": "x".repeat(MAX_LENGTH + 1), "nickname": "", "locale": {"a": 1},
            "address": 7,
        }, "verifiable_addresses": "none", "updated_at": "yesterday"});
        assert!(PersonClaims::of(&odd).is_empty());
        assert!(PersonClaims::of(&Value::Null).is_empty());
    }

    #[test]
    fn no_claims_without_openid() {
        assert!(PersonClaims::are_asked_for(&ScopeSet::parse("openid email")));
        assert!(!PersonClaims::are_asked_for(&ScopeSet::parse("email")));
        assert!(!PersonClaims::are_asked_for(&ScopeSet::parse("openid photos")));
    }
}
