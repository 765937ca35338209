//! The result of a step of a flow, before it is written for the kind of client.

use std::time::Duration;

use base::{PlainToken, Timestamp};

use crate::domain::client_kind::FlowType;
use crate::domain::csrf::CsrfSecret;
use crate::flows::errors::SubmitError;
use crate::flows::views::{Body, FlowView};

#[derive(Debug)]
pub struct Answer {
    pub(crate) content: Content,
    pub flow_type: FlowType,
    pub cookies: Vec<CookieChange>,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// A new flow: as JSON, or as a redirect to its page.
    Begun { flow: Box<FlowView>, page: String },
    /// The form again: as JSON, or as a redirect to its page.
    Form { reason: FormReason, flow: Box<FlowView>, page: String },
    /// The end: JSON (without a body when `None`), or a redirect.
    Done { body: Option<Body>, redirect: String },
    /// The browser must go to another URL: a redirect, or an error with the URL for a single-page application.
    Elsewhere { url: String },
    /// The user must sign in again: a redirect, or an error with the URL for a program.
    Refresh { url: String },
    /// A redirect for every client.
    Redirect { url: String },
}

/// Why a form is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormReason {
    /// The submission was accepted, and the form has a next step.
    Accepted,
    /// The submission is incomplete or invalid; the form contains the messages.
    Invalid,
    /// The limit is exceeded.
    Limited { retry_after: Duration },
}

/// A cookie that the answer sets or clears.
pub enum CookieChange {
    Csrf(CsrfSecret),
    /// Identifies a known device.
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
    /// Makes the browser delete all data of this site.
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

    /// Adds the cookie of a new device, before all others: a client that keeps only one cookie keeps the last.
    #[must_use]
    pub fn with_device(mut self, new_device: Option<PlainToken>) -> Self {
        self.cookies.splice(0..0, new_device.map(CookieChange::Device));
        self
    }
}

/// The error of a submission, with the type of the flow if it is known: native clients always receive JSON.
#[derive(Debug)]
pub struct Failure {
    pub error: SubmitError,
    pub flow_type: Option<FlowType>,
}

impl<E: Into<SubmitError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), flow_type: None }
    }
}

impl Failure {
    pub fn of(flow_type: FlowType) -> impl FnOnce(SubmitError) -> Self {
        move |error| Self { error, flow_type: Some(flow_type) }
    }
}
