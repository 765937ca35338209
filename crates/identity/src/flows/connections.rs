//! A user's connected applications: the clients that the user consented to, and the revocation of that consent.

use std::time::Duration;

use base::Context;
use contracts::{Connection, Unavailable};

use crate::Identity;
use crate::domain::flow::endpoint;

use super::errors::RefreshRequired;
use super::events::acting_as;
use super::sessions::OwnSessionsError;
use super::visitor::Visitor;

/// After this time the account page is shown without the list.
const PATIENCE: Duration = Duration::from_secs(3);

impl Identity {
    /// The clients that the user consented to; `None` without an authorization server.
    pub(crate) async fn my_connections(
        &self,
        cx: &Context,
        visitor: &Visitor,
    ) -> Result<Option<Result<Vec<Connection>, Unavailable>>, OwnSessionsError> {
        let Some(connections) = self.connections.get() else { return Ok(None) };
        let current = self.own_session(cx, visitor).await?;
        let subject = current.session.identity_id.to_string();
        let listed = tokio::time::timeout(PATIENCE, connections.list(cx, &subject)).await;
        Ok(Some(listed.unwrap_or_else(|_| Err(Unavailable::new("oauth", "the request for the list timed out")))))
    }

    /// Revokes the consent for one client. Requires a recently authenticated session, so that someone with an
    /// unattended browser cannot disconnect applications. `back` is the URL to return to after a new sign-in.
    pub(crate) async fn end_my_connection(
        &self,
        cx: &Context,
        visitor: &Visitor,
        client_id: &str,
        back: &str,
    ) -> Result<Result<(), Unavailable>, OwnSessionsError> {
        let current = self.own_session(cx, visitor).await?;
        if !current.session.is_privileged(self.session_policy.privileged_max_age(), cx.now) {
            let mut url = endpoint(self.urls.public(), "self-service/login/browser");
            url.query_pairs_mut().append_pair("refresh", "true").append_pair("return_to", back);
            return Err(RefreshRequired { redirect_browser_to: url.into() }.into());
        }
        let Some(connections) = self.connections.get() else {
            return Ok(Err(Unavailable::new("oauth", "no authorization server is configured")));
        };
        let cx = &acting_as(cx, current.session.identity_id);
        Ok(connections.end(cx, &current.session.identity_id.to_string(), client_id).await)
    }
}
