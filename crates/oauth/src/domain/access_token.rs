//! Access tokens need no row: all data for resource servers is in the token, sealed (opaque tokens) or signed (JWT, whose
//! `jti` contains the sealed provenance).
//!
//! Invariants: a token is invalid once it expired, once its grant was revoked or rotated past it, or once its client
//! revoked all tokens. The token names its grant, generation and epoch; the rows hold the current values.

use std::time::Duration;

use base::{PlainToken, Sealer, TenantId, Timestamp};
use oauth_types::ScopeSet;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::client::ClientId;
use super::grant::{Grant, GrantId};
use super::sealed_token::{ACCESS_TOKEN, JWT_ID};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    pub provenance: Provenance,
    pub client_id: ClientId,
    pub subject: String,
    pub scope: ScopeSet,
    pub audience: Vec<String>,
    /// Custom claims of a client that acts for itself; those of a grant are stored in its row.
    pub ext: Map<String, Value>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The basis of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provenance {
    pub jti: Uuid,
    /// The client's token epoch when the token was issued.
    pub epoch: i64,
    /// The grant and its generation; `None` when the client acts for itself.
    pub grant: Option<(GrantId, i32)>,
}

/// The generation of tokens that the authorization endpoint issues: a refresh does not end them, only the end of their
/// grant does.
pub const FRONT_CHANNEL: i32 = -1;

/// The first byte of a sealed payload: its format.
const WITH_GRANT: u8 = 1;
const WITHOUT_GRANT: u8 = 2;

impl AccessToken {
    /// A token for a grant; its custom claims are stored in the grant's row.
    pub fn of_grant(grant: &Grant, provenance: Provenance, issued_at: Timestamp, lifetime: Duration) -> Self {
        Self {
            provenance,
            client_id: grant.client_id.clone(),
            subject: grant.subject.clone(),
            scope: grant.scope.clone(),
            audience: grant.audience.clone(),
            ext: Map::new(),
            issued_at,
            expires_at: issued_at.plus(lifetime),
        }
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// An opaque token.
    pub fn seal(&self, sealer: &Sealer, tenant: TenantId) -> PlainToken {
        let mut writer = Writer(Vec::with_capacity(192));
        self.provenance.write(&mut writer);
        writer.bytes(&self.issued_at.unix_micros().to_be_bytes());
        writer.bytes(&self.expires_at.unix_micros().to_be_bytes());
        writer.text(self.client_id.as_str());
        // A client that acts for itself is its own subject.
        writer.text(if self.subject == self.client_id.as_str() { "" } else { &self.subject });
        writer.text(&self.scope.to_string());
        writer.text(&if self.ext.is_empty() { String::new() } else { Value::Object(self.ext.clone()).to_string() });
        for audience in &self.audience {
            writer.text(audience);
        }
        ACCESS_TOKEN.seal(sealer, tenant, &writer.0)
    }

    /// `None` when the token was not issued by this service.
    pub fn open(sealer: &Sealer, tenant: TenantId, token: &PlainToken) -> Option<Self> {
        let payload = ACCESS_TOKEN.open(sealer, tenant, token.expose())?;
        let mut reader = Reader(&payload);
        let provenance = Provenance::read(&mut reader)?;
        let issued_at = Timestamp::from_unix_micros(i64::from_be_bytes(reader.array()?));
        let expires_at = Timestamp::from_unix_micros(i64::from_be_bytes(reader.array()?));
        let client_id = ClientId::parse(reader.text()?).ok()?;
        let subject = match reader.text()? {
            "" => client_id.as_str().to_owned(),
            subject => subject.to_owned(),
        };
        let scope = ScopeSet::parse(reader.text()?);
        let ext = match reader.text()? {
            "" => Map::new(),
            text => serde_json::from_str(text).ok()?,
        };
        let mut audience = Vec::new();
        while !reader.0.is_empty() {
            audience.push(reader.text()?.to_owned());
        }
        Some(Self { provenance, client_id, subject, scope, audience, ext, issued_at, expires_at })
    }
}

impl Provenance {
    /// Encoded as the `jti` of a JWT.
    pub fn seal_as_jti(&self, sealer: &Sealer, tenant: TenantId) -> String {
        let mut writer = Writer(Vec::with_capacity(48));
        self.write(&mut writer);
        JWT_ID.seal(sealer, tenant, &writer.0).expose().to_owned()
    }

