//! A self-service flow: what a person is in the middle of.
//!
//! The five kinds share their life: begun with a form, submitted until it completes or expires, and then begun anew.
//! What is particular to a kind is its [`Details`], so that a flow of one kind is never taken for another. A flow begun
//! by a browser belongs to that browser: it remembers the fingerprint of its anti-CSRF secret.

mod oauth2;

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Rng, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::client_kind::FlowType;
use super::csrf::CsrfSecret;
use super::message::Message;
use super::ui::{Ui, ValidationMessage};
use super::ui_node::CSRF_TOKEN;
use super::{Aal, CredentialType, IdentityId, SessionId};

pub use oauth2::OAuth2Request;

base::uuid_ids! {
    /// One flow, of whatever kind.
    FlowId;
}

/// The kinds of flow, as their addresses spell them.
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

    /// What the event log calls a submission that was refused.
    pub const fn failed_event(self) -> &'static str {
        match self {
            Self::Login => "LoginFailed",
            Self::Registration => "RegistrationFailed",
            Self::Settings => "SettingsFailed",
            Self::Recovery => "RecoveryFailed",
            Self::Verification => "VerificationFailed",
        }
    }
}

/// How far a flow has come.
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
    /// Whether the flow has reached its end and takes no further submission.
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

/// What is particular to one kind of flow.
pub trait Details: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: FlowKind;
    const FIRST_STATE: FlowState = FlowState::ChooseMethod;

    /// What this flow says when it is submitted too late.
    fn expired_message(expired_at: Timestamp, now: Timestamp) -> Message;

    /// The members of the wire form beyond those that all kinds share.
    fn present(&self, members: &mut Map<String, Value>);

    /// The person whom a flow is known to belong to.
    fn identity_id(&self) -> Option<IdentityId> {
        None
    }

    /// The person whom an event of the flow is about, as far as the flow knows.
    fn person(&self) -> Option<IdentityId> {
        self.identity_id()
    }

    /// The login request that waits for the end of the flow.
    fn oauth2(&self) -> Option<&OAuth2Request> {
        None
    }

    /// What the event log is told besides what it is told of every flow.
    fn tell(&self, _attributes: &mut Map<String, Value>) {}
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow<D> {
    pub id: FlowId,
    #[serde(rename = "type")]
    pub flow_type: FlowType,
    pub state: FlowState,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// The address that the flow was begun at, with its query.
    pub request_url: String,
    /// Where to go in the end, when it is not what `request_url` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// The method that got the person further: a code was sent, an identifier was accepted, a password was right. Front
    /// ends draw only this method's fields, so a refused submission leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<CredentialType>,
    /// The method that the present submission names: for events and for where the flow ends.
    #[serde(skip)]
    pub submitted_method: Option<CredentialType>,
    pub ui: Ui,
    /// The last code or link that the flow sent, whether or not anybody has the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// What the present submission carries for mails and hooks. It is shown in its answer and never stored.
    #[serde(skip)]
    pub transient_payload: Option<Value>,
    /// The fingerprint of the browser's anti-CSRF secret; `None` for flows that are not bound to a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    pub details: D,
    /// How often the row was written when this value was read or stored.
    #[serde(skip)]
    pub version: i64,
}

/// A code or a link on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The address as it was typed.
    pub to: String,
    pub at: Timestamp,
}

