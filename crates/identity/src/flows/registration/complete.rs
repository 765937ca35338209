//! The end of a registration: creates the identity and, if configured, its first session, and runs the hooks.

use base::{Context, PlainToken};
use database::WriteTx;
use serde_json::Value;
use url::Url;

use crate::Identity;
use crate::components::attempts::{Caller, FamiliarClients};
use crate::components::codes::Recipient;
use crate::components::language;
use crate::domain::client_kind::FlowType;
use crate::domain::continue_with::{ContinueWith, ShownToken};
use crate::domain::credential::CredentialConfig;
use crate::domain::event::{Event, FlowOutcome};
use crate::domain::flow::{Flow, FlowKind, OAuth2Request, Registration};
use crate::domain::message::{Message, flow as flow_messages, validation};
use crate::domain::registration::{
    Completed, Conflict, Decision, Delivery, NewAccount, Reached, Resolution, Response, TakenName, Target, decide,
    next, on_conflict,
};
use crate::domain::{self, AddressStatus, CredentialType, Session};
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::events::{self, acting_as};
use crate::flows::hooks::{BegunVerification, VerificationOf};
use crate::flows::login::some_if_any;
use crate::flows::views::{Body, IdentityBody, RegisteredView, SessionBody};
use crate::flows::visitor::{Browser, Visitor};
use crate::storage;
use crate::storage::identities::{StoreError, Taken};

use super::step::Registrant;

/// The result of the transaction.
pub(super) struct Registered {
    pub identity: domain::Identity,
    pub session: Option<(Session, PlainToken)>,
    /// The verification that the client is shown.
    pub verification: Option<BegunVerification>,
}

/// A registration whose credential was accepted.
pub(super) struct Completion<'a> {
    pub visitor: &'a Visitor,
    pub caller: Caller,
    pub browser: &'a Browser,
    pub flow: &'a Flow<Registration>,
    /// The hook `session`.
    pub shows_session: bool,
    pub return_to: Url,
}

impl Completion<'_> {
    /// The parameters of a verification for `person`, without a session or a login.
    pub(super) fn verification_of<'a>(&'a self, person: &'a domain::Identity) -> VerificationOf<'a> {
        let flow = self.flow;
        VerificationOf {
            person,
            is_real: true,
            flow_type: flow.flow_type,
            request_url: &flow.request_url,
            return_to: flow.requested("after_verification_return_to").or_else(|| flow.wanted_return_to()),
            browser: self.browser,
            session_id: None,
            oauth2: None,
            registrant: None,
            transient_payload: None,
            caller: &self.caller,
        }
    }
}

impl Identity {
    /// Ends a registration: gathers, decides, and creates the account, or requires that its address is confirmed first.
    pub(super) async fn complete_registration(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        flow: &Flow<Registration>,
        registrant: Registrant,
    ) -> Result<Answer, StepError> {
        let cx = &language::of_flow(&self.ui, cx, flow);
        let used = registrant.method.method;
        let hooks = self.flow_policy.hooks_after(FlowKind::Registration, used);
        let decision = decide(&Completed {
            method: used,
            has_unverified_address: Self::address_to_verify(&registrant.identity, None).is_some(),
            has_login: flow.details.oauth2.is_some(),
            issues_session: hooks.session,
            shows_verification: hooks.show_verification_ui,
            verifies: self.flow_policy.is_enabled(FlowKind::Verification),
            confirms_first: self.flow_policy.confirms_addresses_first(),
        });
        let completion = Completion {
            visitor,
            caller: visitor.caller(cx, None),
            browser,
            flow,
            shows_session: hooks.session,
            return_to: self.registration_return_to(flow, used)?,
        };
        match decision {
            Decision::AwaitAddress => self.require_confirmation(cx, &completion, registrant).await,
            Decision::CreateAccount(new) => self.create_account(cx, &completion, registrant, new).await,
        }
    }

    /// The URL where the flow ends by default.
    fn registration_return_to(&self, flow: &Flow<Registration>, used: CredentialType) -> Result<Url, SubmitError> {
        let fallback = self.urls.after(FlowKind::Registration, Some(used));
        let wanted = flow.wanted_return_to();
        if flow.details.oauth2.is_some() && flow.return_to.is_some() {
            return Ok(wanted.and_then(|url| url.parse().ok()).unwrap_or(fallback));
        }
        Ok(self.urls.returns().resolve(wanted.as_deref(), &fallback)?)
    }

