//! Whoever sends a request: what the request says about the client, before anything is believed.

use base::{Context, PlainToken, Rng};
use contracts::SessionCredentials;
use url::Url;

use crate::components::attempts::{Caller, DEVICE_COOKIE};
use crate::components::sessions::Current;
use crate::domain::client_kind::Wants;
use crate::domain::csrf::{CsrfSecret, CsrfViolation};
use crate::domain::flow::{Details, Flow};
use crate::domain::{Aal, Device};

use super::error::FlowError;
use super::submission::Submission;

/// What the headers of a request say.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub wants: Wants,
    /// As flow beginnings and endings negotiate.
    pub wants_strictly: Wants,
    /// The address that the client sees, with its query.
    pub request_url: Url,
    pub cookie_header: Option<String>,
    pub session_token: Option<PlainToken>,
    pub bearer: Option<PlainToken>,
    pub csrf_header: Option<String>,
    pub has_origin: bool,
    pub is_ajax: bool,
    /// A page of another origin made the browser send this.
    pub is_from_elsewhere: bool,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl Visitor {
    /// The value of a cookie. Of several with one name the first counts, as in RFC 6265 section 5.4.
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

    /// A query parameter of the request; an empty one counts as absent.
    pub fn query(&self, name: &str) -> Option<String> {
        self.raw_query(name).filter(|value| !value.is_empty())
    }

    /// A query parameter as it stands, empty or not.
    pub fn raw_query(&self, name: &str) -> Option<String> {
        self.request_url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The cookie that ties a browser to its flows.
    pub fn browser(&self, cookie_name: &str, rng: &Rng) -> Browser {
        match self.cookie(cookie_name).and_then(CsrfSecret::from_cookie) {
            Some(secret) => Browser { secret, is_new: false },
            None => Browser { secret: CsrfSecret::generate(rng), is_new: true },
        }
    }

    /// The sender of this request, as attempts are counted. `current` is their session, where it shows that the person is there.
    pub(crate) fn caller(&self, cx: &Context, current: Option<&Current>) -> Caller {
        let session = current.map(|current| (current.session.identity_id, current.session.id));
        Caller::new(cx, self.cookie(DEVICE_COOKIE), session)
    }

    /// The sender of a login. A session proves its person, but not a second factor: whoever knows the password can make any
    /// number of sessions.
    pub(crate) fn login_caller(&self, cx: &Context, current: Option<&Current>, requested_aal: Aal) -> Caller {
        self.caller(cx, current.filter(|_| requested_aal <= Aal::Aal1))
    }

    /// Whether the visitor may see the flow: a browser flow belongs to the browser that began it.
    pub fn may_see<D: Details>(&self, flow: &Flow<D>, browser: &Browser) -> Result<(), FlowError> {
        if browser.is_home_of(flow) { Ok(()) } else { Err(self.violation(browser, false)) }
    }

    /// Whether the submission comes from the page that the flow was shown on: for browsers by token and cookie, for
    /// native clients because nothing that a browser adds by itself is there.
    pub fn may_submit<D: Details>(
        &self,
        flow: &Flow<D>,
        browser: &Browser,
        submission: &Submission,
    ) -> Result<(), FlowError> {
        if flow.is_browser() {
            let token = self.csrf_header.as_deref().or_else(|| submission.text("csrf_token"));
            let accepted = token.is_some_and(|token| browser.secret.accepts(token, flow.id.as_uuid()));
            return if accepted { Ok(()) } else { Err(self.violation(browser, token.is_none_or(str::is_empty))) };
        }
        if self.has_origin {
            return Err(FlowError::NativeWithOrigin);
        }
        // A content delivery network may put its own cookies on any request.
        let harmless = |name: &str| ["__cf", "_cf", "cf_"].iter().any(|prefix| name.starts_with(prefix));
        let names: Vec<String> =
            self.cookies().filter(|(name, _)| !harmless(name)).map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() { Ok(()) } else { Err(FlowError::NativeWithCookies { names }) }
    }

    fn violation(&self, browser: &Browser, token_missing: bool) -> FlowError {
        let violation = match (&self.cookie_header, browser.is_new, token_missing) {
            (None, _, _) => CsrfViolation::NoCookies,
            (Some(_), true, _) => CsrfViolation::CookieMissing,
            (Some(_), false, true) => CsrfViolation::TokenMissing,
            (Some(_), false, false) => CsrfViolation::Mismatch,
        };
        FlowError::Csrf { violation, is_ajax: self.is_ajax }
    }
}

/// A browser, known by its anti-CSRF secret.
#[derive(Clone)]
pub struct Browser {
    pub secret: CsrfSecret,
    /// The request brought no secret; this one must be set.
    pub is_new: bool,
}

impl Browser {
    /// Whether the flow was begun here, or belongs to no browser at all.
    pub fn is_home_of<D: Details>(&self, flow: &Flow<D>) -> bool {
        flow.browser.is_none() || (!self.is_new && flow.belongs_to(&self.secret))
    }

    /// A new secret, because whoever uses the browser has changed.
    pub fn renewed(rng: &Rng) -> Self {
        Self { secret: CsrfSecret::generate(rng), is_new: true }
    }
}
