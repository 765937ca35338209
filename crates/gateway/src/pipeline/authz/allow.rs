//! `allow`: allows every request.

use super::{Answer, Authorizer, Definition, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::settings::{self, Nothing};

pub(super) const HANDLER: Definition<dyn Authorizer, Services> = Definition::new::<Nothing>("allow", |settings, _| {
    settings::read::<Nothing>(settings)?;
    Ok(Box::new(Allow))
});

#[derive(Debug)]
struct Allow;

impl Authorizer for Allow {
    fn authorize<'a>(
        &'a self,
        _: &'a Inbound<'a>,
        _: &'a mut Session,
        _: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::fixtures::{self, Request};
    use serde_json::json;

    #[tokio::test]
    async fn allow_allows_every_request() {
        let rule = json!({"authorizer": {"handler": "allow"}});
        assert!(fixtures::run(rule, &Request::get("http://h/"), &fixtures::services()).await.is_ok());
    }
}
