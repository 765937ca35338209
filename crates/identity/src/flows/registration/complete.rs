//! The end of a registration: the identity, its first session when one is wanted, and what the hooks add.

use base::{Context, PlainToken};
use serde_json::Value;
use url::Url;

use crate::Identity;
use crate::components::attempts::{Caller, FamiliarClients};
use crate::components::codes::Recipient;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::continue_with::{ContinueWith, ShownToken};
use crate::domain::credential::CredentialConfig;
use crate::domain::event::{Event, FlowOutcome};
use crate::domain::flow::{Flow, FlowKind, OAuth2Request, Registration};
use crate::domain::hooks::Hooks;
use crate::domain::message::{Message, flow as flow_messages, validation};
use crate::domain::{self, AddressStatus, Session};
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::events::{self, acting_as};
use crate::flows::hooks::{BegunVerification, VerificationOf};
use crate::flows::language;
use crate::flows::login::some_if_any;
use crate::flows::views::{Body, IdentityBody, RegisteredView, SessionBody};
use crate::flows::visitor::{Browser, Visitor};
use crate::storage;
use crate::storage::identities::{StoreError, Taken};

use super::step::Registrant;

/// What the transaction made.
pub(super) struct Registered {
    pub identity: domain::Identity,
    pub session: Option<(Session, PlainToken)>,
    pub verification: Option<BegunVerification>,
}