    /// Writes the account in one transaction. If an identifier is taken, resolves the conflict instead.
    async fn create_account(
        &self,
        cx: &Context,
        completion: &Completion<'_>,
        registrant: Registrant,
        new: NewAccount,
    ) -> Result<Answer, StepError> {
        let Registrant { mut identity, method, redeem_code, transient_payload } = registrant;
        identity.refresh_available_aal(self.session_policy.factor_rules());
        if new.starts_verification
            && let Some(address) = identity.verifiable_addresses.iter_mut().find(|address| !address.verified)
        {
            // The verification that begins in the same transaction sends a code to it.
            address.status = AddressStatus::Sent;
        }
        let session = new.issues_session.then(|| {
            let device = completion.visitor.device(&self.rng);
            Session::issue(&self.rng, identity.id, method, device, self.session_policy.lifespan(), cx.now)
        });
        let mut tx = self.database.write(cx.tenant).await?;
        if let Some(code) = redeem_code
            && !storage::codes::redeem(&mut tx, code, cx.now).await?
        {
            return Err(StepError::general(flow_messages::registration_code_invalid()));
        }
        match storage::identities::insert(&mut tx, self.tenant_sealer(cx), &identity).await {
            Ok(()) => {}
            Err(StoreError::Taken(taken)) => {
                drop(tx);
                return self.resolve_conflict(cx, completion, (identity, transient_payload), new, taken).await;
            }
            Err(StoreError::Stale) => return Err(SubmitError::FlowChanged.into()),
            Err(StoreError::Database(error)) => return Err(error.into()),
        }
        // The events from here on have the registrant as their actor.
        let cx = &acting_as(cx, identity.id);
        let mut registered = Registered { identity, session, verification: None };
        let new_device =
            self.write_account_effects(&mut tx, cx, completion, &mut registered, (new, transient_payload)).await?;
        tx.commit().await?;
        registered.verification = registered.verification.filter(|_| new.shows_verification);
        let answer = self.answer_registrant(cx, completion, registered).await?;
        Ok(answer.with_device(new_device))
    }

    /// Writes the data that belongs to a new account: its session, its familiar device, the verification of its
    /// address, its events.
    async fn write_account_effects(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        completion: &Completion<'_>,
        registered: &mut Registered,
        (new, transient_payload): (NewAccount, Option<Value>),
    ) -> Result<Option<PlainToken>, SubmitError> {
        let Completion { caller, flow, shows_session, .. } = completion;
        let Registered { identity, session, verification } = registered;
        let mut happened = vec![Event::IdentityCreated((&*identity).into())];
        if let Some((session, _)) = &session {
            storage::sessions::insert(tx, session).await?;
            happened.push(Event::SessionIssued(session.into()));
        }
        let is_signed_in = flow.is_browser() && *shows_session;
        let none = FamiliarClients::default();
        let new_device = self.attempts.remember(tx, cx, caller, identity.id, &none, is_signed_in).await?;
        if let Some(address) = Self::address_to_verify(identity, None).filter(|_| new.starts_verification) {
            let of = VerificationOf {
                session_id: session.as_ref().map(|(session, _)| session.id),
                oauth2: flow.details.oauth2.clone().filter(|_| new.verification_keeps_login),
                transient_payload,
                ..completion.verification_of(identity)
            };
            *verification = Some(self.begin_verification_of(tx, cx, of, address).await?);
        }
        happened.push(Event::of_flow(flow, FlowOutcome::Succeeded, identity.id, None));
        jobs::append(tx, cx, &happened).await?;
        Ok(new_device)
    }

    /// The answer to a registration with an identifier or address of another account.
    async fn resolve_conflict(
        &self,
        cx: &Context,
        completion: &Completion<'_>,
        (identity, transient_payload): (domain::Identity, Option<Value>),
        new: NewAccount,
        taken: Taken,
    ) -> Result<Answer, StepError> {
        let value = match &taken {
            Taken::Identifier { identifier: value, .. }
            | Taken::VerifiableAddress(value)
            | Taken::RecoveryAddress(value) => Some(value),
            Taken::ExternalId => None,
        };
        let mut addresses = identity.verifiable_addresses.iter();
        let address = addresses.find(|address| Some(&address.value) == value).cloned();
        let resolution = on_conflict(&Conflict {
            name: match &taken {
                Taken::Identifier { .. } => TakenName::Identifier { is_address: address.is_some() },
                Taken::VerifiableAddress(_) | Taken::RecoveryAddress(_) => {
                    TakenName::Address { is_verifiable: address.is_some() }
                }
                Taken::ExternalId => TakenName::ExternalId,
            },
            issues_session: new.issues_session,
            hides_accounts: self.flow_policy.hides_accounts(),
            gives_hints: self.flow_policy.gives_login_hints(),
        });
        match (resolution, address) {
            (Resolution::Pretend, Some(address)) => {
                let pretended = (identity, transient_payload);
                let mut registered = self.pretend_registration(cx, completion, pretended, new, &address).await?;
                registered.verification = registered.verification.filter(|_| new.shows_verification);
                Ok(self.answer_registrant(cx, completion, registered).await?)
            }
            (Resolution::Pretend | Resolution::Report { .. }, _) => {
                self.attempts.count_taken(cx).await?;
                let has_hints = resolution == Resolution::Report { has_hints: true };
                Err(StepError::general(self.taken_message(cx, taken, has_hints).await?))
            }
        }
    }

