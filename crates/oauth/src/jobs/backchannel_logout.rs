//! Notifies a client's server of a logout (OpenID Connect Back-Channel Logout 1.0 section 2). The job is written in the
//! transaction that ends the login, so no notification is lost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::Context;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use jobs::{Failure, Handler, Job};
use serde_json::{Map, json};

use crate::OAuth;
use crate::domain::effect::{self, BACKCHANNEL_LOGOUT};
use crate::storage::clients;

/// The validity of a logout token (section 4 recommends at most two minutes).
const LIFETIME: Duration = Duration::from_mins(2);

#[derive(Debug)]
pub(crate) struct BackchannelLogout(pub Arc<OAuth>);

#[async_trait]
impl Handler for BackchannelLogout {
    fn kind(&self) -> &'static str {
        BACKCHANNEL_LOGOUT
    }

    async fn run(&self, cx: &Context, job: &Job) -> Result<(), Failure> {
        let payload: effect::BackchannelLogout = serde_json::from_value(job.payload.clone())
            .map_err(|error| Failure::Permanent(format!("the payload makes no sense: {error}")))?;
        let mut tx = self.0.database.read(cx.tenant);
        let Some(client) = clients::find(&mut tx, &payload.client_id).await? else { return Ok(()) };
        let uri = client.metadata.backchannel_logout_uri.as_str();
        if uri.is_empty() {
            return Ok(());
        }
        let subject = self.0.subjects.shown_to(&mut tx, &client, &payload.subject).await?;
        let claims = Map::from_iter([
            ("iss".to_owned(), json!(self.0.config.issuer())),
            ("aud".to_owned(), json!([client.id])),
            ("sub".to_owned(), json!(subject)),
            ("sid".to_owned(), json!(payload.session_id)),
            ("iat".to_owned(), json!(cx.now.unix_seconds())),
            ("exp".to_owned(), json!(cx.now.plus(LIFETIME).unix_seconds())),
            ("jti".to_owned(), json!(self.0.rng.uuid())),
            ("events".to_owned(), json!({"http://schemas.openid.net/event/backchannel-logout": {}})),
        ]);
        let token = self.0.keys.sign_typed(cx, "logout+jwt", &claims).await;
        let token = token.map_err(|error| Failure::Retry(error.to_string()))?;
        self.post(uri, &token).await
    }
}

impl BackchannelLogout {
    async fn post(&self, uri: &str, token: &str) -> Result<(), Failure> {
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish();
        let request = http::Request::post(uri)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .map_err(|error| Failure::Permanent(error.to_string()))?;
        let response = self.0.http.send(request).await.map_err(|error| Failure::Retry(error.to_string()))?;
        match response.status().as_u16() {
            200..=299 => Ok(()),
            // Section 2.8: the client rejects the token; a retry cannot help.
            status @ 400..=499 if status != 408 && status != 429 => {
                Err(Failure::Permanent(format!("the client answered with status {status}")))
            }
            status => Err(Failure::Retry(format!("the client answered with status {status}"))),
        }
    }
}
