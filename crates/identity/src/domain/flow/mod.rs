//! Self-service flows.
//!
//! The five kinds share a lifecycle: a flow is initialized with a form, and submitted until it completes or expires. What is
//! specific to a kind is its [`Details`], so that a flow of one kind cannot be used as another. A flow that a browser
//! initialized belongs to that browser: it stores the fingerprint of its anti-CSRF secret.

mod native_id;
mod oauth2;

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Rng, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::client_kind::FlowType;
use super::csrf::CsrfSecret;
use super::message::Message;
use super::ui::{Ui, ValidationMessage};
use super::{Aal, CredentialType, IdentityId, SessionId};

pub use native_id::NativeId;
pub use oauth2::OAuth2Request;

base::uuid_ids! {
    /// One flow of any kind.
    FlowId;
}

/// The kinds of flow, as spelled in URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowKind {
    Login,
    Registration,
    Settings,
    Recovery,
    Verification,
}

impl FlowKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Registration => "registration",
            Self::Settings => "settings",
            Self::Recovery => "recovery",
            Self::Verification => "verification",
        }
    }
}

/// The state of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowState {
    ChooseMethod,
    SentEmail,
    PassedChallenge,
    ShowForm,
    Success,
}

impl FlowState {
    /// Whether the flow is complete and accepts no further submission.
    pub const fn is_final(self) -> bool {
        match self {
            Self::PassedChallenge => true,
            Self::ChooseMethod | Self::SentEmail | Self::ShowForm | Self::Success => false,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChooseMethod => "choose_method",
            Self::SentEmail => "sent_email",
            Self::PassedChallenge => "passed_challenge",
            Self::ShowForm => "show_form",
            Self::Success => "success",
        }
    }
}

/// What is specific to one kind of flow.
pub trait Details: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: FlowKind;
    const FIRST_STATE: FlowState = FlowState::ChooseMethod;

    /// The message of a flow that is submitted after it expired.
    fn expired_message(expired_at: Timestamp, now: Timestamp) -> Message;

    /// The details, of whichever kind.
    fn any(&self) -> AnyDetails<'_>;

    /// The user that the flow belongs to, if known.
    fn identity_id(&self) -> Option<IdentityId> {
        None
    }

    /// The user of the flow's events, if known.
    fn person(&self) -> Option<IdentityId> {
        self.identity_id()
    }

    /// The login request that the flow answers.
    fn oauth2(&self) -> Option<&OAuth2Request> {
        None
    }
}

