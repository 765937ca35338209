//! Ends login sessions: the row, what was granted in it, the session of the identity service behind it, and the
//! notifications of the clients that it reached.
//!
//! All of it is one transaction when the identity service runs in this process. One in another process is called after
//! the commit, before the answer; a job of the same transaction calls it again if that fails.

use base::{Context, Timestamp};
use contracts::SessionEnd;
use database::WriteTx;
use serde_json::json;
use uuid::Uuid;

use super::start_authorization::Browser;
use crate::OAuth;
use crate::domain::login_session::{LoginSession, LoginSessionId};
use crate::domain::logout::{LogoutVerifier, front_channel_url};
use crate::jobs::{backchannel_logout, end_identity_session, end_late_logins};
use crate::storage::provider_ends::{self, Ended};
use crate::storage::{clients, consents, forced_subjects, login_sessions, revocations};

/// Where a browser goes when it is signed out.
#[derive(Debug, PartialEq, Eq)]
pub struct FinishedLogout {
    pub redirect_to: String,
    /// Pages of clients that must be loaded first.
    pub front_channel: Vec<String>,
    pub clear_cookie: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FinishLogoutError {
    #[error("The logout verifier is not valid.")]
    Unknown,
    #[error("The sign-out took too long: start again.")]
    Expired,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// What the end of login sessions leaves to do after the commit.
#[derive(Debug, Default)]
struct EndedLogins {
    /// Front-channel pages of the clients that the sessions reached.
    front_channel: Vec<String>,
    /// Sessions of an identity service in another process.
    sessions_elsewhere: Vec<Uuid>,
}

/// Whose sessions end.
#[derive(Clone, Debug)]
pub enum EndLoginSessions {
    Session(LoginSessionId),
    Subject(String),
}

impl OAuth {
    /// The person confirmed: carries the sign-out out, once.
    pub async fn finish_logout(
        &self,
        cx: &Context,
        verifier: &str,
        browser: &Browser,
    ) -> Result<FinishedLogout, FinishLogoutError> {
        let LogoutVerifier(flow) =
            self.challenges.open_verifier::<LogoutVerifier>(cx, verifier).map_err(|_| FinishLogoutError::Unknown)?;
        if cx.now >= flow.expires_at(self.config.challenge_lifetime()) {
            return Err(FinishLogoutError::Expired);
        }
        let own_session = browser.session == Some(flow.session_id);
        let mut finished =
            FinishedLogout { redirect_to: flow.redirect_to, front_channel: Vec::new(), clear_cookie: own_session };
        // Without an ID token only the browser that holds the session may end it.
        if !flow.rp_initiated && !own_session {
            return Ok(finished);
        }
        let mut tx = self.database.write(cx.tenant).await?;
        let Some(session) = login_sessions::find(&mut tx, flow.session_id).await? else { return Ok(finished) };
        if session.subject != flow.subject {
            return Ok(finished);
        }
        let ended = self.end_with_identity_sessions(cx, &mut tx, vec![session]).await?;
        tx.commit().await?;
        self.end_sessions_elsewhere(cx, &ended).await;
        finished.front_channel = ended.front_channel;
        Ok(finished)
    }

    /// Ends sessions on behalf of an operator. What does not exist is ended already.
    pub async fn end_login_sessions(&self, cx: &Context, whose: &EndLoginSessions) -> Result<(), database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        let sessions = match whose {
            EndLoginSessions::Session(id) => login_sessions::find(&mut tx, *id).await?.into_iter().collect(),
            EndLoginSessions::Subject(subject) => login_sessions::list_by_subject(&mut tx, subject).await?,
        };
        let ended = self.end_with_identity_sessions(cx, &mut tx, sessions).await?;
        if let EndLoginSessions::Subject(subject) = whose {
            self.refuse_logins_of_subject(cx, &mut tx, subject).await?;
        }
        tx.commit().await?;
        self.end_sessions_elsewhere(cx, &ended).await;
        Ok(())
    }

    /// Ends logins, the sessions of the identity service behind them, and the other logins that rest on those.
    async fn end_with_identity_sessions(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        mut logins: Vec<LoginSession>,
    ) -> Result<EndedLogins, database::Error> {
        let mut ended = EndedLogins::default();
        let mut provider_sessions: Vec<String> =
            logins.iter().filter_map(|login| login.identity_provider_session_id.clone()).collect();
        provider_sessions.sort_unstable();
        provider_sessions.dedup();
        // The identity service locks its sessions before it reports their end here: the same order cannot deadlock.
        for id in &provider_sessions {
            ended.sessions_elsewhere.extend(self.end_identity_session(cx, tx, id).await?);
        }
        for id in &provider_sessions {
            self.mark_ended(cx, tx, Ended::Session(id)).await?;
            for other in login_sessions::list_by_provider_session(tx, id).await? {
                if logins.iter().all(|login| login.id != other.id) {
                    logins.push(other);
                }
            }
        }
        for login in &logins {
            ended.front_channel.extend(self.end_session(cx, tx, login).await?);
        }
        Ok(ended)
    }

    /// Returns the session if its service must be called after the commit.
    async fn end_identity_session(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        provider_session: &str,
    ) -> Result<Option<Uuid>, database::Error> {
        // A login application may name a session of another provider.
        let (Some(sessions), Ok(id)) = (self.sessions.get(), provider_session.parse()) else { return Ok(None) };
        match sessions.end_in_transaction(cx, tx, id).await? {
            SessionEnd::InTransaction => Ok(None),
            SessionEnd::AfterCommit => {
                jobs::enqueue(tx, cx, self.rng.uuid(), end_identity_session::job(cx, provider_session)).await?;
                Ok(Some(id))
            }
        }
    }

    /// A failure is left to the job.
    async fn end_sessions_elsewhere(&self, cx: &Context, ended: &EndedLogins) {
        let Some(sessions) = self.sessions.get() else { return };
        for id in &ended.sessions_elsewhere {
            if let Err(error) = sessions.end(cx, *id).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(request_id = %cx.request_id, error, "the identity session is ended later, by a job");
                return;
            }
        }
    }

