//! Logout: a browser uses a link that requires its session, a native client its session token.

use base::{Context, PlainToken};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::flow::{FlowKind, endpoint};
use crate::domain::return_to::ForbiddenReturnTo;
use crate::flows::views::LogoutView;
use crate::storage;

use super::answer::{Answer, Content, CookieChange};
use super::events::acting_as;
use super::visitor::{Browser, Visitor};

/// Why a user cannot log out.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    #[error(transparent)]
    ReturnTo(#[from] ForbiddenReturnTo),
    #[error("the logout token is missing")]
    TokenMissing,
    #[error("the logout token does not belong to this session")]
    TokenMismatch,
    #[error("the session token is unknown")]
    UnknownSessionToken,
    #[error("there is no active session")]
    NoSession,
    #[error(transparent)]
    Database(#[from] database::Error),
}

const PREFIX: &str = "ory_lo_";
const LENGTH: usize = 32;

impl Identity {
    /// The link that signs this browser out.
    pub async fn begin_logout(&self, cx: &Context, visitor: &Visitor) -> Result<LogoutView, LogoutError> {
        let return_to = visitor.query("return_to");
        if let Some(return_to) = &return_to {
            self.urls.returns().check(return_to)?;
        }
        let current = self.current(cx, visitor).await?.ok_or(LogoutError::NoSession)?;
        let token = logout_token(&current.token);
        let mut url = endpoint(self.urls.public(), "self-service/logout");
        url.query_pairs_mut().append_pair("token", &token);
        if let Some(return_to) = return_to {
            url.query_pairs_mut().append_pair("return_to", &return_to);
        }
        Ok(LogoutView { logout_url: url, logout_token: token })
    }

    /// Signs the browser out.
    pub async fn submit_logout(&self, cx: &Context, visitor: &Visitor) -> Result<Answer, LogoutError> {
        let fallback = self.urls.after(FlowKind::Login, None);
        let fallback = self.urls.after_logout().unwrap_or(fallback);
        let return_to = self.urls.returns().resolve(visitor.query("return_to").as_deref(), &fallback)?;
        let token = visitor.query("token").ok_or(LogoutError::TokenMissing)?;
        let current = self.current(cx, visitor).await?.ok_or(LogoutError::NoSession)?;
        if !is_logout_token(&token, &current.token) {
            return Err(LogoutError::TokenMismatch);
        }
        let cx = &acting_as(cx, current.session.identity_id);
        let mut tx = self.database.write(cx.tenant).await?;
        self.sessions.end(&mut tx, cx, &current.session).await?;
        tx.commit().await?;
        let mut answer = Answer::new(FlowType::Browser, Content::Done { body: None, redirect: return_to.into() })
            .with(CookieChange::SessionEnded)
            .with(CookieChange::Csrf(Browser::renewed(&self.rng).secret));
        if self.session_policy.clears_browser_data() {
            answer = answer.with(CookieChange::ClearSiteData);
        }
        Ok(answer)
    }

    /// Logs a native client out by its token. A session that has already ended is not an error.
    pub async fn logout_native(&self, cx: &Context, token: &PlainToken) -> Result<(), LogoutError> {
        let mut tx = self.database.write(cx.tenant).await?;
        let session = storage::sessions::find_whole_by_token(&mut tx, &token.digest()).await?;
        let (session, _) = session.ok_or(LogoutError::UnknownSessionToken)?;
        let cx = &acting_as(cx, session.identity_id);
        self.sessions.end(&mut tx, cx, &session).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The logout token of a session. It is derived from the session token, so it is not stored, and it authorizes nothing
/// but the logout.
fn logout_token(session: &PlainToken) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let bytes = mac(session).finalize().into_bytes();
    let text = bytes.iter().take(LENGTH).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    PREFIX.chars().chain(text).collect()
}

fn is_logout_token(token: &str, session: &PlainToken) -> bool {
    base::Secret::new(logout_token(session)).matches(token)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(session: &PlainToken) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(session.expose().as_bytes()).expect("a key of any length");
    mac.update(b"kleis logout token\0");
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_token_belongs_to_one_session() {
        let (mine, theirs) = (PlainToken::received("ory_st_a"), PlainToken::received("ory_st_b"));
        let token = logout_token(&mine);
        assert!(token.starts_with(PREFIX) && token.len() == PREFIX.len() + LENGTH);
        assert!(is_logout_token(&token, &mine));
        assert!(!is_logout_token(&token, &theirs));
        assert!(!token.contains(mine.expose()));
    }
}
