//! Registrations that are pending until their address is confirmed
//! (`selfservice.flows.registration.confirm_address_first`).
//!
//! The account is created when the code is entered. Until then the verification flow contains the registrant's data,
//! sealed. Invariants:
//! - A registration with a taken address is indistinguishable from any other by its response and its duration: the same
//!   rows are written and a mail is sent. Only the mail differs: it notifies the owner of the address.
//! - No account that was registered this way has an unconfirmed address, so nobody can register an address of another
//!   person in advance.
//! - Confirming the address signs in only the browser that registered: the flow is bound to it by its CSRF cookie.
//! - Only a code that was sent to an address of the registrant creates the account.

use base::seal::Purpose;
use base::{Context, PlainToken, Timestamp};
use database::WriteTx;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Identity;
use crate::components::attempts::{CountedMessage, FamiliarClients, MessageAdmission};
use crate::components::codes::Recipient;
use crate::components::courier::Template;
use crate::components::schemas::UnknownSchema;
use crate::domain::event::{Event, FlowOutcome};
use crate::domain::flow::{Flow, Verification};
use crate::domain::message::validation;
use crate::domain::registration::{Names, Waiting, wait};
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, Credential, CredentialType, IdentityId, Session, VerifiableAddress};
use crate::flows::answer::Answer;
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::events::{self, acting_as};
use crate::flows::hooks::VerificationOf;
use crate::flows::visitor::Visitor;
use crate::storage;
use crate::storage::identities::StoreError;

use super::complete::{Completion, Registered, mark_sent};
use super::step::Registrant;

const SEALED: Purpose = Purpose("identity registrant");

/// The data of a registrant in a verification flow.
#[derive(Serialize, Deserialize)]
struct Pending {
    identity_id: IdentityId,
    schema_id: String,
    traits: Value,
    password_hash: String,
    registered_at: Timestamp,
}

/// A registrant whose account was created.
pub(crate) struct ConfirmedAccount {
    pub(crate) identity: domain::Identity,
    /// Only for the browser that registered.
    pub(crate) session: Option<(Session, PlainToken)>,
    pub(crate) new_device: Option<PlainToken>,
}

impl Identity {
    /// Starts the verification of the registrant's address, in the same way whether or not the address is taken.
    pub(super) async fn require_confirmation(
        &self,
        cx: &Context,
        completion: &Completion<'_>,
        registrant: Registrant,
    ) -> Result<Answer, StepError> {
        let Completion { caller, flow, .. } = completion;
        let mut identity = registrant.identity;
        let sealed = self.seal_registrant(cx, &identity)?;
        let owners = self.owners(cx, &identity).await?;
        let waiting = wait(if owners.is_empty() {
            Names::Free
        } else {
            Names::Taken { is_reachable: owners.iter().all(Option::is_some) }
        });
        if waiting == Waiting::Refused {
            self.attempts.count_taken(cx).await?;
            return Err(StepError::general(validation::identifier_taken()));
        }
        let address =
            Self::address_to_verify(&identity, None).ok_or(SubmitError::Broken("no address to confirm"))?.clone();
        let mut tx = self.database.write(cx.tenant).await?;
        let of = VerificationOf {
            is_real: waiting == Waiting::Registrant,
            oauth2: flow.details.oauth2.clone(),
            registrant: Some(sealed),
            transient_payload: registrant.transient_payload,
            ..completion.verification_of(&identity)
        };
        let begun = self.begin_verification_of(&mut tx, cx, of, &address).await?;
        for owner in owners.iter().flatten() {
            let recipient = Recipient {
                person: None,
                via: owner.via,
                address: &owner.value,
                is_owner_of_taken: true,
                caller,
                is_asked_for: false,
            };
            self.notify_owner(&mut tx, cx, &recipient, &flow.request_url).await?;
        }
        mark_sent(&mut identity, &begun.address);
        events::append(&mut tx, cx, flow, FlowOutcome::AwaitsAddress, None).await?;
        tx.commit().await?;
        let registered = Registered { identity, session: None, verification: Some(begun) };
        Ok(self.answer_registrant(cx, completion, registered).await?)
    }

