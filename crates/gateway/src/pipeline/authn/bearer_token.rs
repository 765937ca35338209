//! `bearer_token`: finds the session of a token through the identity service or another server.
//!
//! Invariant: in this process the token is checked even if no forwarded header carries it. Over HTTP the server sees only
//! the forwarded headers, as with Oathkeeper.

use http::header::AUTHORIZATION;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::session_check::{self, Asker, SessionCheck};
use super::token_from::{self, TokenFrom};
use super::{Answer, Authenticator, Definition, Inbound, Outcome, Services};
use crate::pipeline::settings;

const NAME: &str = "bearer_token";

pub(super) const HANDLER: Definition<dyn Authenticator, Services> =
    Definition::sharing::<Settings, session_check::Settings>(NAME, |settings, services| {
        Ok(Box::new(BearerToken::compile(settings, services)?))
    });

#[derive(Debug)]
struct BearerToken {
    check: SessionCheck,
    token_from: TokenFrom,
    prefix: String,
    /// Whether a forwarded header carries the token.
    is_forwarded: bool,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    token_from: Option<token_from::Settings>,
    /// What a token must begin with. Other tokens are left to the next authenticator.
    prefix: String,
}

impl BearerToken {
    fn compile(settings: Value, services: &Services) -> Result<Self, String> {
        let (Settings { token_from, prefix }, check): (_, session_check::Settings) = settings::read_both(settings)?;
        let token_from = TokenFrom::compile(token_from)?;
        let asker = Asker { name: NAME, credential: AUTHORIZATION, subject_from: "sub" };
        let check = SessionCheck::compile(asker, &check, services)?;
        let is_forwarded = token_from.header().is_some_and(|name| check.forwards(&name));
        if let Some(header) = token_from.header()
            && check.is_remote()
            && !is_forwarded
        {
            tracing::warn!(
                %header,
                "a `bearer_token` authenticator does not forward the header of its token: name it in `forward_http_headers`"
            );
        }
        Ok(Self { check, token_from, prefix, is_forwarded })
    }

    async fn outcome(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        let Some(token) = self.token_from.find(inbound).filter(|token| token.starts_with(&self.prefix)) else {
            return Outcome::NotResponsible;
        };
        let token = (!self.is_forwarded).then_some(token);
        self.check.ask(inbound, services, token).await.outcome()
    }
}

impl Authenticator for BearerToken {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, services: &'a Services) -> Answer<'a, Outcome> {
        Answer::pending(self.outcome(inbound, services))
    }
}
