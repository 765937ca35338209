//! `bearer_token`: finds the session of a token through the identity service or another server.
//!
//! Invariant: the token that was found, and that has the prefix, is the one that is checked. A token from a place that is not
//! forwarded is sent as `Authorization: Bearer`, and the `Authorization` of the client is sent only if the token is in it or
//! the rule names it in `forward_http_headers`.

use http::header::{AUTHORIZATION, COOKIE};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::session_check::{self, Asker, Presented, SessionCheck};
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
    place: Place,
}

/// Where the token is, as the session check sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the client's `Authorization`.
    Authorization,
    /// In another part of the request that is forwarded.
    Forwarded,
    NotForwarded,
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
        let place = match &token_from {
            TokenFrom::Bearer => Place::Authorization,
            // In the same process `X-Session-Token` alone would be read.
            TokenFrom::Header(name) if check.is_remote() && check.forwards(name) => Place::Forwarded,
            TokenFrom::Cookie(_) if check.forwards(&COOKIE) => Place::Forwarded,
            TokenFrom::QueryParameter(_) if check.forwards_query() => Place::Forwarded,
            TokenFrom::Header(_) | TokenFrom::Cookie(_) | TokenFrom::QueryParameter(_) => Place::NotForwarded,
        };
        if place == Place::NotForwarded && check.adds(&AUTHORIZATION) {
            return Err(
                "has `additional_headers` with an `Authorization` that would replace the token, which is sent in this \
                        header: forward the place of the token with `forward_http_headers`"
                    .to_owned(),
            );
        }
        Ok(Self { check, token_from, prefix, place })
    }

    async fn outcome(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        let Some(token) = self.token_from.find(inbound).filter(|token| token.starts_with(&self.prefix)) else {
            return Outcome::NotResponsible;
        };
        let with_authorization = self.check.forwards_by_name(&AUTHORIZATION);
        let presented = match (self.place, &self.token_from) {
            (Place::Authorization, _) => Presented::AsSent,
            // Another cookie of the request could be the one that is checked.
            (Place::Forwarded, TokenFrom::Cookie(name)) if !self.check.is_remote() => {
                Presented::Cookie { pair: format!("{name}={token}"), with_authorization }
            }
            (Place::Forwarded, _) if with_authorization => Presented::AsSent,
            (Place::Forwarded, _) => Presented::WithoutAuthorization,
            (Place::NotForwarded, _) => Presented::Token(token),
        };
        self.check.ask(inbound, services, presented).await.outcome()
    }
}

impl Authenticator for BearerToken {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, services: &'a Services) -> Answer<'a, Outcome> {
        Answer::pending(self.outcome(inbound, services))
    }
}
