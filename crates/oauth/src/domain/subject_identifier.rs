//! Subject identifiers: how clients identify a user (OpenID Connect Core section 8).

use sha2::{Digest, Sha256};
use url::Url;

use super::client::{Client, SubjectType};

/// The `sub` of `subject` for `client`: the subject itself, or for pairwise clients the one that the login application set,
/// else a digest that is unique to the sector.
pub fn shown_subject(client: &Client, subject: &str, forced: Option<&str>, pairwise_salt: Option<&str>) -> String {
    match (client.metadata.subject_type, forced, pairwise_salt) {
        (SubjectType::Public, _, _) | (SubjectType::Pairwise, None, None) => subject.to_owned(),
        (SubjectType::Pairwise, Some(forced), _) => forced.to_owned(),
        (SubjectType::Pairwise, None, Some(salt)) => pairwise(&sector(client), subject, salt),
    }
}

/// OpenID Connect Core section 8.1: clients of one sector get the same identifiers.
fn sector(client: &Client) -> String {
    if !client.metadata.sector_identifier_uri.is_empty() {
        return client.metadata.sector_identifier_uri.clone();
    }
    // Registration ensures that all redirect URIs have one host.
    let first = client.metadata.redirect_uris.first().and_then(|uri| Url::parse(uri).ok());
    match first.as_ref().map(|url| (url.host_str().unwrap_or_default(), url.port())) {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host.to_owned(),
        None => client.id.as_str().to_owned(),
    }
}

fn pairwise(sector: &str, subject: &str, salt: &str) -> String {
    hex::encode(Sha256::new().chain_update(sector).chain_update(subject).chain_update(salt).finalize())
}

#[cfg(test)]
mod tests {
    use base::Timestamp;
    use serde_json::json;

    use super::super::client::ClientId;
    use super::*;

    fn client(metadata: serde_json::Value) -> Client {
        Client {
            id: ClientId::parse("shop").unwrap(),
            secrets: Vec::new(),
            metadata: serde_json::from_value(metadata).unwrap(),
            registration_token: None,
            token_epoch: 0,
            version: 1,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn public_clients_get_the_subject() {
        assert_eq!(shown_subject(&client(json!({})), "ada", Some("forced"), Some("saltsalt")), "ada");
    }

    #[test]
    fn pairwise_clients_of_one_sector_get_the_same_identifier() {
        let of = |redirect: &str| {
            let client = client(json!({"subject_type": "pairwise", "redirect_uris": [redirect]}));
            shown_subject(&client, "ada", None, Some("saltsalt"))
        };
        assert_eq!(of("https://a.example/1"), of("https://a.example/2"));
        assert_ne!(of("https://a.example/1"), of("https://b.example/1"));
        assert_ne!(of("https://a.example/1"), of("https://a.example:8443/1"));
        // hex(SHA-256("a.example" || "ada" || "saltsalt"))
        assert_eq!(of("https://a.example/1"), pairwise("a.example", "ada", "saltsalt"));
        assert_eq!(of("https://a.example/1").len(), 64);
    }

    #[test]
    fn a_forced_identifier_takes_precedence() {
        let client = client(json!({"subject_type": "pairwise", "redirect_uris": ["https://a.example"]}));
        assert_eq!(shown_subject(&client, "ada", Some("forced"), Some("saltsalt")), "forced");
    }
}
