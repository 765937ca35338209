//! What a step of a flow comes to, before it is written for the kind of client that asked.

use std::time::Duration;

use base::{PlainToken, Timestamp};

use crate::domain::client_kind::FlowType;
use crate::domain::csrf::CsrfSecret;
use crate::flows::views::{Body, FlowView};

#[derive(Debug)]
pub struct Answer {
    pub(crate) content: Content,
    pub flow_type: FlowType,
    pub cookies: Vec<CookieChange>,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// A new flow: JSON, or the page that shows it.
    Begun { flow: Box<FlowView>, page: String },
    /// The form again: JSON, or the page that shows it.
    Form { reason: FormReason, flow: Box<FlowView>, page: String },
    /// The end: JSON (without a body when `None`), or where the browser goes now.
    Done { body: Option<Body>, redirect: String },
    /// The browser must leave: redirected, or told so when it is a single-page application.
    Elsewhere { url: String },
    /// The person must sign in once more: redirected, or refused with the address when the client is a program.
    Refresh { url: String },
    /// A redirect for every client.
    Redirect { url: String },
}

/// Why a form is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormReason {
    /// The submission was accepted, and the form has a next step.
    Accepted,
    /// The submission is incomplete or invalid; the form says what to change.
    Invalid,
    /// A limit is reached.
    Limited { retry_after: Duration },
}

/// A cookie that the answer sets or takes away.
pub enum CookieChange {
    Csrf(CsrfSecret),
    /// By which the device is known again.
    Device(PlainToken),
    Session {
        token: PlainToken,
        expires_at: Timestamp,
    },
    SessionEnded,
    Continuity {
        value: String,
    },
    ContinuityEnded,
    /// Tells the browser to forget everything of this site.
    ClearSiteData,
}

impl std::fmt::Debug for CookieChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Csrf(_) => "Csrf",
            Self::Device(_) => "Device",
            Self::Session { .. } => "Session",
            Self::SessionEnded => "SessionEnded",
            Self::Continuity { .. } => "Continuity",
            Self::ContinuityEnded => "ContinuityEnded",
            Self::ClearSiteData => "ClearSiteData",
        })
    }
}

impl Answer {
    pub(crate) fn new(flow_type: FlowType, content: Content) -> Self {
        Self { content, flow_type, cookies: Vec::new() }
    }

    pub fn redirect(url: impl Into<String>) -> Self {
        Self::new(FlowType::Browser, Content::Redirect { url: url.into() })
    }

    #[must_use]
    pub fn with(mut self, cookie: CookieChange) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// Adds the cookie of a device that is new, before all others: a client that keeps one cookie keeps the last.
    #[must_use]
    pub fn with_device(mut self, new_device: Option<PlainToken>) -> Self {
        self.cookies.splice(0..0, new_device.map(CookieChange::Device));
        self
    }
}

/// A refusal, with the type of the flow when one was found: native clients are always answered in JSON.
#[derive(Debug)]
pub struct Failure {
    pub error: super::error::FlowError,
    pub flow_type: Option<FlowType>,
}

impl<E: Into<super::error::FlowError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), flow_type: None }
    }
}

impl Failure {
    pub fn of(flow_type: FlowType) -> impl FnOnce(super::error::FlowError) -> Self {
        move |error| Self { error, flow_type: Some(flow_type) }
    }
}
