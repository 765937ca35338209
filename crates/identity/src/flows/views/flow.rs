//! A flow, as the API returns it and as pages show it.

use base::{Rng, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::domain::client_kind::FlowType;
use crate::domain::continue_with::ContinueWith;
use crate::domain::csrf::CsrfSecret;
use crate::domain::flow::{AnyDetails, Details, Flow, FlowId, FlowState, Login, OAuth2Request, Registration, Sent};
use crate::domain::ui::Ui;
use crate::domain::ui_node::CSRF_TOKEN;
use crate::domain::views::IdentityView;
use crate::domain::{self, Aal, CredentialType};

/// The members that all kinds of flow share, then those of its kind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FlowView {
    pub(crate) id: FlowId,
    #[serde(rename = "type")]
    pub(crate) flow_type: FlowType,
    pub(crate) expires_at: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) request_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) return_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<CredentialType>,
    pub(crate) ui: Ui,
    pub(crate) state: FlowState,
    #[serde(skip_serializing_if = "Option::is_none")]
    transient_payload: Option<Value>,
    #[serde(flatten)]
    pub(crate) details: DetailsView,
    /// The steps after a flow that the last submission completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_with: Option<NextSteps>,
    /// The last code or link that was sent, for the page.
    #[serde(skip)]
    pub(crate) sent: Option<Sent>,
}

/// The steps that follow a completed flow: `null` when there is none.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
struct NextSteps(Option<Vec<ContinueWith>>);

/// The members of one kind of flow.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum DetailsView {
    Login(LoginView),
    Registration(RegistrationView),
    Settings(SettingsView),
    /// Recovery and verification.
    None {},
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoginView {
    created_at: Timestamp,
    updated_at: Timestamp,
    pub(crate) refresh: bool,
    pub(crate) requested_aal: Aal,
    organization_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_schema: Option<String>,
    #[serde(flatten)]
    oauth2: OAuth2View,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RegistrationView {
    organization_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_schema: Option<String>,
    #[serde(flatten)]
    oauth2: OAuth2View,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct SettingsView {
    organization_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Box<IdentityBody>>,
}

/// The login request of an authorization server that the flow answers.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct OAuth2View {
    #[serde(rename = "oauth2_login_challenge", skip_serializing_if = "Option::is_none")]
    pub(crate) challenge: Option<String>,
    #[serde(rename = "oauth2_login_request", skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<Value>,
}

/// An identity inside another response.
#[derive(Clone, Debug)]
pub(crate) struct IdentityBody {
    identity: domain::Identity,
    public_url: Url,
}

impl IdentityBody {
    pub(crate) const fn new(identity: domain::Identity, public_url: Url) -> Self {
        Self { identity, public_url }
    }
}

impl Serialize for IdentityBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        IdentityView::new(&self.identity, &self.public_url).serialize(serializer)
    }
}

impl FlowView {
    /// `csrf` is the secret of the browser that shows the flow; native flows contain an empty token.
    pub(crate) fn new<D: Details>(flow: &Flow<D>, csrf: Option<&CsrfSecret>, rng: &Rng) -> Self {
        let mut ui = flow.ui.clone();
        if ui.nodes.find(CSRF_TOKEN).is_some() {
            let token = match (flow.flow_type, csrf) {
                (FlowType::Browser, Some(csrf)) => csrf.token(flow.id.as_uuid(), rng),
                (FlowType::Browser, None) | (FlowType::Api, _) => String::new(),
            };
            ui.set_value(CSRF_TOKEN, Value::String(token));
        }
        Self {
            id: flow.id,
            flow_type: flow.flow_type,
            expires_at: flow.expires_at,
            issued_at: flow.issued_at,
            request_url: flow.request_url.clone(),
            return_to: flow.wanted_return_to(),
            active: flow.active,
            ui,
            state: flow.state,
            transient_payload: flow.transient_payload.clone(),
            details: DetailsView::new(flow.details.any(), flow.issued_at),
            continue_with: None,
            sent: flow.sent.clone(),
        }
    }

    /// The settings flow with its identity.
    #[must_use]
    pub(crate) fn of_identity(mut self, identity: domain::Identity, public_url: Url) -> Self {
        let identity = Some(Box::new(IdentityBody::new(identity, public_url)));
        self.details = DetailsView::Settings(SettingsView { organization_id: None, identity });
        self
    }

