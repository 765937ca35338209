//! `remote`: sends the body of the request to an authorization server, which allows or denies it.
//!
//! Invariants: the upstream receives the same body as the authorization server, and only after the server has allowed the
//! request. A body that is too large to buffer is rejected with 413.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use serde_json::Value;

use super::question::{Message, Question, Settings};
use super::{Answer, Authorizer, Definition, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::{Evaluation, settings};

pub(super) const HANDLER: Definition<dyn Authorizer, Services> =
    Definition::new::<Settings>("remote", |settings, _| Ok(Box::new(Remote::compile(settings)?)));

#[derive(Debug)]
struct Remote {
    question: Question,
}

/// Documented in `docs/bounds.md`.
const MOST_BODY_BYTES: usize = 5 << 20;

impl Remote {
    fn compile(settings: Value) -> Result<Self, String> {
        Ok(Self { question: Question::compile(&settings::read::<Settings>(settings)?)? })
    }

    async fn ask(&self, inbound: &Inbound<'_>, session: &mut Session, services: &Services) -> Result<(), Box<Failure>> {
        let Evaluation::NewRequest(body) = inbound.evaluation else { return Ok(()) };
        let headers = description(inbound.headers)?;
        let body = body.read(MOST_BODY_BYTES).await?;
        self.question.ask(inbound, session, services, Message { headers, body }).await
    }
}

/// The headers that determine how the body is parsed. Two values would let the server and the upstream parse it
/// differently.
fn description(headers: &HeaderMap) -> Result<HeaderMap, Box<Failure>> {
    let mut description = HeaderMap::new();
    for name in [CONTENT_TYPE, CONTENT_ENCODING] {
        let mut values = headers.get_all(&name).iter();
        if let Some(value) = values.next() {
            if values.next().is_some() {
                return Err(repeated(&name));
            }
            description.insert(name, value.clone());
        }
    }
    Ok(description)
}

fn repeated(name: &HeaderName) -> Box<Failure> {
    Failure::bad_request(format!("the header `{name}` must occur once"))
}

impl Authorizer for Remote {
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
