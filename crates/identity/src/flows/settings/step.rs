//! One submission to the settings: what a method is given, and what it answers.

use base::Context;
use database::WriteTx;

use crate::Identity;
use crate::domain::flow::{Flow, FlowKind, Settings, endpoint, submit_url};
use crate::domain::{self, Session};
use crate::flows::attempts::Caller;
use crate::flows::current::Current;
use crate::flows::error::FlowError;
use crate::flows::events::{self, FlowEvent};
use crate::flows::hooks::BegunVerification;
use crate::flows::submission::Submission;
use crate::flows::visitor::Browser;
use crate::storage;
use crate::storage::identities::StoreError;

/// What a method is given.
pub(crate) struct SettingsStep<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub caller: &'a Caller,
    pub browser: &'a Browser,
    pub flow: &'a mut Flow<Settings>,
    pub current: &'a Current,
    pub submission: &'a Submission,
}

/// What a method made of it.
pub(crate) enum Step {
    Changed(Box<Changed>),
}

/// A change that was made.
pub(crate) struct Changed {
    /// With the credentials.
    pub identity: domain::Identity,
    pub verification: Option<BegunVerification>,
    /// The session, when the change proved a factor in it.
    pub session: Option<Session>,
}

impl Changed {
    pub(crate) fn of(identity: domain::Identity) -> Self {
        Self { identity, verification: None, session: None }
    }
}

/// A change of the person that is being written. Nobody else changes the person meanwhile.
pub(crate) struct Change {
    pub tx: WriteTx,
    before: domain::Identity,
    pub after: domain::Identity,
}

impl SettingsStep<'_> {
    /// Refuses to make this change with a session whose last proof is too old.
    pub(crate) fn require_privileged(&self) -> Result<(), FlowError> {
        let service = self.service;
        if self.current.session.is_privileged(service.privileged_session_max_age(), self.cx.now) {
            return Ok(());
        }
        let back = submit_url(service.public_url(), FlowKind::Settings, self.flow.id);
        let mut url = endpoint(service.public_url(), "self-service/login/browser");
        url.query_pairs_mut().append_pair("refresh", "true").append_pair("return_to", &back);
        Err(FlowError::SessionRefreshRequired { redirect_browser_to: url.into() })
    }

    /// Opens the transaction of a change, with the person locked and read.
    pub(crate) async fn begin_change(&self) -> Result<Change, FlowError> {
        let (service, cx) = (self.service, self.cx);
        let mut tx = service.database.write(cx.tenant).await?;
        let id = self.current.session.identity_id;
        let before = storage::identities::lock_whole(&mut tx, service.vault(cx), id).await?;
        let before = before.ok_or(FlowError::SessionInactive)?;
        Ok(Change { tx, after: before.clone(), before })
    }

    /// Writes the changed person.
    pub(crate) async fn store(&self, change: &mut Change) -> Result<(), StoreError> {
        let (service, cx) = (self.service, self.cx);
        let Change { tx, before, after } = change;
        after.refresh_available_aal(service.factor_rules());
        after.updated_at = cx.now;
        storage::identities::update(tx, service.vault(cx), before, after).await
    }

    /// Records the change and commits it. Answers the person as changed.
    pub(crate) async fn commit(&self, change: Change) -> Result<domain::Identity, FlowError> {
        let Change { mut tx, after, .. } = change;
        self.service.identity_event(&mut tx, self.cx, "IdentityUpdated", &after).await?;
        events::append(&mut tx, self.cx, self.flow, FlowEvent::named("SettingsSucceeded")).await?;
        tx.commit().await?;
        Ok(after)
    }
}
