//! Flows that replace ended ones.

use base::Context;

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::domain::flow::{Details, Flow};
use crate::storage;

use super::answer::Answer;
use super::errors::SubmitError;
use super::visitor::{Browser, Visitor};

impl Identity {
    /// A flow with the purpose of an ended one. Its form is empty, and it is not stored yet.
    pub(super) fn begin_again<D: Details>(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        over: &Flow<D>,
        details: D,
    ) -> Flow<D> {
        let mut beginning = self.beginning::<D>(visitor, browser, over.flow_type);
        beginning.request_url = &over.request_url;
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.return_to.clone_from(&over.return_to);
        flow
    }

    /// Stores a new flow.
    pub(super) async fn store_flow<D: Details>(&self, cx: &Context, flow: &Flow<D>) -> Result<(), database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        storage::flows::insert(&mut tx, flow).await?;
        tx.commit().await
    }

    /// Stores the flow that replaces an expired one, and redirects the client to it.
    pub(super) async fn put_in_place_of<D: Details>(
        &self,
        cx: &Context,
        visitor: &Visitor,
        expired: &Flow<D>,
        mut flow: Flow<D>,
    ) -> Result<Answer, SubmitError> {
        flow.ui.messages.push(D::expired_message(expired.expires_at, cx.now));
        self.store_flow(cx, &flow).await?;
        if expired.is_browser() && visitor.wants == Wants::Html {
            return Ok(Answer::redirect(self.page_of(&flow)));
        }
        Err(Self::replaced_by(cx, expired, &flow).into())
    }
}