    /// The identity service ended one of its sessions: so do the logins that rest on it.
    pub(crate) async fn end_sessions_of_provider(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        provider_session: &str,
    ) -> Result<(), database::Error> {
        self.mark_ended(cx, tx, Ended::Session(provider_session)).await?;
        for session in login_sessions::list_by_provider_session(tx, provider_session).await? {
            self.end_session(cx, tx, &session).await?;
        }
        Ok(())
    }

    /// A person is gone or disabled: nothing in that person's name goes on.
    pub(crate) async fn end_subject(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        subject: &str,
    ) -> Result<(), database::Error> {
        self.refuse_logins_of_subject(cx, tx, subject).await?;
        for session in login_sessions::list_by_subject(tx, subject).await? {
            self.end_session(cx, tx, &session).await?;
        }
        revocations::revoke_by_subject(tx, subject, cx.now).await?;
        revocations::forget_person(tx, subject).await?;
        consents::delete_by_subject(tx, subject).await?;
        forced_subjects::delete_by_subject(tx, subject).await?;
        let attributes = json!({"subject": subject});
        let event = jobs::Event { name: "OAuth2SubjectEnded", subject: subject.to_owned(), attributes };
        jobs::append_event(tx, cx, event).await
    }

    /// Ends what was written by logins that were accepted at `ended_at` or before.
    pub(crate) async fn end_logins_accepted_until(
        &self,
        cx: &Context,
        subject: &str,
        ended_at: Timestamp,
    ) -> Result<(), database::Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        let mut logins = login_sessions::list_by_subject(&mut tx, subject).await?;
        logins.retain(|login| login.accepted_at <= ended_at);
        let ended = self.end_with_identity_sessions(cx, &mut tx, logins).await?;
        tx.commit().await?;
        self.end_sessions_elsewhere(cx, &ended).await;
        Ok(())
    }

    /// What the person's browsers still carry as accepted is good no more.
    async fn refuse_logins_of_subject(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        subject: &str,
    ) -> Result<(), database::Error> {
        self.mark_ended(cx, tx, Ended::Subject(subject)).await?;
        jobs::enqueue(tx, cx, self.rng.uuid(), end_late_logins::job(cx, subject)).await
    }

    async fn mark_ended(&self, cx: &Context, tx: &mut WriteTx, what: Ended<'_>) -> Result<(), database::Error> {
        // A login is accepted before its challenge expires, and redeemed before that, too.
        provider_ends::mark(tx, what, cx.now, cx.now.plus(self.config.challenge_lifetime())).await
    }

    /// Returns the front-channel pages of the clients that the session reached.
    async fn end_session(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        session: &LoginSession,
    ) -> Result<Vec<String>, database::Error> {
        let reached = clients::list_of_login_session(tx, session.id.as_uuid()).await?;
        if !login_sessions::end(tx, session.id, cx.now).await? {
            return Ok(Vec::new());
        }
        revocations::revoke_by_login_session(tx, session.id, cx.now).await?;
        for client in reached.iter().filter(|client| !client.metadata.backchannel_logout_uri.is_empty()) {
            jobs::enqueue(tx, cx, self.rng.uuid(), backchannel_logout::job(cx, &client.id, session)).await?;
        }
        let event = jobs::Event {
            name: "OAuth2LoginSessionEnded",
            subject: session.subject.clone(),
            attributes: json!({"login_session_id": session.id}),
        };
        jobs::append_event(tx, cx, event).await?;
        let pages = reached.iter().filter(|client| !client.metadata.frontchannel_logout_uri.is_empty());
        let issuer = self.config.issuer();
        Ok(pages
            .filter_map(|client| front_channel_url(&client.metadata.frontchannel_logout_uri, issuer, session.id))
            .collect())
    }
}