/// What every new flow is told.
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
    pub fn begin(beginning: &Beginning<'_>, details: D, rng: &Rng, now: Timestamp) -> Self {
        let id = FlowId::generate(rng);
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
            version: 1,
        }
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// The method of the present submission, else the one that was used before.
    pub fn method(&self) -> Option<CredentialType> {
        self.submitted_method.or(self.active)
    }

    pub fn is_browser(&self) -> bool {
        self.flow_type == FlowType::Browser
    }

    /// Where the person asked to be sent in the end.
    pub fn wanted_return_to(&self) -> Option<String> {
        self.return_to.clone().or_else(|| query_parameter(&self.request_url, "return_to"))
    }

    /// A parameter of the address that the flow was begun at.
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

    /// The wire form. `csrf` is the secret of the browser that looks at it; native flows carry an empty token.
    pub fn to_wire(&self, csrf: Option<&CsrfSecret>, rng: &Rng) -> Value {
        let mut ui = self.ui.clone();
        if ui.nodes.find(CSRF_TOKEN).is_some() {
            let token = match (self.flow_type, csrf) {
                (FlowType::Browser, Some(csrf)) => csrf.token(self.id.as_uuid(), rng),
                (FlowType::Browser, None) | (FlowType::Api, _) => String::new(),
            };
            ui.set_value(CSRF_TOKEN, Value::String(token));
        }
        let mut members = Map::new();
        members.insert("id".to_owned(), json!(self.id));
        members.insert("type".to_owned(), json!(self.flow_type));
        members.insert("expires_at".to_owned(), json!(self.expires_at));
        members.insert("issued_at".to_owned(), json!(self.issued_at));
        members.insert("request_url".to_owned(), json!(self.request_url));
        if let Some(return_to) = self.wanted_return_to() {
            members.insert("return_to".to_owned(), json!(return_to));
        }
        if let Some(active) = self.active {
            members.insert("active".to_owned(), json!(active));
        }
        members.insert("ui".to_owned(), json!(ui));
        members.insert("state".to_owned(), json!(self.state));
        if let Some(payload) = &self.transient_payload {
            members.insert("transient_payload".to_owned(), payload.clone());
        }
        self.details.present(&mut members);
        Value::Object(members)
    }
}

/// Where the form of a flow is sent.
pub fn submit_url(public: &Url, kind: FlowKind, id: FlowId) -> String {
    let mut url = endpoint(public, &format!("self-service/{}", kind.as_str()));
    url.query_pairs_mut().append_pair("flow", &id.to_string());
    url.into()
}

/// An address below the public base address, whether or not that ends in a slash.
pub fn endpoint(public: &Url, path: &str) -> Url {
    let mut url = public.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/{path}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// A page with the number of the flow that it is to show.
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
    /// The person that a refresh or step-up must be completed by, as the session said when the flow began.
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

    fn present(&self, members: &mut Map<String, Value>) {
        let issued_at = members.get("issued_at").cloned();
        members.insert("created_at".to_owned(), json!(issued_at));
        members.insert("updated_at".to_owned(), json!(issued_at));
        members.insert("refresh".to_owned(), json!(self.refresh));
        members.insert("requested_aal".to_owned(), json!(self.requested_aal));
        members.insert("organization_id".to_owned(), Value::Null);
        if let Some(schema) = &self.identity_schema {
            members.insert("identity_schema".to_owned(), json!(schema));
        }
        OAuth2Request::present(self.oauth2.as_ref(), members);
    }

    fn person(&self) -> Option<IdentityId> {
        self.expected_identity
    }

    fn tell(&self, attributes: &mut Map<String, Value>) {
        attributes.insert("LoginRequestedAAL".to_owned(), json!(self.requested_aal));
        attributes.insert("FlowRefresh".to_owned(), json!(self.refresh));
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The schema that was asked for; the default one otherwise.
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

    fn present(&self, members: &mut Map<String, Value>) {
        members.insert("organization_id".to_owned(), Value::Null);
        if let Some(schema) = &self.identity_schema {
            members.insert("identity_schema".to_owned(), json!(schema));
        }
        OAuth2Request::present(self.oauth2.as_ref(), members);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub identity_id: IdentityId,
    /// The login that goes on when the new password is set, after a recovery that was begun within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2Request>,
    /// What methods keep until a change is confirmed, sealed.
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

    /// The identity itself is added by whoever has loaded it.
    fn oauth2(&self) -> Option<&OAuth2Request> {
        self.oauth2.as_ref()
    }

    fn present(&self, members: &mut Map<String, Value>) {
        members.insert("organization_id".to_owned(), Value::Null);
    }

    fn identity_id(&self) -> Option<IdentityId> {
        Some(self.identity_id)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// Set when an administrator began the flow for somebody.
    #[serde(default)]
    pub identity_id: Option<IdentityId>,
    /// An administrator's flow is completed in a browser that did not begin it.
    #[serde(default)]
    pub skip_csrf: bool,
    /// End where `return_to` says instead of at the settings.
    #[serde(default)]
    pub skip_settings: bool,
    /// The address that a code was sent to.
    #[serde(default)]
    pub address: Option<String>,
    /// The login that the recovery was begun within.
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

    fn present(&self, _: &mut Map<String, Value>) {}

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
    /// The session that waits for this address to be verified before an OAuth2 login is accepted.
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

    fn present(&self, _: &mut Map<String, Value>) {}

    fn identity_id(&self) -> Option<IdentityId> {
        self.identity_id
    }
}

#[cfg(test)]
mod tests;
