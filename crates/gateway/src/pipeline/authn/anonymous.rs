//! `anonymous`: accepts requests without an `Authorization` header, under a configured subject.

use http::header::AUTHORIZATION;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Authenticator, Definition, Inbound, Outcome, Services};
use crate::domain::session::Session;
use crate::pipeline::settings;

const NAME: &str = "anonymous";

pub(super) const HANDLER: Definition<dyn Authenticator, Services> =
    Definition::new::<Settings>(NAME, |settings, _| Ok(Box::new(Anonymous::compile(settings)?)));

#[derive(Debug)]
struct Anonymous {
    subject: String,
    ignore_authorization_header: bool,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The subject of requests without credentials. An empty one is `anonymous`.
    subject: String,
    /// Whether a request with the header `Authorization` is accepted as well.
    ignore_authorization_header: bool,
}

impl Anonymous {
    fn compile(settings: Value) -> Result<Self, String> {
        let Settings { subject, ignore_authorization_header } = settings::read(settings)?;
        let subject = if subject.is_empty() { "anonymous".to_owned() } else { subject };
        Ok(Self { subject, ignore_authorization_header })
    }

    fn outcome(&self, inbound: &Inbound<'_>) -> Outcome {
        let shows_credentials = inbound.headers.get(AUTHORIZATION).is_some_and(|value| !value.is_empty());
        if shows_credentials && !self.ignore_authorization_header {
            return Outcome::NotResponsible;
        }
        Outcome::Accepted(Session::unauthenticated(NAME, &self.subject))
    }
}

impl Authenticator for Anonymous {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, _: &'a Services) -> Answer<'a, Outcome> {
        Answer::Ready(self.outcome(inbound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixtures::Request;
    use serde_json::json;

    fn subject(settings: Value, request: &Request) -> Option<String> {
        match Anonymous::compile(settings).unwrap().outcome(&request.inbound()) {
            Outcome::Accepted(session) => Some(session.subject),
            _ => None,
        }
    }

    #[test]
    fn a_request_without_authorization_is_anonymous() {
        let bare = Request::get("http://h/");
        assert_eq!(subject(json!({}), &bare).as_deref(), Some("anonymous"));
        assert_eq!(subject(json!({"subject": "guest"}), &bare).as_deref(), Some("guest"));
        let basic = Request::get("http://h/").header("authorization", "Basic eA==");
        assert_eq!(subject(json!({}), &basic), None);
        assert_eq!(subject(json!({"ignore_authorization_header": true}), &basic).as_deref(), Some("anonymous"));
        assert!(Anonymous::compile(json!({"subjekt": "x"})).unwrap_err().contains("subjekt"));
    }
}
