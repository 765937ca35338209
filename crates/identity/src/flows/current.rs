//! Whose session a request carries.

use base::seal::Purpose;
use base::{Context, PlainToken, Timestamp};
use contracts::SessionCredentials;
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::domain::session::RequiredAal;
use crate::domain::{self, Session};
use crate::storage;

use super::error::FlowError;
use super::visitor::Visitor;

/// A person who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub session: Session,
    /// With addresses, without credentials.
    pub identity: domain::Identity,
    pub token: PlainToken,
}

impl Current {
    /// Whether the session reaches what `required` asks of this person.
    pub(crate) fn meets(&self, required: RequiredAal) -> bool {
        required.is_met(self.session.aal, self.identity.available_aal)
    }
}

/// What the session cookie seals.
#[derive(Serialize, Deserialize)]
struct SealedCookie {
    session_token: String,
    expires_at: Timestamp,
}

const COOKIE: Purpose = Purpose("identity session cookie");

pub(crate) struct CarriedToken {
    pub(crate) token: PlainToken,
    /// When the cookie says that the session ends; `None` when the token did not come in a cookie.
    pub(crate) cookie_expires_at: Option<Timestamp>,
}

impl Identity {
    /// The session of this visitor, when they have one that is alive.
    pub(crate) async fn current(&self, cx: &Context, visitor: &Visitor) -> Result<Option<Current>, database::Error> {
        match self.carried_token(cx, &visitor.credentials()) {
            Some(carried) => self.session_of(cx, carried.token).await,
            None => Ok(None),
        }
    }

    /// As `current`, for what cannot go on without a session.
    pub(crate) async fn required_session(&self, cx: &Context, visitor: &Visitor) -> Result<Current, FlowError> {
        self.current(cx, visitor).await?.ok_or(FlowError::SessionInactive)
    }

    /// The person of a session with the credentials; `None` when they were deleted meanwhile.
    pub(crate) async fn person_of(
        &self,
        cx: &Context,
        current: &Current,
    ) -> Result<Option<domain::Identity>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        storage::identities::find_whole(&mut tx, self.tenant_sealer(cx), current.session.identity_id).await
    }

    /// The token in the order of precedence: its own header, then the cookie, then, without a readable cookie, `Bearer`.
    pub(crate) fn carried_token(&self, cx: &Context, credentials: &SessionCredentials) -> Option<CarriedToken> {
        if let Some(token) = &credentials.session_token {
            return Some(CarriedToken { token: token.clone(), cookie_expires_at: None });
        }
        let cookies = web::cookies::parse(credentials.cookie.as_deref().unwrap_or_default());
        let name = self.session_cookie_name();
        for (_, value) in cookies.filter(|(key, _)| *key == name) {
            if let Some(sealed) = self.open_session_cookie(cx, value) {
                let token = PlainToken::received(sealed.session_token);
                return Some(CarriedToken { token, cookie_expires_at: Some(sealed.expires_at) });
            }
        }
        let token = credentials.bearer.clone()?;
        Some(CarriedToken { token, cookie_expires_at: None })
    }

    async fn session_of(&self, cx: &Context, token: PlainToken) -> Result<Option<Current>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let Some(session) = storage::sessions::find_by_token(&mut tx, &token.digest()).await? else {
            return Ok(None);
        };
        if !session.is_alive(cx.now) {
            return Ok(None);
        }
        let Some(identity) = storage::identities::find(&mut tx, session.identity_id).await? else { return Ok(None) };
        if !identity.is_active() {
            return Ok(None);
        }
        Ok(Some(Current { session, identity, token }))
    }

    /// The value of the session cookie.
    pub(crate) fn seal_session_cookie(&self, cx: &Context, token: &PlainToken, expires_at: Timestamp) -> String {
        let plain = SealedCookie { session_token: token.expose().to_owned(), expires_at };
        let plain = serde_json::to_vec(&plain).unwrap_or_default();
        self.sealer.seal_text(COOKIE, cx.tenant, &plain)
    }

    fn open_session_cookie(&self, cx: &Context, value: &str) -> Option<SealedCookie> {
        let plain = self.sealer.open_text(COOKIE, cx.tenant, value).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}