    /// For each identifier or address of the registrant that is taken: the address where its owner is notified; `None`
    /// if it is not an address.
    async fn owners(
        &self,
        cx: &Context,
        registrant: &domain::Identity,
    ) -> Result<Vec<Option<VerifiableAddress>>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let mut taken: Vec<String> = Vec::new();
        for credential in registrant.credentials.values() {
            for identifier in &credential.identifiers {
                if storage::credentials::find_owner(&mut tx, credential.kind(), identifier).await?.is_some() {
                    taken.push(identifier.clone());
                }
            }
        }
        for address in &registrant.verifiable_addresses {
            if storage::identities::find_verifiable(&mut tx, address.via, &address.value).await?.is_some() {
                taken.push(address.value.clone());
            }
        }
        for address in &registrant.recovery_addresses {
            if storage::identities::find_recovery(&mut tx, address.via, &address.value).await?.is_some() {
                taken.push(address.value.clone());
            }
        }
        taken.sort();
        taken.dedup();
        let address =
            |value: &String| registrant.verifiable_addresses.iter().find(|known| known.value == *value).cloned();
        Ok(taken.iter().map(address).collect())
    }

    /// Notifies the owner of an address that somebody tried to register with it.
    pub(in crate::flows) async fn notify_owner(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        recipient: &Recipient<'_>,
        request_url: &str,
    ) -> Result<(), SubmitError> {
        let Recipient { via, address, caller, is_asked_for, .. } = *recipient;
        let message = CountedMessage { caller, recipient: address, person: None, is_asked_for };
        if self.attempts.count_message(tx, cx, &message).await? != MessageAdmission::Withheld {
            let data = json!({ "to": address, "request_url": request_url });
            self.courier.queue(tx, cx, Template::RegistrationTaken, via, address, data).await?;
        }
        Ok(())
    }

    fn seal_registrant(&self, cx: &Context, identity: &domain::Identity) -> Result<String, SubmitError> {
        let hash = identity.credential(CredentialType::Password).and_then(Credential::password_hash);
        let pending = Pending {
            identity_id: identity.id,
            schema_id: identity.schema_id.clone(),
            traits: identity.traits.clone(),
            password_hash: hash.ok_or(SubmitError::Broken("a sign-up without a password"))?.to_owned(),
            registered_at: cx.now,
        };
        let plain = serde_json::to_vec(&pending).map_err(|_| SubmitError::Broken("a registrant cannot be written"))?;
        Ok(self.sealer.seal_text(SEALED, cx.tenant, &plain))
    }

    /// The registrant in a verification flow, as an identity that can be stored.
    pub(crate) fn registrant_of(
        &self,
        cx: &Context,
        flow: &Flow<Verification>,
    ) -> Result<Option<(domain::Identity, AuthenticationMethod)>, SubmitError> {
        let Some(sealed) = &flow.details.registrant else { return Ok(None) };
        let broken = SubmitError::Broken("a registrant cannot be read");
        let Ok(plain) = self.sealer.open_text(SEALED, cx.tenant, sealed) else { return Err(broken) };
        let Ok(pending) = serde_json::from_slice::<Pending>(&plain) else { return Err(broken) };
        let schema = self.schemas.by_id(Some(&pending.schema_id))?;
        // If the schema has changed and rejects the traits, the user must register again.
        let Ok((mut identity, derived)) = self.registrant(cx, &schema, pending.traits) else {
            return Err(UnknownSchema(pending.schema_id).into());
        };
        identity.id = pending.identity_id;
        let credential = Credential::password(derived.password, &pending.password_hash, cx.now);
        identity.credentials.insert(CredentialType::Password, credential);
        identity.refresh_available_aal(self.session_policy.factor_rules());
        let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, pending.registered_at);
        Ok(Some((identity, method)))
    }

    /// Writes the account of a registrant who confirmed an address; `None` if one of its identifiers was taken in the
    /// meantime.
    pub(crate) async fn create_confirmed_account(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        visitor: &Visitor,
        (identity, method): (domain::Identity, AuthenticationMethod),
        signs_in: bool,
    ) -> Result<Option<ConfirmedAccount>, SubmitError> {
        match storage::identities::insert(tx, self.tenant_sealer(cx), &identity).await {
            Ok(()) => {}
            Err(StoreError::Taken(_) | StoreError::Stale) => return Ok(None),
            Err(StoreError::Database(error)) => return Err(error.into()),
        }
        let cx = &acting_as(cx, identity.id);
        let session = signs_in.then(|| {
            let device = visitor.device(&self.rng);
            Session::issue(&self.rng, identity.id, method, device, self.session_policy.lifespan(), cx.now)
        });
        let mut happened = vec![Event::IdentityCreated((&identity).into())];
        let mut new_device = None;
        if let Some((session, _)) = &session {
            storage::sessions::insert(tx, session).await?;
            happened.push(Event::SessionIssued(session.into()));
            let (caller, none) = (visitor.caller(cx, None), FamiliarClients::default());
            new_device = self.attempts.remember(tx, cx, &caller, identity.id, &none, true).await?;
        }
        jobs::append(tx, cx, &happened).await?;
        Ok(Some(ConfirmedAccount { identity, session, new_device }))
    }
}
