//! The connected applications on the settings page, and the form that ends one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base::Context;
use contracts::{Connection, Unavailable};
use ui::components::{Button, ButtonKind, Hidden};
use ui::{Localizer, Moment, OutsideText};
use web::Cx;

use super::see_other;
use crate::Identity;
use crate::domain::flow::FlowKind;
use crate::flows::sessions::OwnSessionsError;
use crate::flows::submission::RawSubmission;
use crate::flows::visitor::Visitor;

/// The section of the settings page.
pub(super) struct ConnectionList {
    pub action: String,
    pub csrf: Hidden,
    /// `None` when the request to the authorization server failed.
    pub lines: Option<Vec<ConnectionLine>>,
}

/// One client in the list.
pub(super) struct ConnectionLine {
    /// Unique on the page: the button points to it.
    pub id: String,
    pub name: OutsideText,
    pub since: Moment,
    /// Sends the client's id.
    pub end: Button,
}

impl ConnectionList {
    pub(super) fn new(
        action: String,
        csrf: Hidden,
        listed: Result<Vec<Connection>, Unavailable>,
        texts: Localizer<'_>,
    ) -> Self {
        let line = |(index, connection): (usize, Connection)| {
            let id = format!("connection-{}", index + 1);
            ConnectionLine {
                name: shown_name(&connection),
                since: Moment::new(connection.consented_at, texts.language()),
                end: Button::submit(texts.strings().end_connection)
                    .sending("client", connection.client_id)
                    .of_kind(ButtonKind::Secondary)
                    .about(&id)
                    .small(),
                id,
            }
        };
        let lines = listed.map(|connections| connections.into_iter().enumerate().map(line).collect());
        let lines = lines.map_err(|error| tracing::warn!(%error, "connected applications cannot be listed")).ok();
        Self { action, csrf, lines }
    }
}

/// The registrant of the client chose its name. A name without visible characters is replaced by the client id.
fn shown_name(connection: &Connection) -> OutsideText {
    let name = |text: &str| OutsideText::new(text, OutsideText::NAME);
    name(&connection.client_name).or_else(|| name(&connection.client_id)).unwrap_or_else(OutsideText::nobody)
}

/// Ends one connection, and shows the settings again.
pub(super) async fn end(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    visitor: Visitor,
    body: RawSubmission,
) -> Response {
    match identity.end_connection(&cx, &visitor, body).await {
        Ok(Ok(())) => see_other(&identity.settings_again(&visitor, Some(("connections", "ended")))),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a connected application cannot be ended");
            see_other(&identity.settings_again(&visitor, Some(("connections", "unavailable"))))
        }
        Err(error) => identity.without_session(&cx, FlowKind::Settings, error).await,
    }
}

impl Identity {
    async fn end_connection(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Result<(), Unavailable>, OwnSessionsError> {
        let submission = self.guarded_submission(cx, visitor, body).await?;
        let client = submission.text("client").unwrap_or_default();
        if client.is_empty() {
            return Err(OwnSessionsError::Malformed("client: is missing".to_owned()));
        }
        self.end_my_connection(cx, visitor, client, &self.settings_again(visitor, None)).await
    }
}

#[cfg(test)]
mod tests {
    use base::Timestamp;

    use super::*;

    #[test]
    fn a_name_is_one_short_line() {
        let shown = |name: &str| {
            let (client_id, client_name) = ("client-1".to_owned(), name.to_owned());
            let name = shown_name(&Connection { client_id, client_name, consented_at: Timestamp::EPOCH });
            name.as_str().to_owned()
        };
        assert_eq!(shown(" The\n\tShop\u{0} "), "The Shop");
        assert_eq!(shown(" \u{200b} "), "client-1");
        assert_eq!(shown("a\u{202e}b"), "ab", "no character changes the text direction");
        assert_eq!(shown(""), "client-1");
        assert_eq!(shown(&"é".repeat(500)), format!("{}…", "é".repeat(OutsideText::NAME - 1)));
    }
}