    /// The flow with the steps that follow it; `null` without any.
    #[must_use]
    pub(crate) fn completed(mut self, continue_with: Vec<ContinueWith>) -> Self {
        self.continue_with = Some(NextSteps(Some(continue_with).filter(|steps| !steps.is_empty())));
        self
    }

    /// The login request that the flow answers.
    pub(crate) fn oauth2(&self) -> Option<&OAuth2View> {
        match &self.details {
            DetailsView::Login(login) => Some(&login.oauth2),
            DetailsView::Registration(registration) => Some(&registration.oauth2),
            DetailsView::Settings(_) | DetailsView::None {} => None,
        }
    }
}

impl DetailsView {
    fn new(details: AnyDetails<'_>, issued_at: Timestamp) -> Self {
        match details {
            AnyDetails::Login(Login { requested_aal, refresh, identity_schema, oauth2, .. }) => {
                Self::Login(LoginView {
                    created_at: issued_at,
                    updated_at: issued_at,
                    refresh: *refresh,
                    requested_aal: *requested_aal,
                    organization_id: None,
                    identity_schema: identity_schema.clone(),
                    oauth2: OAuth2View::new(oauth2.as_ref()),
                })
            }
            AnyDetails::Registration(Registration { identity_schema, oauth2, .. }) => {
                Self::Registration(RegistrationView {
                    organization_id: None,
                    identity_schema: identity_schema.clone(),
                    oauth2: OAuth2View::new(oauth2.as_ref()),
                })
            }
            AnyDetails::Settings(_) => Self::Settings(SettingsView { organization_id: None, identity: None }),
            AnyDetails::Recovery(_) | AnyDetails::Verification(_) => Self::None {},
        }
    }
}

impl OAuth2View {
    fn new(oauth2: Option<&OAuth2Request>) -> Self {
        let (challenge, request) = oauth2.map(|it| (it.challenge.clone(), it.request.clone())).unzip();
        Self { challenge, request }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::flow::Beginning;
    use crate::domain::ui_node::Node;

    fn login(flow_type: FlowType, csrf: Option<&CsrfSecret>) -> Flow<Login> {
        let rng = Rng::seeded(1);
        let beginning = Beginning {
            flow_type,
            request_url: "https://id.example/self-service/login/browser?return_to=%2Fhome",
            lifespan: Duration::from_mins(1),
            public_url: &Url::parse("https://id.example/auth/").unwrap(),
            csrf,
        };
        let details = Login {
            requested_aal: Aal::Aal1,
            refresh: false,
            identity_schema: None,
            oauth2: None,
            expected_identity: None,
            code_identifier: None,
        };
        let mut flow = Flow::begin(&beginning, details, &rng, Timestamp::EPOCH);
        flow.ui.nodes.append(Node::csrf());
        flow
    }

    #[test]
    fn the_wire_form_has_the_members_that_clients_require() {
        let rng = Rng::seeded(2);
        let csrf = CsrfSecret::generate(&rng);
        let flow = login(FlowType::Browser, Some(&csrf));
        let wire = serde_json::to_value(FlowView::new(&flow, Some(&csrf), &rng)).unwrap();
        assert_eq!(wire["type"], "browser");
        assert_eq!(wire["state"], "choose_method");
        assert_eq!(wire["return_to"], "/home");
        assert_eq!(wire["requested_aal"], "aal1");
        assert_eq!(wire["ui"]["action"], format!("https://id.example/auth/self-service/login?flow={}", flow.id));
        let token = wire["ui"]["nodes"][0]["attributes"]["value"].as_str().unwrap();
        assert!(csrf.accepts(token, flow.id.as_uuid()));
        assert!(flow.belongs_to(&csrf) && !flow.belongs_to(&CsrfSecret::generate(&rng)));
    }

    #[test]
    fn a_native_flow_carries_an_empty_token_and_belongs_to_no_browser() {
        let rng = Rng::seeded(2);
        let flow = login(FlowType::Api, None);
        let wire = serde_json::to_value(FlowView::new(&flow, None, &rng)).unwrap();
        assert_eq!(wire["ui"]["nodes"][0]["attributes"]["value"], "");
        assert!(flow.belongs_to(&CsrfSecret::generate(&rng)));
    }
}