impl Identity {
    pub(super) async fn complete_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        flow: &Flow<Registration>,
        registrant: Registrant,
    ) -> Result<Answer, SubmitError> {
        let cx = &language::of_flow(&self.ui, cx, flow);
        let used = registrant.method.method;
        let hooks = self.flow_policy.hooks_after(FlowKind::Registration, used);
        let fallback = self.urls.after(FlowKind::Registration, Some(used));
        let wanted = flow.wanted_return_to();
        let return_to = if flow.details.oauth2.is_some() && flow.return_to.is_some() {
            wanted.and_then(|url| url.parse().ok()).unwrap_or(fallback)
        } else {
            self.urls.returns().resolve(wanted.as_deref(), &fallback).map_err(FlowError::from)?
        };

        if self.waits_for_address(hooks, &registrant) {
            return self.await_address(cx, visitor, browser, flow, registrant, hooks, return_to).await;
        }
        let Registrant { mut identity, method, redeem_code, transient_payload } = registrant;
        identity.refresh_available_aal(self.session_policy.factor_rules());
        // A session is made only when somebody is to hold it: the registrant, or the OAuth2 login that waits for them.
        let needs_session = hooks.session || flow.details.oauth2.is_some();
        let session = needs_session.then(|| {
            let device = visitor.device(&self.rng);
            Session::issue(&self.rng, identity.id, method, device, self.session_policy.lifespan(), cx.now)
        });

        let caller = visitor.caller(cx, None);
        let mut tx = self.database.write(cx.tenant).await?;
        if let Some(code) = redeem_code
            && !storage::codes::redeem(&mut tx, code, cx.now).await?
        {
            return Err(SubmitError::general(flow_messages::registration_code_invalid()));
        }
        match storage::identities::insert(&mut tx, self.tenant_sealer(cx), &identity).await {
            Ok(()) => {}
            Err(StoreError::Taken(taken)) => {
                drop(tx);
                // Where accounts are hidden, somebody who is here already looks like a registrant; only a session, which
                // cannot be given away, would tell the difference.
                if let Some(address) = self.hidden_address(needs_session, &identity, &taken) {
                    let registered = self
                        .pretend_registration(cx, &caller, browser, flow, identity, address, transient_payload)
                        .await?;
                    return self.answer_registrant(cx, visitor, flow, registered, hooks, return_to).await;
                }
                self.attempts.count_taken(cx).await?;
                return Err(SubmitError::general(self.taken_message(cx, taken).await?));
            }
            Err(StoreError::Stale) => return Err(FlowError::FlowChanged.into()),
            Err(StoreError::Database(error)) => return Err(error.into()),
        }
        // From here on it is the registrant who acts.
        let cx = &acting_as(cx, identity.id);
        jobs::append(&mut tx, cx, &[Event::IdentityCreated((&identity).into())]).await?;
        if let Some((session, _)) = &session {
            storage::sessions::insert(&mut tx, session).await?;
            jobs::append(&mut tx, cx, &[Event::SessionIssued(session.into())]).await?;
        }
        let is_signed_in = flow.is_browser() && hooks.session;
        let unknown = FamiliarClients::default();
        let new_device = self.attempts.remember(&mut tx, cx, &caller, identity.id, &unknown, is_signed_in).await?;
        let to_verify =
            Self::address_to_verify(&identity, None).filter(|_| self.flow_policy.is_enabled(FlowKind::Verification));
        let verification = match to_verify {
            Some(address) => {
                let of = VerificationOf {
                    person: &identity,
                    is_real: true,
                    flow_type: flow.flow_type,
                    request_url: &flow.request_url,
                    return_to: flow.requested("after_verification_return_to").or_else(|| flow.wanted_return_to()),
                    browser,
                    session_id: session.as_ref().map(|(session, _)| session.id),
                    // Unless the page of this flow comes first, the login is accepted at once, and a challenge counts once.
                    oauth2: flow.details.oauth2.clone().filter(|_| hooks.show_verification_ui),
                    registrant: None,
                    transient_payload,
                    caller: &caller,
                };
                Some(self.begin_verification_of(&mut tx, cx, of, address).await?)
            }
            None => None,
        };
        if let Some(begun) = &verification {
            mark_sent(&mut identity, &begun.address);
        }
        events::append_success(&mut tx, cx, flow, identity.id).await?;
        tx.commit().await?;

        let registered = Registered { identity, session, verification };
        let answer = self.answer_registrant(cx, visitor, flow, registered, hooks, return_to).await?;
        Ok(answer.with_device(new_device))
    }

    /// Says that an identifier is taken, and where that is wanted how its owner signs in.
    async fn taken_message(&self, cx: &Context, taken: Taken) -> Result<Message, database::Error> {
        let Taken::Identifier { kind, identifier } = taken else { return Ok(validation::identifier_taken()) };
        if !self.flow_policy.gives_login_hints() {
            return Ok(validation::identifier_taken());
        }
        let mut tx = self.database.read(cx.tenant);
        let owner = storage::identities::find_by_identifier(&mut tx, self.tenant_sealer(cx), kind, &identifier).await?;
        let Some(owner) = owner else { return Ok(validation::identifier_taken()) };
        let mut types = Vec::new();
        let mut providers = Vec::new();
        for credential in owner.credentials.values() {
            if let CredentialConfig::Oidc(linked) = &credential.config {
                providers.extend(linked.providers.iter().map(|it| it.provider.clone()));
            }
            if credential.factors(self.session_policy.factor_rules()).first > 0 {
                types.push(credential.kind().as_str());
            }
        }
        Ok(validation::identifier_taken_by(&identifier, &types, &providers))
    }

    /// The address whose holder can be told instead of the asker, where a taken name can be hidden at all.
    fn hidden_address(
        &self,
        needs_session: bool,
        registrant: &domain::Identity,
        taken: &Taken,
    ) -> Option<domain::VerifiableAddress> {
        let value = match taken {
            Taken::Identifier { identifier, .. } => identifier,
            Taken::VerifiableAddress(value) | Taken::RecoveryAddress(value) => value,
            Taken::ExternalId => return None,
        };
        if !self.flow_policy.hides_accounts() || needs_session {
            return None;
        }
        registrant.verifiable_addresses.iter().find(|address| address.value == *value).cloned()
    }

    /// Does what a registration would be seen to do, and registers nobody.
    #[expect(clippy::too_many_arguments, reason = "the parts of one step, each from another place")]
    async fn pretend_registration(
        &self,
        cx: &Context,
        caller: &Caller,
        browser: &Browser,
        flow: &Flow<Registration>,
        mut identity: domain::Identity,
        taken: domain::VerifiableAddress,
        transient_payload: Option<Value>,
    ) -> Result<Registered, FlowError> {
        let mut tx = self.database.write(cx.tenant).await?;
        let to_verify =
            Self::address_to_verify(&identity, None).filter(|_| self.flow_policy.is_enabled(FlowKind::Verification));
        let verification = match to_verify {
            Some(address) => {
                let of = VerificationOf {
                    person: &identity,
                    is_real: false,
                    flow_type: flow.flow_type,
                    request_url: &flow.request_url,
                    return_to: flow.requested("after_verification_return_to").or_else(|| flow.wanted_return_to()),
                    browser,
                    session_id: None,
                    oauth2: None,
                    registrant: None,
                    transient_payload,
                    caller,
                };
                Some(self.begin_verification_of(&mut tx, cx, of, address).await?)
            }
            None => None,
        };
        if let Some(begun) = &verification {
            mark_sent(&mut identity, &begun.address);
        }
        let holder = Recipient {
            person: None,
            via: taken.via,
            address: &taken.value,
            is_holders: true,
            caller,
            is_asked_for: false,
        };
        self.tell_holder(&mut tx, cx, &holder, &flow.request_url).await?;
        events::append(&mut tx, cx, flow, FlowOutcome::Failed, Some("the identifier is taken")).await?;
        tx.commit().await?;
        Ok(Registered { identity, session: None, verification })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one answer, each from another step")]
    pub(super) async fn answer_registrant(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Registration>,
        mut registered: Registered,
        hooks: Hooks,
        return_to: Url,
    ) -> Result<Answer, SubmitError> {
        let is_shown = hooks.show_verification_ui || self.flow_policy.confirms_addresses_first();
        registered.verification = registered.verification.filter(|_| is_shown);
        self.registered_answer(cx, visitor, flow, registered, hooks.session, return_to).await.map_err(SubmitError::from)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one answer, each from another step")]
    async fn registered_answer(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Registration>,
        registered: Registered,
        shows_session: bool,
        return_to: Url,
    ) -> Result<Answer, FlowError> {
        let Registered { identity, session, verification } = registered;
        let mut continue_with: Vec<ContinueWith> = verification.iter().map(BegunVerification::continue_with).collect();
        let shown = session.as_ref().filter(|_| shows_session);
        let public_url = self.urls.public();
        let mut body = RegisteredView {
            identity: IdentityBody::new(identity.clone(), public_url.clone()),
            session: shown.map(|(session, _)| SessionBody {
                session: session.clone(),
                identity: Some(identity.clone()),
                public_url: public_url.clone(),
                now: cx.now,
            }),
            session_token: None,
            continue_with: None,
        };

        if flow.flow_type == FlowType::Api {
            if let Some((_, token)) = shown {
                body.session_token = Some(ShownToken(token.clone()));
                continue_with.push(ContinueWith::SetOrySessionToken { ory_session_token: ShownToken(token.clone()) });
            }
            body.continue_with = some_if_any(continue_with);
            return Ok(Answer::new(
                FlowType::Api,
                Content::Done { body: Some(Body::Registered(Box::new(body))), redirect: return_to.into() },
            ));
        }

        // A session that the browser had belongs to another person, so it must not stand beside the new account.
        let replaces_session =
            !shows_session && flow.details.oauth2.as_ref().is_some_and(OAuth2Request::asks_for_registration);
        let with_cookie =
            |answer: Answer| if replaces_session { answer.with(CookieChange::SessionEnded) } else { answer };
        let mut next = return_to.to_string();
        if let (Some(oauth2), Some((session, _)), None) = (&flow.details.oauth2, &session, &verification) {
            next = match self.accept_login(cx, oauth2, session, &identity).await {
                Err(FlowError::SessionAal2Required { redirect_browser_to }) => redirect_browser_to,
                other => other?,
            };
            if visitor.wants_strictly == Wants::Json && !shows_session {
                return Ok(with_cookie(Answer::new(FlowType::Browser, Content::Elsewhere { url: next })));
            }
        }
        continue_with.push(ContinueWith::RedirectBrowserTo { redirect_browser_to: next.clone() });
        body.continue_with = some_if_any(continue_with);
        let redirect = verification.map_or(next, |begun| begun.url);
        let mut answer = with_cookie(Answer::new(
            FlowType::Browser,
            Content::Done { body: Some(Body::Registered(Box::new(body))), redirect },
        ));
        if let Some((session, token)) = session.filter(|_| shows_session) {
            // The verification flow, when there is one, belongs to the browser as it is: its secret stays.
            answer = answer.with(CookieChange::Session { token, expires_at: session.expires_at });
        }
        Ok(answer)
    }
}

/// Shows what the transaction wrote: a code is on its way.
pub(super) fn mark_sent(identity: &mut domain::Identity, address: &str) {
    for known in identity.verifiable_addresses.iter_mut().filter(|known| known.value == address) {
        known.status = AddressStatus::Sent;
    }
}