    pub fn open_jti(sealer: &Sealer, tenant: TenantId, jti: &str) -> Option<Self> {
        let payload = JWT_ID.open(sealer, tenant, jti)?;
        Self::read(&mut Reader(&payload))
    }

    fn write(&self, writer: &mut Writer) {
        writer.0.push(if self.grant.is_some() { WITH_GRANT } else { WITHOUT_GRANT });
        writer.bytes(self.jti.as_bytes());
        writer.bytes(&self.epoch.to_be_bytes());
        if let Some((grant, generation)) = self.grant {
            writer.bytes(grant.as_uuid().as_bytes());
            writer.bytes(&generation.to_be_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [kind] = reader.array()?;
        let jti = Uuid::from_bytes(reader.array()?);
        let epoch = i64::from_be_bytes(reader.array()?);
        let grant = match kind {
            WITH_GRANT => {
                let id = GrantId::from_uuid(Uuid::from_bytes(reader.array()?));
                Some((id, i32::from_be_bytes(reader.array()?)))
            }
            WITHOUT_GRANT => None,
            _ => return None,
        };
        Some(Self { jti, epoch, grant })
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A length in two bytes, then the string. The request's size limit keeps every string shorter than that.
    fn text(&mut self, text: &str) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.bytes(&length.to_be_bytes());
        self.bytes(text.as_bytes().get(..usize::from(length)).unwrap_or_default());
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use base::{Rng, Secret};
    use proptest::prelude::*;

    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&[Secret::new("a secret of some length".to_owned())], Rng::seeded(1)).unwrap()
    }

    proptest! {
        #[test]
        fn a_token_round_trips(
            subject in "\\PC{1,40}",
            scope in "[a-z. ]{0,40}",
            audience in proptest::collection::vec("[a-z:/.]{1,30}", 0..4),
            with_grant in any::<bool>(),
            generation in any::<i32>(),
            epoch in any::<i64>(),
        ) {
            let rng = Rng::seeded(2);
            let token = AccessToken {
                provenance: Provenance {
                    jti: rng.uuid(),
                    epoch,
                    grant: with_grant.then(|| (GrantId::generate(&rng), generation)),
                },
                client_id: ClientId::parse("client-1").unwrap(),
                subject,
                scope: ScopeSet::parse(&scope),
                audience,
                ext: if with_grant { Map::new() } else { Map::from_iter([("tier".to_owned(), Value::from(epoch))]) },
                issued_at: Timestamp::from_unix_seconds(1),
                expires_at: Timestamp::from_unix_seconds(2),
            };
            let sealed = token.seal(&sealer(), TenantId::DEFAULT);
            let jti = token.provenance.seal_as_jti(&sealer(), TenantId::DEFAULT);
            prop_assert_eq!(Provenance::open_jti(&sealer(), TenantId::DEFAULT, &jti), Some(token.provenance));
            prop_assert_eq!(AccessToken::open(&sealer(), TenantId::DEFAULT, &sealed), Some(token));
            prop_assert_eq!(AccessToken::open(&sealer(), TenantId::from_i32(5), &sealed), None);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let token = PlainToken::received(format!("ory_at_{text}"));
            prop_assert_eq!(AccessToken::open(&sealer(), TenantId::DEFAULT, &token), None);
        }
    }

    #[test]
    fn an_opaque_token_is_short_enough_for_a_header() {
        let rng = Rng::seeded(2);
        let token = AccessToken {
            provenance: Provenance { jti: rng.uuid(), epoch: 1, grant: Some((GrantId::generate(&rng), 1)) },
            client_id: ClientId::parse(&rng.uuid().to_string()).unwrap(),
            subject: rng.uuid().to_string(),
            scope: ScopeSet::parse("openid offline_access email profile"),
            audience: vec!["https://api.example/v1".to_owned()],
            ext: Map::new(),
            issued_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
        };
        let length = token.seal(&sealer(), TenantId::DEFAULT).expose().len();
        assert!(length < 400, "{length}");
    }
}
