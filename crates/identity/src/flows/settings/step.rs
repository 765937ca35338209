//! One submission to a settings flow: the input and output of a sign-in method.

use base::seal::Purpose;
use base::{Context, PlainToken};
use database::WriteTx;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Identity;
use crate::components::attempts::Caller;
use crate::components::sessions::Current;
use crate::domain::flow::{Flow, FlowKind, Settings, endpoint, submit_url};
use crate::domain::settings::{self, Affected, Permission, permission};
use crate::domain::{self, AuthenticationMethod, CredentialType, Session};
use crate::flows::errors::{FormUnavailable, RefreshRequired, SecondFactorRequired, SubmitError};
use crate::flows::hooks::BegunVerification;
use crate::flows::submission::Submission;
use crate::flows::visitor::Browser;
use crate::storage;
use crate::storage::identities::StoreError;

/// The input of a method.
pub(crate) struct SettingsStep<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub caller: &'a Caller,
    pub browser: &'a Browser,
    pub flow: &'a mut Flow<Settings>,
    pub current: &'a Current,
    pub submission: &'a Submission,
}

/// The output of a method.
pub(crate) enum Step {
    Changed(Box<Changed>),
    /// The form has changed and was stored; the identity is unchanged.
    Form,
}

/// A change that was written and is not committed yet: the flow shows it in the same transaction.
pub(crate) struct Changed {
    pub change: Change,
    pub verification: Option<BegunVerification>,
    /// The session and its token, if the change added a factor to it.
    pub session: Option<(Session, PlainToken)>,
}

impl Changed {
    pub(crate) fn of(change: Change) -> Self {
        Self { change, verification: None, session: None }
    }
}

/// A change of an identity in its transaction. The row is locked.
pub(crate) struct Change {
    pub tx: WriteTx,
    before: domain::Identity,
    /// With the credentials.
    pub after: domain::Identity,
    /// The flow, if it was read under its lock.
    pub flow: Option<Flow<Settings>>,
}

impl SettingsStep<'_> {
    /// Rejects this change if the last authentication of the session is too old.
    pub(crate) fn require_privileged(&self) -> Result<(), SubmitError> {
        self.require(Affected::Access, &self.current.identity)
    }

    /// Rejects a change of second factors if the user has one and this session did not prove it.
    pub(crate) fn require_own_second_factor(&self, person: &domain::Identity) -> Result<(), SubmitError> {
        self.require(Affected::SecondFactors, person)
    }

    fn require(&self, affected: Affected, person: &domain::Identity) -> Result<(), SubmitError> {
        let service = self.service;
        let permission = permission(&settings::Change {
            affected,
            is_privileged: self.current.session.is_privileged(service.session_policy.privileged_max_age(), self.cx.now),
            reached: self.current.session.aal,
            available: person.available_aal,
            required: service.session_policy.settings_required_aal(),
        });
        match permission {
            Permission::Granted => Ok(()),
            Permission::RefreshFirst => {
                let back = submit_url(service.urls.public(), FlowKind::Settings, self.flow.id);
                let mut url = endpoint(service.urls.public(), "self-service/login/browser");
                url.query_pairs_mut().append_pair("refresh", "true").append_pair("return_to", &back);
                Err(RefreshRequired { redirect_browser_to: url.into() }.into())
            }
            Permission::SecondFactorFirst => {
                let url = service.urls.second_factor(self.flow.requested("return_to"));
                Err(SecondFactorRequired { redirect_browser_to: url }.into())
            }
        }
    }

    /// Removes and returns the value that a method keeps in this flow, read under a lock, so that only one submission
    /// can confirm it. The flow is written with the change.
    pub(crate) async fn take_kept<T: DeserializeOwned>(
        &self,
        change: &mut Change,
        method: CredentialType,
    ) -> Result<Option<T>, SubmitError> {
        let stored = storage::flows::lock::<Settings>(&mut change.tx, self.flow.id).await?;
        let mut stored = stored.ok_or(SubmitError::FlowNotFound)?;
        let value = kept(self.service, self.cx, &stored, method);
        stored.details.kept.remove(&method);
        change.flow = Some(stored);
        Ok(value)
    }

    /// Opens the transaction of a change; the identity is locked and read.
    pub(crate) async fn begin_change(&self) -> Result<Change, SubmitError> {
        let (service, cx) = (self.service, self.cx);
        let mut tx = service.database.write(cx.tenant).await?;
        let id = self.current.session.identity_id;
        let before = storage::identities::lock_whole(&mut tx, service.tenant_sealer(cx), id).await?;
        let before = before.ok_or(SubmitError::NoSession)?;
        // The user may have set up a second factor since the request began.
        self.require(Affected::Profile, &before)?;
        Ok(Change { tx, after: before.clone(), before, flow: None })
    }

    /// Writes the changed identity.
    pub(crate) async fn store(&self, change: &mut Change) -> Result<(), StoreError> {
        let (service, cx) = (self.service, self.cx);
        let Change { tx, before, after, .. } = change;
        after.refresh_available_aal(service.session_policy.factor_rules());
        after.updated_at = cx.now;
        storage::identities::update(tx, service.tenant_sealer(cx), before, after).await
    }

    /// Adds a factor that was set up to the session that makes the change.
    pub(crate) async fn prove(
        &self,
        tx: &mut WriteTx,
        method: AuthenticationMethod,
    ) -> Result<(Session, PlainToken), SubmitError> {
        let (id, now) = (self.current.session.id, self.cx.now);
        let add = |session: &mut Session| session.add_factor(method, now);
        let proved = self.service.sessions.prove(tx, self.cx, id, self.flow.flow_type, add).await?;
        let (session, renewed) = proved.ok_or(SubmitError::NoSession)?;
        Ok((session, renewed.unwrap_or_else(|| self.current.token.clone())))
    }

    /// Stores the form, which has changed.
    pub(crate) async fn show(self) -> Result<Step, SubmitError> {
        let mut tx = self.service.database.write(self.cx.tenant).await?;
        self.flow.ui.clear_messages();
        self.service.sort_settings(self.flow, &self.current.identity)?;
        storage::flows::update(&mut tx, self.flow).await?;
        tx.commit().await?;
        Ok(Step::Form)
    }
}

/// The form of the settings while it is filled. `person` was read with the credentials.
pub(crate) struct SettingsForm<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub person: &'a domain::Identity,
    pub flow: &'a mut Flow<Settings>,
}

/// The purpose of the values that methods keep in a flow.
const KEPT: Purpose = Purpose("identity settings of a method");

/// Keeps a value for a method until the flow ends. Flows are stored unencrypted, so a secret is sealed and inserted
/// into the form only when it is shown.
pub(crate) fn keep<T: Serialize>(
    service: &Identity,
    cx: &Context,
    flow: &mut Flow<Settings>,
    method: CredentialType,
    value: &T,
) -> Result<(), FormUnavailable> {
    let plain = serde_json::to_vec(value)?;
    flow.details.kept.insert(method, service.sealer.seal_text(KEPT, cx.tenant, &plain));
    Ok(())
}

/// The value that a method keeps in this flow.
pub(crate) fn kept<T: DeserializeOwned>(
    service: &Identity,
    cx: &Context,
    flow: &Flow<Settings>,
    method: CredentialType,
) -> Option<T> {
    let plain = service.sealer.open_text(KEPT, cx.tenant, flow.details.kept.get(&method)?).ok()?;
    serde_json::from_slice(&plain).ok()
}
