//! `unauthorized`: rejects every request.

use super::{Answer, Authenticator, Definition, Inbound, Outcome, Services};
use crate::domain::failure::Failure;
use crate::pipeline::settings::Nothing;

pub(super) const HANDLER: Definition<dyn Authenticator, Services> =
    Definition::new::<Nothing>("unauthorized", |_, _| Ok(Box::new(Unauthorized)));

#[derive(Debug)]
struct Unauthorized;

impl Authenticator for Unauthorized {
    /// The rule rejects the request, whatever its credentials: `on_invalid` has no effect.
    fn authenticate<'a>(&'a self, _: &'a Inbound<'a>, _: &'a Services) -> Answer<'a, Outcome> {
        Answer::Ready(Outcome::Refused(Failure::unauthorized()))
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::fixtures::{self, Request};
    use serde_json::json;

    #[tokio::test]
    async fn unauthorized_refuses_every_request() {
        let rule = json!({"authenticators": [{"handler": "unauthorized", "on_invalid": "next"}, {"handler": "noop"}]});
        let failure = fixtures::run(rule, &Request::get("http://h/"), &fixtures::services()).await.unwrap_err();
        assert_eq!(failure.status, http::StatusCode::UNAUTHORIZED);
    }
}