    /// The message for a taken identifier; with `has_hints` it lists how its owner signs in.
    async fn taken_message(&self, cx: &Context, taken: Taken, has_hints: bool) -> Result<Message, database::Error> {
        let Taken::Identifier { kind, identifier } = taken else { return Ok(validation::identifier_taken()) };
        if !has_hints {
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

    /// Simulates a registration: responds like a successful one, notifies the owner of the address, and creates no
    /// account.
    async fn pretend_registration(
        &self,
        cx: &Context,
        completion: &Completion<'_>,
        (mut identity, transient_payload): (domain::Identity, Option<Value>),
        new: NewAccount,
        taken: &domain::VerifiableAddress,
    ) -> Result<Registered, SubmitError> {
        let Completion { caller, flow, .. } = completion;
        let mut tx = self.database.write(cx.tenant).await?;
        let verification = match Self::address_to_verify(&identity, None).filter(|_| new.starts_verification) {
            Some(address) => {
                let of = VerificationOf { is_real: false, transient_payload, ..completion.verification_of(&identity) };
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
            is_owner_of_taken: true,
            caller,
            is_asked_for: false,
        };
        self.notify_owner(&mut tx, cx, &holder, &flow.request_url).await?;
        events::append(&mut tx, cx, flow, FlowOutcome::Failed, Some("the identifier is taken")).await?;
        tx.commit().await?;
        Ok(Registered { identity, session: None, verification })
    }

    /// The facts that decide where the client goes on.
    fn reached_by(&self, completion: &Completion<'_>, registered: &Registered) -> Reached {
        let Completion { visitor, flow, shows_session, .. } = completion;
        let Registered { identity, session, verification } = registered;
        let oauth2 = flow.details.oauth2.as_ref();
        Reached {
            flow_type: flow.flow_type,
            wants: visitor.wants_strictly,
            has_session: session.is_some(),
            shows_session: *shows_session,
            shows_verification: verification.is_some(),
            has_login: oauth2.is_some(),
            requests_new_account: oauth2.is_some_and(OAuth2Request::asks_for_registration),
            is_sufficient: session.as_ref().is_none_or(|(session, _)| {
                self.session_policy.whoami_required_aal().is_met(session.aal, identity.available_aal)
            }),
        }
    }

    /// The answer to the client after the transaction.
    pub(super) async fn answer_registrant(
        &self,
        cx: &Context,
        completion: &Completion<'_>,
        registered: Registered,
    ) -> Result<Answer, SubmitError> {
        let Completion { flow, return_to, .. } = completion;
        let next = next(&self.reached_by(completion, &registered));
        let Registered { identity, session, verification } = registered;
        let oauth2 = flow.details.oauth2.as_ref();
        let url = match (next.to, oauth2, &session) {
            (Target::SecondFactor, Some(oauth2), _) => self.urls.second_factor_for(&oauth2.challenge),
            (Target::Login, Some(oauth2), Some((session, _))) => {
                self.accept_login(cx, oauth2, session, &identity).await?
            }
            _ => return_to.to_string(),
        };
        let mut continue_with: Vec<ContinueWith> = verification.iter().map(BegunVerification::continue_with).collect();
        let shown = session.filter(|_| matches!(next.session, Delivery::Token | Delivery::Cookie));
        let mut session_token = None;
        match (flow.flow_type, &shown) {
            (FlowType::Api, Some((_, token))) => {
                session_token = Some(ShownToken(token.clone()));
                continue_with.push(ContinueWith::SetOrySessionToken { ory_session_token: ShownToken(token.clone()) });
            }
            (FlowType::Api, None) => {}
            (FlowType::Browser, _) => {
                continue_with.push(ContinueWith::RedirectBrowserTo { redirect_browser_to: url.clone() });
            }
        }
        let public_url = self.urls.public();
        let session = shown.as_ref().map(|(session, _)| SessionBody {
            session: session.clone(),
            identity: Some(identity.clone()),
            public_url: public_url.clone(),
            now: cx.now,
        });
        let identity = IdentityBody::new(identity, public_url.clone());
        let continue_with = some_if_any(continue_with);
        let body = RegisteredView { identity, session, session_token, continue_with };
        let body = Some(Body::Registered(Box::new(body)));
        let content = match (next.response, next.to, verification) {
            (Response::Elsewhere, _, _) => Content::Elsewhere { url },
            (Response::Done, Target::Verification, Some(begun)) => Content::Done { body, redirect: begun.url },
            (Response::Done, _, _) => Content::Done { body, redirect: url },
        };
        let answer = Answer::new(flow.flow_type, content);
        Ok(match (next.session, shown) {
            // The anti-CSRF secret is not renewed: a verification flow is bound to it.
            (Delivery::Cookie, Some((session, token))) => {
                answer.with(CookieChange::Session { token, expires_at: session.expires_at })
            }
            // A session in the browser's cookie belongs to another user and must not remain beside the new account.
            (Delivery::CookieDeleted, _) => answer.with(CookieChange::SessionEnded),
            (Delivery::Absent | Delivery::Token | Delivery::Cookie, _) => answer,
        })
    }
}

/// Sets the status of the address to `sent`, as the transaction stored it.
pub(super) fn mark_sent(identity: &mut domain::Identity, address: &str) {
    for known in identity.verifiable_addresses.iter_mut().filter(|known| known.value == address) {
        known.status = AddressStatus::Sent;
    }
}
