//! The operations that end login sessions: the end of a confirmed logout, and the admin operation for one session or all
//! sessions of a subject. `components/login_sessions.rs` does what each end requires.

use base::{Context, Timestamp};

use super::start_authorization::Browser;
use crate::OAuth;
use crate::components::login_sessions::Cause;
use crate::domain::login_session::LoginSessionId;
use crate::domain::logout::LogoutVerifier;
use crate::storage::login_sessions;

/// Where to redirect the browser after a logout.
#[derive(Debug, PartialEq, Eq)]
pub struct FinishedLogout {
    pub redirect_to: String,
    /// Front-channel logout pages of clients to load first.
    pub front_channel: Vec<String>,
    pub clear_cookie: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FinishLogoutError {
    #[error("the logout verifier is not valid")]
    Unknown,
    #[error("the logout took too long: start again")]
    Expired,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// Whose sessions end.
#[derive(Clone, Debug)]
pub enum EndLoginSessions {
    Session(LoginSessionId),
    Subject(String),
}

impl OAuth {
    /// Completes a confirmed logout, once.
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
        // Without an ID token only the browser with the session may end it.
        if !flow.rp_initiated && !own_session {
            return Ok(finished);
        }
        let mut tx = self.database.write(cx.tenant).await?;
        let Some(session) = login_sessions::find(&mut tx, flow.session_id).await? else { return Ok(finished) };
        if session.subject != flow.subject {
            return Ok(finished);
        }
        let ended = self.login_sessions.end(cx, &mut tx, Cause::SignedOut(&session)).await?;
        tx.commit().await?;
        self.login_sessions.finish(cx, &ended).await;
        finished.front_channel = ended.front_channel;
        Ok(finished)
    }

    /// Ends sessions for an operator. Sessions that do not exist count as ended.
    pub async fn end_login_sessions(&self, cx: &Context, whose: &EndLoginSessions) -> Result<(), database::Error> {
        let cause = match whose {
            EndLoginSessions::Session(id) => Cause::Operator(*id),
            EndLoginSessions::Subject(subject) => Cause::OperatorOfSubject(subject),
        };
        self.login_sessions.end_now(cx, cause).await
    }

    /// Ends what was written by logins that were accepted at `ended_at` or before.
    pub(crate) async fn end_late_logins(
        &self,
        cx: &Context,
        subject: &str,
        ended_at: Timestamp,
    ) -> Result<(), database::Error> {
        self.login_sessions.end_now(cx, Cause::RedeemedLate { subject, ended_at }).await
    }
}
