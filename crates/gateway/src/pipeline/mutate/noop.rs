//! `noop`: forwards the request unchanged, except for headers that clients may not send. The decision API returns those of
//! the request's headers that remain.

use super::{Answer, Definition, Inbound, Mutator, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::settings::Nothing;

pub(super) const HANDLER: Definition<dyn Mutator, Services> =
    Definition::new::<Nothing>("noop", |_, _| Ok(Box::new(Noop)));

#[derive(Debug)]
struct Noop;

impl Mutator for Noop {
    fn mutate<'a>(
        &'a self,
        _: &'a Inbound<'a>,
        _: &'a mut Session,
        _: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::Ready(Ok(()))
    }

    fn echoes_request_headers(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::pipeline::Pipeline;
    use crate::tests::fixtures::{self, Request};
    use serde_json::json;

    #[tokio::test]
    async fn the_session_gets_no_headers() {
        let rule = fixtures::rule(json!({"mutators": [{"handler": "noop"}]}));
        let services = fixtures::services();
        let pipeline = Pipeline::compile(&rule, &fixtures::config(), &services).unwrap();
        let request = Request::get("http://h/").header("x-a", "b");
        let session = pipeline.run(&request.inbound(), &services).await.unwrap();
        assert_eq!(session.headers.iter().count(), 0);
        assert!(pipeline.echoes_request_headers());
    }
}
