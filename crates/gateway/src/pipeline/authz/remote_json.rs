//! `remote_json`: sends a JSON document about the request to an authorization server, which allows or denies it.
//!
//! Invariant: the document is one JSON value, and a value that a template prints stays inside its string or member.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::question::{self, Message, Question};
use super::{Answer, Authorizer, Definition, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::settings;
use crate::pipeline::template::{JsonTemplate, TemplateView};

pub(super) const HANDLER: Definition<dyn Authorizer, Services> =
    Definition::sharing::<Settings, question::Settings>("remote_json", |settings, _| {
        Ok(Box::new(RemoteJson::compile(settings)?))
    });

#[derive(Debug)]
struct RemoteJson {
    question: Question,
    payload: JsonTemplate,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// A template of the JSON document that is sent to the authorization server.
    payload: String,
}

impl RemoteJson {
    fn compile(settings: Value) -> Result<Self, String> {
        let (Settings { payload }, question): (_, question::Settings) = settings::read_both(settings)?;
        let question = Question::compile(&question)?;
        if payload.is_empty() {
            return Err("requires the setting `payload`".to_owned());
        }
        let payload = JsonTemplate::compile(&payload).map_err(|error| format!("has a `payload`: {error}"))?;
        Ok(Self { question, payload })
    }

    async fn ask(&self, inbound: &Inbound<'_>, session: &mut Session, services: &Services) -> Result<(), Box<Failure>> {
        let body = self.payload(inbound, session)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.question.ask(inbound, session, services, Message { headers, body }).await
    }

    fn payload(&self, inbound: &Inbound<'_>, session: &Session) -> Result<Bytes, Box<Failure>> {
        let payload = self
            .payload
            .render(&TemplateView { session, inbound })
            .map_err(|error| Failure::internal(format!("the payload of the remote_json authorizer: {error}")))?;
        if serde_json::from_str::<IgnoredAny>(&payload).is_err() {
            return Err(Failure::internal("the payload of the remote_json authorizer is not JSON"));
        }
        Ok(Bytes::from(payload.into_owned()))
    }
}

impl Authorizer for RemoteJson {
    fn authorize<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        services: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::pending(self.ask(inbound, session, services))
    }

    fn decided_headers(&self) -> &[HeaderName] {
        self.question.forwarded()
    }

    fn asks_a_server(&self) -> bool {
        true
    }
}
