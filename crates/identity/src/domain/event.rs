//! The events of this service: what happened, to whom, and with which attributes.
//!
//! Each variant is one event; serde gives its name and its attributes. Every event is about an identity. Events that
//! Kratos has use Kratos's names. Events contain the ids of identities, sessions and flows; they never contain a token,
//! a secret or a trait.

use base::Timestamp;
use jobs::{DomainEvent, Subject};
use serde::Serialize;

use super::flow::{AnyDetails, Details, Flow, FlowId, FlowKind, Login};
use super::{Aal, CredentialType, Identity, IdentityId, Session, SessionId, State};

/// An event of this service.
#[derive(Clone, Debug, Serialize)]
pub enum Event<'a> {
    /// An identity was created: by a registration, by an administrator or by an import.
    IdentityCreated(IdentityAttributes<'a>),
    /// The traits, the credentials, the addresses or the state of an identity changed.
    IdentityUpdated(IdentityAttributes<'a>),
    /// An identity was deleted, with everything that belongs to it.
    IdentityDeleted(IdentityAttributes<'a>),
    /// A session was issued at the end of a flow.
    SessionIssued(SessionAttributes),
    /// A proof was added to a session.
    SessionChanged(SessionAttributes),
    /// A session ended before it expired.
    SessionRevoked {
        #[serde(rename = "IdentityID")]
        identity: IdentityId,
        #[serde(rename = "SessionID")]
        session: SessionId,
    },
    LoginSucceeded(FlowAttributes<'a>),
    LoginFailed(FlowAttributes<'a>),
    RegistrationSucceeded(FlowAttributes<'a>),
    RegistrationFailed(FlowAttributes<'a>),
    /// A registration is pending until its address is confirmed; there is no identity yet.
    RegistrationAwaitsAddress(FlowAttributes<'a>),
    SettingsSucceeded(FlowAttributes<'a>),
    SettingsFailed(FlowAttributes<'a>),
    RecoverySucceeded(FlowAttributes<'a>),
    RecoveryFailed(FlowAttributes<'a>),
    /// An administrator created a recovery code or a recovery link.
    RecoveryInitiatedByAdmin {
        #[serde(rename = "IdentityID")]
        identity: IdentityId,
        #[serde(rename = "FlowID")]
        flow: FlowId,
        #[serde(rename = "FlowType")]
        flow_type: &'static str,
    },
    VerificationSucceeded(FlowAttributes<'a>),
    VerificationFailed(FlowAttributes<'a>),
}

#[derive(Clone, Debug, Serialize)]
pub struct IdentityAttributes<'a> {
    #[serde(rename = "IdentityID")]
    identity: IdentityId,
    #[serde(rename = "SchemaID")]
    schema: &'a str,
    #[serde(rename = "State")]
    state: State,
}

impl<'a> From<&'a Identity> for IdentityAttributes<'a> {
    fn from(identity: &'a Identity) -> Self {
        Self { identity: identity.id, schema: &identity.schema_id, state: identity.state }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct SessionAttributes {
    #[serde(rename = "IdentityID")]
    identity: IdentityId,
    #[serde(rename = "SessionID")]
    session: SessionId,
    #[serde(rename = "SessionAAL")]
    aal: Aal,
    #[serde(rename = "SessionExpiresAt")]
    expires_at: Timestamp,
}

impl From<&Session> for SessionAttributes {
    fn from(session: &Session) -> Self {
        Self { identity: session.identity_id, session: session.id, aal: session.aal, expires_at: session.expires_at }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct FlowAttributes<'a> {
    #[serde(rename = "IdentityID")]
    identity: IdentityId,
    #[serde(rename = "FlowID")]
    flow: FlowId,
    #[serde(rename = "SelfServiceFlowType")]
    flow_type: &'static str,
    #[serde(rename = "SelfServiceFlowName")]
    kind: &'static str,
    #[serde(rename = "SelfServiceMethodUsed", skip_serializing_if = "Option::is_none")]
    method: Option<CredentialType>,
    /// Why the flow failed.
    #[serde(rename = "ErrorReason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(flatten)]
    login: Option<LoginAttributes>,
}

/// The additional attributes of login events.
#[derive(Clone, Copy, Debug, Serialize)]
struct LoginAttributes {
    #[serde(rename = "LoginRequestedAAL")]
    requested_aal: Aal,
    #[serde(rename = "FlowRefresh")]
    refresh: bool,
}

/// How a submission to a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowOutcome {
    Succeeded,
    Failed,
    /// A registration is pending until its address is confirmed.
    AwaitsAddress,
}

impl<'a> Event<'a> {
    /// The event for a submission to `flow`, about `person`.
    pub fn of_flow<D: Details>(
        flow: &Flow<D>,
        outcome: FlowOutcome,
        person: IdentityId,
        reason: Option<&'a str>,
    ) -> Self {
        let login = match flow.details.any() {
            AnyDetails::Login(Login { requested_aal, refresh, .. }) => {
                Some(LoginAttributes { requested_aal: *requested_aal, refresh: *refresh })
            }
            AnyDetails::Registration(_)
            | AnyDetails::Settings(_)
            | AnyDetails::Recovery(_)
            | AnyDetails::Verification(_) => None,
        };
        let attributes = FlowAttributes {
            identity: person,
            flow: flow.id,
            flow_type: flow.flow_type.as_str(),
            kind: D::KIND.as_str(),
            method: flow.method(),
            reason,
            login,
        };
        match (D::KIND, outcome) {
            (_, FlowOutcome::AwaitsAddress) => Self::RegistrationAwaitsAddress(attributes),
            (FlowKind::Login, FlowOutcome::Succeeded) => Self::LoginSucceeded(attributes),
            (FlowKind::Login, FlowOutcome::Failed) => Self::LoginFailed(attributes),
            (FlowKind::Registration, FlowOutcome::Succeeded) => Self::RegistrationSucceeded(attributes),
            (FlowKind::Registration, FlowOutcome::Failed) => Self::RegistrationFailed(attributes),
            (FlowKind::Settings, FlowOutcome::Succeeded) => Self::SettingsSucceeded(attributes),
            (FlowKind::Settings, FlowOutcome::Failed) => Self::SettingsFailed(attributes),
            (FlowKind::Recovery, FlowOutcome::Succeeded) => Self::RecoverySucceeded(attributes),
            (FlowKind::Recovery, FlowOutcome::Failed) => Self::RecoveryFailed(attributes),
            (FlowKind::Verification, FlowOutcome::Succeeded) => Self::VerificationSucceeded(attributes),
            (FlowKind::Verification, FlowOutcome::Failed) => Self::VerificationFailed(attributes),
        }
    }

    /// The identity that the event is about.
    fn person(&self) -> IdentityId {
        match self {
            Self::IdentityCreated(it) | Self::IdentityUpdated(it) | Self::IdentityDeleted(it) => it.identity,
            Self::SessionIssued(it) | Self::SessionChanged(it) => it.identity,
            Self::SessionRevoked { identity, .. } | Self::RecoveryInitiatedByAdmin { identity, .. } => *identity,
            Self::LoginSucceeded(it)
            | Self::LoginFailed(it)
            | Self::RegistrationSucceeded(it)
            | Self::RegistrationFailed(it)
            | Self::RegistrationAwaitsAddress(it)
            | Self::SettingsSucceeded(it)
            | Self::SettingsFailed(it)
            | Self::RecoverySucceeded(it)
            | Self::RecoveryFailed(it)
            | Self::VerificationSucceeded(it)
            | Self::VerificationFailed(it) => it.identity,
        }
    }
}

impl DomainEvent for Event<'_> {
    fn subject(&self) -> Subject<'_> {
        Subject::Person(self.person().to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::Rng;
    use serde_json::{Value, json};
    use url::Url;

    use super::super::client_kind::FlowType;
    use super::super::flow::{Beginning, Recovery};
    use super::*;

    const PERSON: IdentityId = IdentityId::from_uuid(uuid::Uuid::from_u128(7));

    fn flow<D: Details>(details: D) -> Flow<D> {
        let beginning = Beginning {
            flow_type: FlowType::Api,
            request_url: "https://id.example/",
            lifespan: Duration::from_mins(1),
            public_url: &Url::parse("https://id.example/").unwrap(),
            csrf: None,
        };
        Flow {
            id: FlowId::from_uuid(uuid::Uuid::from_u128(1)),
            ..Flow::begin(&beginning, details, &Rng::seeded(1), Timestamp::EPOCH)
        }
    }

    fn written(event: &Event<'_>) -> Value {
        serde_json::to_value(event).unwrap()
    }

    #[test]
    fn a_flow_event_has_the_attributes_of_its_kind() {
        let details = Login {
            requested_aal: Aal::Aal2,
            refresh: true,
            identity_schema: None,
            oauth2: None,
            expected_identity: None,
            code_identifier: None,
        };
        let mut login = flow(details);
        login.submitted_method = Some(CredentialType::Totp);
        let failed = Event::of_flow(&login, FlowOutcome::Failed, PERSON, Some("wrong"));
        assert_eq!(
            written(&failed),
            json!({"LoginFailed": {
                "IdentityID": PERSON, "FlowID": login.id, "SelfServiceFlowType": "api", "SelfServiceFlowName": "login",
                "SelfServiceMethodUsed": "totp", "ErrorReason": "wrong", "LoginRequestedAAL": "aal2", "FlowRefresh": true,
            }})
        );
        assert_eq!(failed.subject(), Subject::Person(PERSON.to_string().into()));
        let recovery = flow(Recovery::default());
        let succeeded = Event::of_flow(&recovery, FlowOutcome::Succeeded, PERSON, None);
        assert_eq!(
            written(&succeeded),
            json!({"RecoverySucceeded": {
                "IdentityID": PERSON, "FlowID": recovery.id, "SelfServiceFlowType": "api", "SelfServiceFlowName": "recovery",
            }})
        );
    }

    #[test]
    fn each_event_has_its_name_and_its_attributes() {
        let flow = flow(Recovery::default());
        let of_flow = FlowAttributes {
            identity: PERSON,
            flow: flow.id,
            flow_type: "browser",
            kind: "recovery",
            method: Some(CredentialType::Code),
            reason: Some("wrong"),
            login: None,
        };
        let of_identity = IdentityAttributes { identity: PERSON, schema: "default", state: State::Active };
        let session = SessionId::from_uuid(uuid::Uuid::from_u128(3));
        let of_session = SessionAttributes { identity: PERSON, session, aal: Aal::Aal1, expires_at: Timestamp::EPOCH };
        let flow_keys = "ErrorReason FlowID IdentityID SelfServiceFlowName SelfServiceFlowType SelfServiceMethodUsed";
        let (identity_keys, session_keys) =
            ("IdentityID SchemaID State", "IdentityID SessionAAL SessionExpiresAt SessionID");
        let of_flows = [
            (Event::LoginSucceeded as fn(_) -> _, "LoginSucceeded"),
            (Event::LoginFailed as fn(_) -> _, "LoginFailed"),
            (Event::RegistrationSucceeded as fn(_) -> _, "RegistrationSucceeded"),
            (Event::RegistrationFailed as fn(_) -> _, "RegistrationFailed"),
            (Event::RegistrationAwaitsAddress as fn(_) -> _, "RegistrationAwaitsAddress"),
            (Event::SettingsSucceeded as fn(_) -> _, "SettingsSucceeded"),
            (Event::SettingsFailed as fn(_) -> _, "SettingsFailed"),
            (Event::RecoverySucceeded as fn(_) -> _, "RecoverySucceeded"),
            (Event::RecoveryFailed as fn(_) -> _, "RecoveryFailed"),
            (Event::VerificationSucceeded as fn(_) -> _, "VerificationSucceeded"),
            (Event::VerificationFailed as fn(_) -> _, "VerificationFailed"),
        ];
        let mut events: Vec<_> = of_flows.map(|(event, name)| (event(of_flow.clone()), name, flow_keys)).into();
        events.extend([
            (Event::IdentityCreated(of_identity.clone()), "IdentityCreated", identity_keys),
            (Event::IdentityUpdated(of_identity.clone()), "IdentityUpdated", identity_keys),
            (Event::IdentityDeleted(of_identity), "IdentityDeleted", identity_keys),
            (Event::SessionIssued(of_session.clone()), "SessionIssued", session_keys),
            (Event::SessionChanged(of_session), "SessionChanged", session_keys),
            (Event::SessionRevoked { identity: PERSON, session }, "SessionRevoked", "IdentityID SessionID"),
            (
                Event::RecoveryInitiatedByAdmin { identity: PERSON, flow: flow.id, flow_type: "code" },
                "RecoveryInitiatedByAdmin",
                "FlowID FlowType IdentityID",
            ),
        ]);
        for (event, name, keys) in events {
            let written = written(&event);
            let mut found: Vec<_> = written[name].as_object().unwrap().keys().map(String::as_str).collect();
            found.sort_unstable();
            assert_eq!(found.join(" "), keys, "{name}");
            assert_eq!(event.subject().id(), PERSON.to_string(), "{name}");
        }
    }

    #[test]
    fn a_revocation_contains_the_session_and_its_identity() {
        let session = SessionId::from_uuid(uuid::Uuid::from_u128(3));
        let event = Event::SessionRevoked { identity: PERSON, session };
        assert_eq!(written(&event), json!({"SessionRevoked": {"IdentityID": PERSON, "SessionID": session}}));
        assert_eq!(event.subject().id(), PERSON.to_string());
    }
}
