//! The configured hooks that run when a flow ends.

use base::Context;
use database::WriteTx;
use serde_json::{Value, json};
use url::Url;

use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::continue_with::{ContinueWith, VerificationUi};
use crate::domain::flow::FlowKind;
use crate::domain::flow::{Beginning, Flow, OAuth2Request, Verification, with_flow};
use crate::domain::message::verification as messages;
use crate::domain::{self, AddressStatus, CredentialType, SessionId, VerifiableAddress, Via};
use crate::storage;

use super::code_purpose::purpose;
use super::errors::SubmitError;
use super::visitor::Browser;
use crate::components::attempts::Caller;
use crate::components::codes::Recipient;

/// A verification that a hook began.
#[derive(Clone, Debug)]
pub(crate) struct BegunVerification {
    pub flow: Flow<Verification>,
    pub address: String,
    /// The page of the flow, for browsers.
    pub url: String,
}

impl BegunVerification {
    pub(crate) fn continue_with(&self) -> ContinueWith {
        let url = self.flow.is_browser().then(|| self.url.clone());
        ContinueWith::ShowVerificationUi {
            flow: VerificationUi { id: self.flow.id, verifiable_address: self.address.clone(), url },
        }
    }
}

/// The parameters of a new verification.
pub(crate) struct VerificationOf<'a> {
    pub person: &'a domain::Identity,
    /// `false` if the verification is only simulated: no code is sent.
    pub is_real: bool,
    pub flow_type: FlowType,
    pub request_url: &'a str,
    pub return_to: Option<String>,
    pub browser: &'a Browser,
    pub session_id: Option<SessionId>,
    pub oauth2: Option<OAuth2Request>,
    /// The sealed registration that waits for this verification.
    pub registrant: Option<String>,
    /// The payload of the submission, for message templates.
    pub transient_payload: Option<Value>,
    pub caller: &'a Caller,
}

impl Identity {
    /// The first address that is not verified yet.
    pub(crate) fn address_to_verify(
        person: &domain::Identity,
        status: Option<AddressStatus>,
    ) -> Option<&VerifiableAddress> {
        let mut addresses = person.verifiable_addresses.iter();
        addresses.find(|address| !address.verified && status.is_none_or(|status| address.status == status))
    }

    /// Begins a verification of `address` and sends its code, in the transaction that made it necessary.
    pub(crate) async fn begin_verification_of(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        of: VerificationOf<'_>,
        address: &VerifiableAddress,
    ) -> Result<BegunVerification, SubmitError> {
        let beginning = Beginning {
            flow_type: of.flow_type,
            request_url: &without_return_to(of.request_url),
            lifespan: self.flow_policy.lifespan(FlowKind::Verification),
            public_url: self.urls.public(),
            csrf: Some(&of.browser.secret),
        };
        let details = Verification {
            identity_id: of.is_real.then_some(of.person.id),
            session_id: of.session_id,
            oauth2: of.oauth2,
            registrant: of.registrant,
            ..Verification::default()
        };
        let method = match address.via {
            Via::Email => self.method_for(&details)?,
            // Links are not sent by text message.
            Via::Sms => CredentialType::Code,
        };
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.return_to = of.return_to;
        flow.active = Some(method);
        let person = of.is_real.then_some(of.person);
        let recipient = Recipient {
            person,
            via: address.via,
            address: &address.value,
            is_owner_of_taken: !of.is_real,
            caller: of.caller,
            is_asked_for: false,
        };
        self.show_sent(cx, &mut flow, &address.value, &recipient, messages::code_sent_to(address.via, &address.value));
        storage::flows::insert(tx, &flow).await?;
        let extra = json!({ "transient_payload": of.transient_payload });
        self.codes.send(tx, cx, purpose(&flow), &flow, &recipient, Some(&extra)).await?;
        // The address of a pending registration has no row yet, and that of a new account was written as sent.
        if of.is_real && flow.details.registrant.is_none() && address.status == AddressStatus::Pending {
            storage::identities::mark_sent(tx, address.id, cx.now).await?;
        }
        let url = with_flow(self.urls.page(FlowKind::Verification), flow.id);
        Ok(BegunVerification { flow, address: address.value.clone(), url })
    }
}

/// The URL of a request without `return_to` and `after_verification_return_to`, which a verification sets itself.
fn without_return_to(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != "return_to" && key != "after_verification_return_to")
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_does_not_inherit_the_return_url() {
        assert_eq!(without_return_to("https://x/y?return_to=a&b=c"), "https://x/y?b=c");
        assert_eq!(without_return_to("https://x/y?return_to=a"), "https://x/y");
    }
}
