//! `deny`: rejects every request.

use super::{Answer, Authorizer, Definition, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::settings::{self, Nothing};

pub(super) const HANDLER: Definition<dyn Authorizer, Services> = Definition::new::<Nothing>("deny", |settings, _| {
    settings::read::<Nothing>(settings)?;
    Ok(Box::new(Deny))
});

#[derive(Debug)]
struct Deny;

impl Authorizer for Deny {
    fn authorize<'a>(
        &'a self,
        _: &'a Inbound<'a>,
        _: &'a mut Session,
        _: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::Ready(Err(Failure::forbidden()))
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::fixtures::{self, Request};
    use serde_json::json;

    #[tokio::test]
    async fn deny_refuses_every_request() {
        let rule = json!({"authorizer": {"handler": "deny"}});
        let failure = fixtures::run(rule, &Request::get("http://h/"), &fixtures::services()).await.unwrap_err();
        assert_eq!(failure.status, http::StatusCode::FORBIDDEN);
    }
}
