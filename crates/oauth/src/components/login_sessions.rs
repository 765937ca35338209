//! The end of login sessions: the row, what was granted in it, its session of the identity service, and the
//! notifications of the clients that it reached. [`Cause`] lists every reason; each has one way.
//!
//! All of it is one transaction when the identity service runs in this process. One in another process is called after
//! the commit, before the answer; a job of the same transaction calls it again if that fails.
//!
//! Invariants: sessions of the identity service are locked before rows of this one, as the identity service does
//! when it reports an end, so that the two cannot deadlock.

use std::time::Duration;

use base::{Context, Rng, Timestamp};
use contracts::{Link, SessionEnd, Sessions};
use database::{Database, Error, WriteTx};
use uuid::Uuid;

use crate::domain::effect;
use crate::domain::event::Event;
use crate::domain::login_session::{LoginSession, LoginSessionId};
use crate::domain::logout::front_channel_url;
use crate::storage::provider_ends::{self, Ended};
use crate::storage::{clients, consents, forced_subjects, login_sessions, revocations};

/// Why login sessions end, and which ones.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause<'a> {
    /// The user signed out of a session.
    SignedOut(&'a LoginSession),
    /// An operator ended a session.
    Operator(LoginSessionId),
    /// An operator ended all sessions of a subject. Accepted logins that browsers have not redeemed are rejected too.
    OperatorOfSubject(&'a str),
    /// The identity service ended one of its sessions, and with it the logins that are based on it.
    IdentitySessionsEnded(&'a [String]),
    /// The identity service disabled or deleted a user.
    SubjectEnded(&'a str),
    /// A login of an ended subject was redeemed at the moment of the end.
    RedeemedLate { subject: &'a str, ended_at: Timestamp },
}

/// What the end of login sessions leaves to do after the commit.
#[derive(Debug, Default)]
pub(crate) struct EndedLogins {
    /// Front-channel pages of the clients that the sessions reached.
    pub(crate) front_channel: Vec<String>,
    /// Sessions of an identity service in another process.
    sessions_elsewhere: Vec<Uuid>,
}

pub(crate) struct LoginSessions {
    database: Database,
    rng: Rng,
    /// The identity service.
    sessions: Link<dyn Sessions>,
    issuer: String,
    challenge_lifetime: Duration,
}

impl LoginSessions {
    pub(crate) fn new(
        database: Database,
        rng: Rng,
        sessions: Link<dyn Sessions>,
        issuer: &str,
        challenge_lifetime: Duration,
    ) -> Self {
        Self { database, rng, sessions, issuer: issuer.to_owned(), challenge_lifetime }
    }

    /// Ends sessions in a transaction of their own. What does not exist is ended already.
    pub(crate) async fn end_now(&self, cx: &Context, cause: Cause<'_>) -> Result<(), Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        let ended = self.end(cx, &mut tx, cause).await?;
        tx.commit().await?;
        self.finish(cx, &ended).await;
        Ok(())
    }

    /// Ends sessions in the transaction of the caller, who calls [`LoginSessions::finish`] after the commit. What the
    /// identity service itself ended leaves nothing to finish.
    pub(crate) async fn end(&self, cx: &Context, tx: &mut WriteTx, cause: Cause<'_>) -> Result<EndedLogins, Error> {
        let mut ended = EndedLogins::default();
        let logins = match cause {
            Cause::SignedOut(session) => self.with_identity_sessions(cx, tx, vec![session.clone()], &mut ended).await?,
            Cause::Operator(id) => {
                let found = login_sessions::find(tx, id).await?;
                self.with_identity_sessions(cx, tx, found.into_iter().collect(), &mut ended).await?
            }
            Cause::OperatorOfSubject(subject) => {
                let found = login_sessions::list_by_subject(tx, subject).await?;
                let logins = self.with_identity_sessions(cx, tx, found, &mut ended).await?;
                self.refuse_accepted_logins(cx, tx, subject).await?;
                logins
            }
            Cause::RedeemedLate { subject, ended_at } => {
                let mut found = login_sessions::list_by_subject(tx, subject).await?;
                found.retain(|login| login.accepted_at <= ended_at);
                self.with_identity_sessions(cx, tx, found, &mut ended).await?
            }
            Cause::IdentitySessionsEnded(ids) => {
                self.mark(cx, tx, Ended::Sessions(ids)).await?;
                login_sessions::list_by_provider_sessions(tx, ids).await?
            }
            Cause::SubjectEnded(subject) => {
                self.refuse_accepted_logins(cx, tx, subject).await?;
                login_sessions::list_by_subject(tx, subject).await?
            }
        };
        for login in &logins {
            ended.front_channel.extend(self.end_one(cx, tx, login).await?);
        }
        if let Cause::SubjectEnded(subject) = cause {
            self.end_subject(cx, tx, subject).await?;
        }
        Ok(ended)
    }

    /// Calls an identity service in another process, after the commit. A failure is left to the job.
    pub(crate) async fn finish(&self, cx: &Context, ended: &EndedLogins) {
        let Some(sessions) = self.sessions.get() else { return };
        for id in &ended.sessions_elsewhere {
            if let Err(error) = sessions.end(cx, *id).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(request_id = %cx.request_id, error, "the identity session is ended later, by a job");
                return;
            }
        }
    }

    /// Ends the sessions of the identity service that `logins` were accepted for. Returns these logins and the others of the same
    /// sessions.
    async fn with_identity_sessions(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        mut logins: Vec<LoginSession>,
        ended: &mut EndedLogins,
    ) -> Result<Vec<LoginSession>, Error> {
        let mut provider_sessions: Vec<String> =
            logins.iter().filter_map(|login| login.identity_provider_session_id.clone()).collect();
        provider_sessions.sort_unstable();
        provider_sessions.dedup();
        for id in &provider_sessions {
            ended.sessions_elsewhere.extend(self.end_identity_session(cx, tx, id).await?);
        }
        if provider_sessions.is_empty() {
            return Ok(logins);
        }
        self.mark(cx, tx, Ended::Sessions(&provider_sessions)).await?;
        for other in login_sessions::list_by_provider_sessions(tx, &provider_sessions).await? {
            if logins.iter().all(|login| login.id != other.id) {
                logins.push(other);
            }
        }
        Ok(logins)
    }

    /// Returns the session if its service must be called after the commit.
    async fn end_identity_session(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        provider_session: &str,
    ) -> Result<Option<Uuid>, Error> {
        // A login application may name a session of another provider.
        let (Some(sessions), Ok(id)) = (self.sessions.get(), provider_session.parse()) else { return Ok(None) };
        match sessions.end_in_transaction(cx, tx, id).await? {
            SessionEnd::InTransaction => Ok(None),
            SessionEnd::AfterCommit => {
                jobs::enqueue(tx, cx, self.rng.uuid(), effect::end_identity_session(cx, provider_session)).await?;
                Ok(Some(id))
            }
        }
    }

    /// Rejects accepted logins of the subject that browsers have not redeemed.
    async fn refuse_accepted_logins(&self, cx: &Context, tx: &mut WriteTx, subject: &str) -> Result<(), Error> {
        self.mark(cx, tx, Ended::Subject(subject)).await?;
        jobs::enqueue(tx, cx, self.rng.uuid(), effect::end_late_logins(cx, subject)).await
    }

    async fn mark(&self, cx: &Context, tx: &mut WriteTx, what: Ended<'_>) -> Result<(), Error> {
        // A login is accepted before its challenge expires, and redeemed before that, too.
        provider_ends::mark(tx, what, cx.now, cx.now.plus(self.challenge_lifetime)).await
    }

    /// Returns the front-channel pages of the clients that the session reached.
    async fn end_one(&self, cx: &Context, tx: &mut WriteTx, session: &LoginSession) -> Result<Vec<String>, Error> {
        let reached = clients::list_of_login_session(tx, session.id.as_uuid()).await?;
        if !login_sessions::end(tx, session.id, cx.now).await? {
            return Ok(Vec::new());
        }
        revocations::revoke_by_login_session(tx, session.id, cx.now).await?;
        for client in reached.iter().filter(|client| !client.metadata.backchannel_logout_uri.is_empty()) {
            jobs::enqueue(tx, cx, self.rng.uuid(), effect::backchannel_logout(cx, &client.id, session)).await?;
        }
        let event = Event::LoginSessionEnded { subject: &session.subject, login_session_id: session.id };
        jobs::append(tx, cx, &[event]).await?;
        let pages = reached.iter().filter(|client| !client.metadata.frontchannel_logout_uri.is_empty());
        Ok(pages
            .filter_map(|client| front_channel_url(&client.metadata.frontchannel_logout_uri, &self.issuer, session.id))
            .collect())
    }

    /// Ends everything of a subject besides its login sessions.
    async fn end_subject(&self, cx: &Context, tx: &mut WriteTx, subject: &str) -> Result<(), Error> {
        revocations::revoke_by_subject(tx, subject, cx.now).await?;
        revocations::forget_person(tx, subject).await?;
        consents::delete_by_subject(tx, subject).await?;
        forced_subjects::delete_by_subject(tx, subject).await?;
        jobs::append(tx, cx, &[Event::SubjectEnded { subject }]).await
    }
}
