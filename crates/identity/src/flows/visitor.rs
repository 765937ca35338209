//! The sender of a request: unverified data about the client.

use base::{Context, PlainToken, Rng};
use contracts::SessionCredentials;
use url::Url;

use crate::components::attempts::{Caller, DEVICE_COOKIE};
use crate::components::sessions::Current;
use crate::domain::client_kind::Wants;
use crate::domain::csrf::{CsrfSecret, CsrfViolation};
use crate::domain::flow::{Details, Flow};
use crate::domain::{Aal, Device};

use super::errors::ForgedRequest;
use super::submission::Submission;

/// Data from the headers of a request.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub wants: Wants,
    /// As negotiated at the beginning and end of flows.
    pub wants_strictly: Wants,
    /// The URL that the client requested, with its query.
    pub request_url: Url,
    pub cookie_header: Option<String>,
    pub session_token: Option<PlainToken>,
    pub bearer: Option<PlainToken>,
    pub csrf_header: Option<String>,
    pub has_origin: bool,
    pub is_ajax: bool,
    /// A page of another origin caused this request.
    pub is_from_elsewhere: bool,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl Visitor {
    /// The value of a cookie. The first of several with the same name counts, as in RFC 6265 section 5.4.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.cookie_header.as_deref().unwrap_or_default().split(';');
        pairs.filter_map(|pair| pair.trim().split_once('=')).map(|(key, value)| (key, value.trim_matches('"')))
    }

    pub fn device(&self, rng: &Rng) -> Device {
        Device::new(rng, self.ip_address.clone(), self.user_agent.as_deref(), None)
    }

    pub fn credentials(&self) -> SessionCredentials {
        SessionCredentials {
            session_token: self.session_token.clone(),
            cookie: self.cookie_header.clone(),
            bearer: self.bearer.clone(),
        }
    }

    /// A query parameter; an empty one counts as absent.
    pub fn query(&self, name: &str) -> Option<String> {
        self.raw_query(name).filter(|value| !value.is_empty())
    }

    /// A query parameter, empty or not.
    pub fn raw_query(&self, name: &str) -> Option<String> {
        self.request_url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The browser, by the cookie that binds flows to it.
    pub fn browser(&self, cookie_name: &str, rng: &Rng) -> Browser {
        match self.cookie(cookie_name).and_then(CsrfSecret::from_cookie) {
            Some(secret) => Browser { secret, is_new: false },
            None => Browser { secret: CsrfSecret::generate(rng), is_new: true },
        }
    }

    /// The sender of this request, for attempt limits. `current` is their session if it proves that the user is
    /// present.
    pub(crate) fn caller(&self, cx: &Context, current: Option<&Current>) -> Caller {
        let session = current.map(|current| (current.session.identity_id, current.session.id));
        Caller::new(cx, self.cookie(DEVICE_COOKIE), session)
    }

    /// The sender of a login. A session proves the first factor, but not the second: anyone with the password can
    /// create any number of sessions.
    pub(crate) fn login_caller(&self, cx: &Context, current: Option<&Current>, requested_aal: Aal) -> Caller {
        self.caller(cx, current.filter(|_| requested_aal <= Aal::Aal1))
    }

    /// Whether the visitor may see the flow: a browser flow belongs to the browser that began it.
    pub fn may_see<D: Details>(&self, flow: &Flow<D>, browser: &Browser) -> Result<(), ForgedRequest> {
        if browser.is_home_of(flow) { Ok(()) } else { Err(self.violation(browser, false)) }
    }

    /// Whether the submission may continue the flow: browsers need the token and the cookie, and native clients must
    /// not send headers that browsers add by themselves.
    pub fn may_submit<D: Details>(
        &self,
        flow: &Flow<D>,
        browser: &Browser,
        submission: &Submission,
    ) -> Result<(), ForgedRequest> {
        if flow.is_browser() {
            let token = self.csrf_header.as_deref().or_else(|| submission.text("csrf_token"));
            let accepted = token.is_some_and(|token| browser.secret.accepts(token, flow.id.as_uuid()));
            return if accepted { Ok(()) } else { Err(self.violation(browser, token.is_none_or(str::is_empty))) };
        }
        if self.has_origin {
            return Err(ForgedRequest::NativeWithOrigin);
        }
        // A content delivery network may add its own cookies to any request.
        let harmless = |name: &str| ["__cf", "_cf", "cf_"].iter().any(|prefix| name.starts_with(prefix));
        let names: Vec<String> =
            self.cookies().filter(|(name, _)| !harmless(name)).map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() { Ok(()) } else { Err(ForgedRequest::NativeWithCookies { names }) }
    }

    fn violation(&self, browser: &Browser, token_missing: bool) -> ForgedRequest {
        let violation = match (&self.cookie_header, browser.is_new, token_missing) {
            (None, _, _) => CsrfViolation::NoCookies,
            (Some(_), true, _) => CsrfViolation::CookieMissing,
            (Some(_), false, true) => CsrfViolation::TokenMissing,
            (Some(_), false, false) => CsrfViolation::Mismatch,
        };
        ForgedRequest::Csrf { violation, is_ajax: self.is_ajax }
    }
}

/// A browser, identified by its anti-CSRF secret.
#[derive(Clone)]
pub struct Browser {
    pub secret: CsrfSecret,
    /// The request had no secret; this one must be set.
    pub is_new: bool,
}

impl Browser {
    /// Whether the flow began in this browser, or belongs to no browser.
    pub fn is_home_of<D: Details>(&self, flow: &Flow<D>) -> bool {
        flow.browser.is_none() || (!self.is_new && flow.belongs_to(&self.secret))
    }

    /// A new secret, because the user of the browser has changed.
    pub fn renewed(rng: &Rng) -> Self {
        Self { secret: CsrfSecret::generate(rng), is_new: true }
    }
}
