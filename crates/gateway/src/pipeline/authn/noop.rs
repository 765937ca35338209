//! `noop`: accepts every request without a subject.

use super::{Answer, Authenticator, Definition, Inbound, Outcome, Services};
use crate::domain::session::Session;
use crate::pipeline::settings::Nothing;

const NAME: &str = "noop";

pub(super) const HANDLER: Definition<dyn Authenticator, Services> =
    Definition::new::<Nothing>(NAME, |_, _| Ok(Box::new(Noop)));

#[derive(Debug)]
struct Noop;

impl Authenticator for Noop {
    fn authenticate<'a>(&'a self, _: &'a Inbound<'a>, _: &'a Services) -> Answer<'a, Outcome> {
        Answer::Ready(Outcome::Accepted(Session::unauthenticated(NAME, "")))
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::fixtures::{self, Request};
    use serde_json::json;

    #[tokio::test]
    async fn noop_accepts_without_a_subject() {
        let rule = json!({"authenticators": [{"handler": "noop"}]});
        let session = fixtures::run(rule, &Request::get("http://h/"), &fixtures::services()).await.unwrap();
        assert_eq!((session.subject.as_str(), session.authenticated), ("", false));
    }
}