/// The details of a flow of any kind.
#[derive(Clone, Copy, Debug)]
pub enum AnyDetails<'a> {
    Login(&'a Login),
    Registration(&'a Registration),
    Settings(&'a Settings),
    Recovery(&'a Recovery),
    Verification(&'a Verification),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow<D> {
    pub id: FlowId,
    #[serde(rename = "type")]
    pub flow_type: FlowType,
    pub state: FlowState,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// The URL that the flow was initialized at, with its query.
    pub request_url: String,
    /// The return URL, when it differs from that of `request_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// The method that made progress: a code was sent, an identifier was accepted, a password was correct. Front ends render
    /// only this method's fields, so a rejected submission does not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<CredentialType>,
    /// The method of the current submission: for events and for the return URL.
    #[serde(skip)]
    pub submitted_method: Option<CredentialType>,
    pub ui: Ui,
    /// The last code or link that the flow sent, even if the address is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// The payload of the current submission for mails and hooks. It is part of the response and never stored.
    #[serde(skip)]
    pub transient_payload: Option<Value>,
    /// The fingerprint of the browser's anti-CSRF secret; `None` for flows that are not bound to a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    pub details: D,
    /// The version of the stored row; 0 when there is none.
    #[serde(skip)]
    pub version: i64,
}

/// A code or link that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The address as it was entered.
    pub to: String,
    pub at: Timestamp,
}

/// The values that every new flow starts with.
#[derive(Clone)]
pub struct Beginning<'a> {
    pub flow_type: FlowType,
    pub request_url: &'a str,
    pub lifespan: Duration,
    pub public_url: &'a Url,
    /// The browser's anti-CSRF secret, in browser flows.
    pub csrf: Option<&'a CsrfSecret>,
}

impl<D: Details> Flow<D> {
    /// A new flow that is about to be stored.
    pub fn begin(beginning: &Beginning<'_>, details: D, rng: &Rng, now: Timestamp) -> Self {
        Self { version: 1, ..Self::new(FlowId::generate(rng), beginning, details, now) }
    }

    /// A flow that has no row until it changes.
    pub fn unstored(native: NativeId, beginning: &Beginning<'_>, details: D) -> Self {
        Self::new(native.id, beginning, details, native.issued_at)
    }

    fn new(id: FlowId, beginning: &Beginning<'_>, details: D, now: Timestamp) -> Self {
        let browser = match beginning.flow_type {
            FlowType::Browser => beginning.csrf.map(CsrfSecret::fingerprint),
            FlowType::Api => None,
        };
        Self {
            id,
            flow_type: beginning.flow_type,
            state: D::FIRST_STATE,
            issued_at: now,
            expires_at: now.plus(beginning.lifespan),
            request_url: beginning.request_url.to_owned(),
            return_to: None,
            active: None,
            submitted_method: None,
            sent: None,
            transient_payload: None,
            ui: Ui::posting_to(submit_url(beginning.public_url, D::KIND, id)),
            browser,
            details,
            version: 0,
        }
    }

    pub const fn is_stored(&self) -> bool {
        self.version > 0
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// The method of the current submission, else the last active one.
    pub fn method(&self) -> Option<CredentialType> {
        self.submitted_method.or(self.active)
    }

    pub fn is_browser(&self) -> bool {
        self.flow_type == FlowType::Browser
    }

    /// The return URL that the user requested.
    pub fn wanted_return_to(&self) -> Option<String> {
        self.return_to.clone().or_else(|| query_parameter(&self.request_url, "return_to"))
    }

    /// A parameter of the URL that the flow was initialized at.
    pub fn requested(&self, parameter: &str) -> Option<String> {
        query_parameter(&self.request_url, parameter)
    }

    /// Whether this browser may see and submit the flow.
    pub fn belongs_to(&self, csrf: &CsrfSecret) -> bool {
        self.browser.as_ref().is_none_or(|browser| *browser == csrf.fingerprint())
    }

    pub fn add_message(&mut self, messages: Vec<ValidationMessage>) {
        for message in messages {
            self.ui.add_message(message);
        }
    }
}

/// The URL that the form of a flow is submitted to.
pub fn submit_url(public: &Url, kind: FlowKind, id: FlowId) -> String {
    let mut url = endpoint(public, &format!("self-service/{}", kind.as_str()));
    url.query_pairs_mut().append_pair("flow", &id.to_string());
    url.into()
}

/// A URL below the public base URL, with or without a trailing slash in the base URL.
pub fn endpoint(public: &Url, path: &str) -> Url {
    let mut url = public.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/{path}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The URL of a page with the id of the flow to show.
pub fn with_flow(page: &Url, id: FlowId) -> String {
    let mut url = page.clone();
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(key, _)| key != "flow").map(|(key, value)| (key.into(), value.into())).collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair("flow", &id.to_string());
    url.into()
}

pub fn query_parameter(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    url.query_pairs().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Login {
    pub requested_aal: Aal,
    pub refresh: bool,
    #[serde(default)]
    pub identity_schema: Option<String>,
    #[serde(default)]
    pub oauth2: Option<OAuth2Request>,
    /// The user who must complete a refresh or step-up: the one of the session when the flow was initialized.
    #[serde(default)]
    pub expected_identity: Option<IdentityId>,
    /// The identifier that a code was sent for.
    #[serde(default)]
    pub code_identifier: Option<String>,
}

impl Details for Login {
    const KIND: FlowKind = FlowKind::Login;

    fn expired_message(expired_at: Timestamp, now: Timestamp) -> Message {
        super::message::flow::login_expired(expired_at, now)
    }

    fn oauth2(&self) -> Option<&OAuth2Request> {
        self.oauth2.as_ref()
    }

    fn any(&self) -> AnyDetails<'_> {
        AnyDetails::Login(self)
    }

    fn person(&self) -> Option<IdentityId> {
        self.expected_identity
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The requested schema; `None` means the default one.
    #[serde(default)]
    pub identity_schema: Option<String>,
    #[serde(default)]
    pub oauth2: Option<OAuth2Request>,
    /// The traits that a code was sent for, as text.
    #[serde(default)]
    pub code_traits: Option<String>,
}

impl Details for Registration {
    const KIND: FlowKind = FlowKind::Registration;

    fn expired_message(expired_at: Timestamp, now: Timestamp) -> Message {
        super::message::flow::registration_expired(expired_at, now)
    }

    fn oauth2(&self) -> Option<&OAuth2Request> {
        self.oauth2.as_ref()
    }

    fn any(&self) -> AnyDetails<'_> {
        AnyDetails::Registration(self)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub identity_id: IdentityId,
    /// The login that continues when the new password is set, after a recovery that started within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2Request>,
    /// Data that methods keep until a change is confirmed, sealed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<CredentialType, String>,
}

impl Settings {
    pub fn of(identity_id: IdentityId) -> Self {
        Self { identity_id, oauth2: None, kept: BTreeMap::new() }
    }
}

impl Details for Settings {
    const KIND: FlowKind = FlowKind::Settings;
    const FIRST_STATE: FlowState = FlowState::ShowForm;

    fn expired_message(expired_at: Timestamp, now: Timestamp) -> Message {
        super::message::flow::settings_expired(expired_at, now)
    }

    fn oauth2(&self) -> Option<&OAuth2Request> {
        self.oauth2.as_ref()
    }

    fn any(&self) -> AnyDetails<'_> {
        AnyDetails::Settings(self)
    }

    fn identity_id(&self) -> Option<IdentityId> {
        Some(self.identity_id)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// Set when an administrator created the flow for a user.
    #[serde(default)]
    pub identity_id: Option<IdentityId>,
    /// An administrator's flow is completed in a browser that did not initialize it.
    #[serde(default)]
    pub skip_csrf: bool,
    /// Redirect to `return_to` at the end instead of the settings.
    #[serde(default)]
    pub skip_settings: bool,
    /// The address that a code was sent to.
    #[serde(default)]
    pub address: Option<String>,
    /// The login that the recovery started within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2Request>,
}

impl Details for Recovery {
    const KIND: FlowKind = FlowKind::Recovery;

    fn expired_message(expired_at: Timestamp, now: Timestamp) -> Message {
        super::message::flow::recovery_expired(expired_at, now)
    }

    fn oauth2(&self) -> Option<&OAuth2Request> {
        self.oauth2.as_ref()
    }

    fn any(&self) -> AnyDetails<'_> {
        AnyDetails::Recovery(self)
    }

    fn identity_id(&self) -> Option<IdentityId> {
        self.identity_id
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The address that a code was sent to.
    #[serde(default)]
    pub address: Option<String>,
    #[serde(default)]
    pub identity_id: Option<IdentityId>,
    /// The session that needs this address verified before an OAuth2 login is accepted.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    #[serde(default)]
    pub oauth2: Option<OAuth2Request>,
    /// A registrant who has no account until their address is confirmed, sealed.
    #[serde(default)]
    pub registrant: Option<String>,
}

impl Details for Verification {
    const KIND: FlowKind = FlowKind::Verification;

    fn expired_message(expired_at: Timestamp, now: Timestamp) -> Message {
        super::message::flow::verification_expired(expired_at, now)
    }

    fn oauth2(&self) -> Option<&OAuth2Request> {
        self.oauth2.as_ref()
    }

    fn any(&self) -> AnyDetails<'_> {
        AnyDetails::Verification(self)
    }

    fn identity_id(&self) -> Option<IdentityId> {
        self.identity_id
    }
}

#[cfg(test)]
mod tests;
