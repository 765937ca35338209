//! Consents in the admin API: list them, and revoke them together with their tokens.

use base::{Context, Page, PageRequest, Timestamp};

use crate::OAuth;
use crate::domain::client::{Client, ClientId};
use crate::domain::consent::{Consent, ConsentDetails};
use crate::domain::event::Event;
use crate::domain::grant::GrantId;
use crate::domain::login_session::LoginSessionId;
use crate::storage::consents::ConsentKey;
use crate::storage::{clients, consents, revocations};

pub(super) const CONSENT_DETAILS: base::seal::Purpose = base::seal::Purpose("oauth consent details");

/// For a user with more consents, only the clients of the newest ones are listed.
const CONSENTS_LOOKED_AT: i64 = 500;

/// A consent with its full request and decision.
#[derive(Debug)]
pub struct ConsentRecord {
    pub consent: Consent,
    pub details: ConsentDetails,
    /// `None` when the client has been deleted.
    pub client: Option<Client>,
    pub request_url: String,
}

/// Which consents to revoke.
#[derive(Clone, Debug)]
pub enum RevokeConsents {
    One(GrantId),
    OfSubject(String),
    OfSubjectAndClient(String, ClientId),
}

impl OAuth {
    pub async fn list_consents(
        &self,
        cx: &Context,
        subject: &str,
        session: Option<LoginSessionId>,
        page: &PageRequest<ConsentKey>,
    ) -> Result<Page<ConsentRecord, ConsentKey>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let Page { items, next } = consents::list(&mut tx, subject, session, page, cx.now).await?;
        let mut records: Vec<ConsentRecord> = Vec::with_capacity(items.len());
        for (consent, sealed) in items {
            let details = self.open_details(cx, &sealed)?;
            let known = records.iter().find(|record| record.consent.client_id == consent.client_id);
            let client = match known {
                Some(record) => record.client.clone(),
                None => clients::find(&mut tx, &consent.client_id).await?,
            };
            let request_url = self.config.authorization_url(&details.flow.query);
            records.push(ConsentRecord { consent, details, client, request_url });
        }
        Ok(Page { items: records, next })
    }

    /// The existing clients with a consent of the user, each once: at most `limit`, of the newest consents.
    pub async fn connected_clients(
        &self,
        cx: &Context,
        subject: &str,
        limit: usize,
    ) -> Result<Vec<(Client, Timestamp)>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let mut connected = Vec::new();
        let found = consents::clients_of_subject(&mut tx, subject, CONSENTS_LOOKED_AT, cx.now).await?;
        for (id, consented_at) in found.into_iter().take(limit) {
            if let Some(client) = clients::find(&mut tx, &id).await? {
                connected.push((client, consented_at));
            }
        }
        Ok(connected)
    }

    fn open_details(&self, cx: &Context, sealed: &[u8]) -> Result<ConsentDetails, database::Error> {
        let inconsistent = |what: String| database::Error::inconsistent("oauth_consents", what);
        let text =
            self.sealer.open(CONSENT_DETAILS, cx.tenant, sealed).map_err(|error| inconsistent(error.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| inconsistent(error.to_string()))
    }

    /// Revokes consents. Their codes, refresh tokens and access tokens end in the same transaction.
    pub async fn revoke_consents(&self, cx: &Context, which: &RevokeConsents) -> Result<(), database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        let found;
        let event = match which {
            RevokeConsents::One(id) => {
                let grant = revocations::revoke(&mut tx, *id, cx.now).await?;
                // A consent that was skipped has a grant alone.
                found = consents::delete(&mut tx, *id).await?.or(grant);
                let Some((subject, client)) = &found else { return Ok(()) };
                Event::ConsentRevoked { subject, client_id: Some(client), consent_request_id: Some(*id) }
            }
            RevokeConsents::OfSubject(subject) => {
                revocations::revoke_by_subject(&mut tx, subject, cx.now).await?;
                consents::delete_by_subject(&mut tx, subject).await?;
                Event::ConsentRevoked { subject, client_id: None, consent_request_id: None }
            }
            RevokeConsents::OfSubjectAndClient(subject, client) => {
                revocations::revoke_by_subject_and_client(&mut tx, subject, client, cx.now).await?;
                consents::delete_by_subject_and_client(&mut tx, subject, client).await?;
                Event::ConsentRevoked { subject, client_id: Some(client), consent_request_id: None }
            }
        };
        jobs::append(&mut tx, cx, &[event]).await?;
        tx.commit().await
    }
}
