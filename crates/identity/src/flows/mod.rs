//! Self-service flows: login, registration, settings, recovery and verification, step by step. There is one folder or
//! file per flow; the sign-in methods are in `methods`.
//!
//! Invariants:
//! - A step loads the flow, decides, and writes flow, effects and event in one transaction; nothing is sent before the
//!   commit.
//! - Errors that the user can correct are shown in the form and returned with the flow; all others are a [`SubmitError`].
//! - Wherever the wire contract allows it, the response does not reveal whether an address or identifier is known.

mod address_flow;
pub(crate) mod answer;
pub(crate) mod awaited_code;
mod code_purpose;
mod connections;
pub(crate) mod current;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod forms;
pub(crate) mod hooks;
pub(crate) mod login;
pub(crate) mod logout;
mod oauth2;
pub(crate) mod recovery;
pub(crate) mod refusal;
pub(crate) mod registration;
mod renewal;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod stored_errors;
pub(crate) mod submission;
pub(crate) mod trait_nodes;
mod unstored;
pub(crate) mod verification;
pub(crate) mod views;
pub(crate) mod visitor;

use base::Context;

use crate::Identity;
use crate::domain::client_kind::FlowType;
use crate::domain::flow::{Beginning, Details, Flow, FlowId, with_flow};

use answer::{Answer, Content, CookieChange, FormReason};
use errors::{Expired, FetchError, SubmitError};
use unstored::Plain;
use views::FlowView;
use visitor::{Browser, Visitor};

impl Identity {
    /// Loads the flow of a submission, by `?flow=`.
    pub(crate) async fn submitted_flow<D: Plain>(
        &self,
        cx: &Context,
        visitor: &Visitor,
    ) -> Result<Flow<D>, SubmitError> {
        let id =
            visitor.raw_query("flow").and_then(|id| id.parse::<FlowId>().ok()).ok_or(SubmitError::FlowIdMissing)?;
        self.find_flow(cx, id).await?.ok_or(SubmitError::FlowNotFound)
    }

    /// Loads the flow of a fetch, by `?id=`. A malformed id is an unknown flow.
    pub(crate) async fn fetched_flow<D: Plain>(&self, cx: &Context, visitor: &Visitor) -> Result<Flow<D>, FetchError> {
        let id = visitor.raw_query("id").and_then(|id| id.parse::<FlowId>().ok()).ok_or(FetchError::NotFound)?;
        self.find_flow(cx, id).await?.ok_or(FetchError::NotFound)
    }

    /// The parameters of every new flow of this visitor.
    pub(crate) fn beginning<'a, D: Details>(
        &'a self,
        visitor: &'a Visitor,
        browser: &'a Browser,
        flow_type: FlowType,
    ) -> Beginning<'a> {
        Beginning {
            flow_type,
            request_url: visitor.request_url.as_str(),
            lifespan: self.flow_policy.lifespan(D::KIND),
            public_url: self.urls.public(),
            csrf: Some(&browser.secret),
        }
    }

    /// The anti-CSRF secret of the visitor's browser.
    pub(crate) fn browser(&self, visitor: &Visitor) -> Browser {
        visitor.browser(self.urls.csrf_cookie(), &self.rng)
    }

    /// The URL of the page that shows a flow.
    pub(crate) fn page_of<D: Details>(&self, flow: &Flow<D>) -> String {
        with_flow(self.urls.page(D::KIND), flow.id)
    }

    /// The flow as this browser sees it.
    pub(crate) fn view<D: Details>(&self, flow: &Flow<D>, browser: &Browser) -> FlowView {
        FlowView::new(flow, Some(&browser.secret), &self.rng)
    }

    /// The answer with a new flow, and with the CSRF secret of a new browser.
    pub(crate) fn begun<D: Details>(&self, flow: &Flow<D>, browser: &Browser) -> Answer {
        self.begun_as(flow, browser, self.view(flow, browser))
    }

    /// As [`Self::begun`], for a flow with its own view.
    pub(crate) fn begun_as<D: Details>(&self, flow: &Flow<D>, browser: &Browser, view: FlowView) -> Answer {
        let content = Content::Begun { flow: Box::new(view), page: self.page_of(flow) };
        bind(Answer::new(flow.flow_type, content), flow, browser)
    }

    /// The answer that shows the form again.
    pub(crate) fn form<D: Details>(&self, flow: &Flow<D>, browser: &Browser, reason: FormReason) -> Answer {
        self.form_as(flow, browser, reason, self.view(flow, browser))
    }

    /// As [`Self::form`], for a flow with its own view.
    pub(crate) fn form_as<D: Details>(
        &self,
        flow: &Flow<D>,
        browser: &Browser,
        reason: FormReason,
        view: FlowView,
    ) -> Answer {
        let content = Content::Form { reason, flow: Box::new(view), page: self.page_of(flow) };
        bind(Answer::new(flow.flow_type, content), flow, browser)
    }

    /// The error for a fetch of an expired flow.
    pub(crate) fn expired<D: Details>(&self, cx: &Context, flow: &Flow<D>) -> Expired {
        let is_native = flow.flow_type == FlowType::Api;
        let init = self.urls.init(D::KIND, flow.flow_type, flow.wanted_return_to().as_deref());
        Expired {
            at: flow.expires_at,
            now: cx.now,
            use_flow_id: None,
            redirect_to: Some(init),
            return_to: flow.wanted_return_to(),
            is_native,
        }
    }

    /// The error for a submission to an expired flow, with its replacement.
    pub(crate) fn replaced_by<D: Details>(cx: &Context, expired: &Flow<D>, by: &Flow<D>) -> Expired {
        Expired {
            at: expired.expires_at,
            now: cx.now,
            use_flow_id: Some(by.id),
            redirect_to: None,
            return_to: None,
            is_native: expired.flow_type == FlowType::Api,
        }
    }
}

/// The answer with the CSRF secret of a new browser.
pub(crate) fn bind<D: Details>(answer: Answer, flow: &Flow<D>, browser: &Browser) -> Answer {
    if flow.is_browser() && browser.is_new { answer.with(CookieChange::Csrf(browser.secret.clone())) } else { answer }
}
