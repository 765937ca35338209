//! `keto_engine_acp_ory`: asks the access control policies of Keto 0.5 and before, which later versions do not have. The
//! permission service of this suite does not answer it: `permission` is the authorizer for it.
//!
//! Invariant: only 200 with `allowed: true` allows. Redirects are not followed.

use base::Timestamp;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Authorizer, Definition, Inbound, Services};
use crate::domain::failure::{Failure, Fault};
use crate::domain::session::Session;
use crate::pipeline::retry::{Retry, send_with_retries};
use crate::pipeline::settings;
use crate::pipeline::template::{Template, TemplateView};

pub(super) const HANDLER: Definition<dyn Authorizer, Services> =
    Definition::new::<Settings>("keto_engine_acp_ory", |settings, _| {
        Ok(Box::new(Engine::compile(&settings::read(settings)?)?))
    });

#[derive(Debug)]
struct Engine {
    uri: Uri,
    action: Template,
    resource: Template,
    subject: Template,
}

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The URL of a Keto before 0.6.
    base_url: String,
    /// A template of the action.
    required_action: String,
    /// A template of the resource.
    required_resource: String,
    /// A template of the subject; by default the subject of the session.
    subject: String,
    /// How the policies match: `regex`, `glob` or `exact`.
    flavor: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            required_action: String::new(),
            required_resource: String::new(),
            subject: String::new(),
            flavor: "regex".to_owned(),
        }
    }
}

#[derive(Deserialize)]
struct Decision {
    allowed: bool,
}

impl Engine {
    fn compile(settings: &Settings) -> Result<Self, String> {
        let mut url = settings::required_url("base_url", &settings.base_url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("has a `base_url` that is neither http nor https".to_owned());
        }
        let flavor = match settings.flavor.as_str() {
            "" => "regex",
            flavor @ ("regex" | "glob" | "exact") => flavor,
            _ => return Err("has a `flavor` that is none of regex, glob and exact".to_owned()),
        };
        url.set_path(&format!("{}/engines/acp/ory/{flavor}/allowed", url.path().trim_end_matches('/')));
        let template = |name: &str, text: &str| {
            if text.is_empty() {
                return Err(format!("requires the setting `{name}`"));
            }
            Template::compile(text).map_err(|error| format!("has a template for `{name}`: {error}"))
        };
        let subject = if settings.subject.is_empty() { "{{ print .Subject }}" } else { &settings.subject };
        Ok(Self {
            uri: url.as_str().parse().map_err(|_| "has a `base_url` that is not a valid URI".to_owned())?,
            action: template("required_action", &settings.required_action)?,
            resource: template("required_resource", &settings.required_resource)?,
            subject: template("subject", subject)?,
        })
    }

    async fn ask(&self, inbound: &Inbound<'_>, session: &Session, services: &Services) -> Result<(), Box<Failure>> {
        let mut request = Request::new(Bytes::from(self.question(inbound, session)?.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = send_with_retries(&services.http, &request, Retry::default()).await.map_err(|error| {
            Failure::internal(format!("the request to the policy engine failed: {error}")).blaming(Fault::Upstream)
        })?;
        let denied = || Failure::forbidden().because("the policy engine denied the request");
        let decision: Option<Decision> = serde_json::from_slice(answer.body()).ok();
        match (answer.status(), decision) {
            (StatusCode::OK, Some(Decision { allowed: true })) => Ok(()),
            (StatusCode::OK, Some(Decision { allowed: false })) | (StatusCode::FORBIDDEN, _) => Err(denied()),
            (status, _) => {
                let reason = format!("the policy engine answered with {} and no decision", status.as_u16());
                Err(Failure::internal(reason).blaming(Fault::Upstream))
            }
        }
    }

    fn question(&self, inbound: &Inbound<'_>, session: &Session) -> Result<Value, Box<Failure>> {
        let view = TemplateView { session, inbound };
        let render = |template: &'_ Template| {
            let text = template.render(&view).map_err(|error| Failure::internal(error.to_string()))?;
            Ok::<_, Box<Failure>>(text.into_owned())
        };
        let now: Timestamp = inbound.cx.now;
        Ok(json!({
            "action": render(&self.action)?,
            "resource": render(&self.resource)?,
            "subject": render(&self.subject)?,
            "context": {
                "remoteIpAddress": inbound.cx.client_address.map(|address| address.to_string()).unwrap_or_default(),
                "requestedAt": now.to_string(),
            },
        }))
    }
}

impl Authorizer for Engine {
    fn authorize<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        services: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::pending(self.ask(inbound, session, services))
    }

    fn asks_a_server(&self) -> bool {
        true
    }
}
