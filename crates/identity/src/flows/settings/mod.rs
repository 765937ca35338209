//! Account settings: the changes that a signed-in user makes to their account. A change of credentials or addresses
//! requires a recently authenticated session.

mod continuity;
pub(crate) mod step;
mod submit;

pub(crate) use continuity::COOKIE as CONTINUITY_COOKIE;

use base::Context;

use crate::Identity;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::flow::{Flow, FlowKind, Settings, endpoint, submit_url};
use crate::domain::settings::{Denial, Requested, Requester, Start, denial, start};
use crate::domain::ui_node::{Node, NodeOrder};
use crate::domain::{self, RequiredAal, Session};
use crate::flows::views::FlowView;
use crate::methods;
use crate::storage;

use super::answer::Answer;
use super::errors::{BeginError, FetchError, FormUnavailable, SecondFactorRequired, SettingsDenied};
use super::trait_nodes;
use super::visitor::{Browser, Visitor};
use crate::components::sessions::Current;

use step::SettingsForm;

/// The parameters of the settings flow after a recovery.
#[derive(Clone, Copy)]
pub(super) struct SettingsAfterRecovery<'a> {
    pub visitor: &'a Visitor,
    pub browser: &'a Browser,
    /// The kind of client that holds the session.
    pub flow_type: FlowType,
    pub person: &'a domain::Identity,
}

impl Identity {
    pub async fn begin_settings(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Answer, BeginError> {
        let return_to = visitor.query("return_to");
        if let Some(return_to) = &return_to {
            self.urls.returns().check(return_to)?;
        }
        let to_browser = flow_type == FlowType::Browser && visitor.wants_strictly == Wants::Html;
        let current = self.current(cx, visitor).await?;
        let required = self.session_policy.settings_required_aal();
        let start = start(&Requested {
            flow_type,
            wants: visitor.wants_strictly,
            has_session: current.is_some(),
            is_sufficient: current.as_ref().is_some_and(|current| current.meets(required)),
        });
        let current = match (start, current) {
            (Start::Flow, Some(current)) => current,
            (Start::SignIn { redirects: true }, _) => {
                let url = self.urls.init(FlowKind::Login, FlowType::Browser, return_to.as_deref());
                return Ok(Answer::redirect(url));
            }
            (Start::SignIn { redirects: false }, _) | (Start::Flow, None) => return Err(BeginError::NoSession),
            (Start::SecondFactor { redirects }, _) => {
                let url = self.urls.second_factor(Some(visitor.request_url.to_string()));
                return if redirects {
                    Ok(Answer::redirect(url))
                } else {
                    Err(SecondFactorRequired { redirect_browser_to: url }.into())
                };
            }
        };
        let browser = self.browser(visitor);
        let details = Settings::of(current.session.identity_id);
        let beginning = self.beginning::<Settings>(visitor, &browser, flow_type);
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        self.settings_form(cx, &mut flow, &current.identity)?;
        let mut tx = self.database.write(cx.tenant).await?;
        storage::continuities::abort(&mut tx, current.session.identity_id).await?;
        storage::flows::insert(&mut tx, &flow).await?;
        tx.commit().await?;
        // A browser that navigates is redirected to the page, which fetches the flow, so no QR code is rendered here.
        if to_browser {
            return Ok(self.begun(&flow, &browser));
        }
        let view = self.settings_view(cx, &flow, (&current.session, &current.identity), &browser);
        Ok(self.begun_as(&flow, &browser, view))
    }

    pub(crate) async fn fetch_settings(&self, cx: &Context, visitor: &Visitor) -> Result<FlowView, FetchError> {
        // The session is checked first: without one the error leads to the sign-in, and not to a new flow.
        let current = self.current(cx, visitor).await?.ok_or(FetchError::NoSession)?;
        let flow = self.fetched_flow::<Settings>(cx, visitor).await?;
        if let Some(denial) = denial(self.requester(&flow, &current)) {
            return Err(self.denied(denial, &flow).into());
        }
        if flow.is_expired(cx.now) {
            return Err(self.expired(cx, &flow).into());
        }
        let browser = self.browser(visitor);
        Ok(self.settings_view(cx, &flow, (&current.session, &current.identity), &browser))
    }

    /// The relation of a request's session to a flow.
    pub(super) fn requester(&self, flow: &Flow<Settings>, current: &Current) -> Requester {
        if flow.details.identity_id == current.session.identity_id {
            Requester::Owner { is_sufficient: current.meets(self.session_policy.settings_required_aal()) }
        } else {
            Requester::Other
        }
    }

    /// The error for a session that may neither see nor submit a flow.
    pub(super) fn denied(&self, denial: Denial, flow: &Flow<Settings>) -> SettingsDenied {
        match denial {
            Denial::WrongOwner => SettingsDenied::WrongOwner,
            Denial::SecondFactor => {
                // The user continues in this flow, which may be that of a recovery with a login that waits for its end.
                let back = flow.is_browser().then(|| submit_url(self.urls.public(), FlowKind::Settings, flow.id));
                let redirect_browser_to = self.urls.second_factor(back);
                SecondFactorRequired { redirect_browser_to }.into()
            }
        }
    }

    /// A settings flow for a user who just recovered their account. It is not stored yet.
    pub(super) fn settings_after(
        &self,
        cx: &Context,
        recovered: SettingsAfterRecovery<'_>,
    ) -> Result<Flow<Settings>, FormUnavailable> {
        let SettingsAfterRecovery { visitor, browser, flow_type, person } = recovered;
        let mut address = endpoint(self.urls.public(), "self-service/settings/browser");
        address.set_query(None);
        let mut beginning = self.beginning::<Settings>(visitor, browser, flow_type);
        beginning.request_url = address.as_str();
        let mut flow = Flow::begin(&beginning, Settings::of(person.id), &self.rng, cx.now);
        self.settings_form(cx, &mut flow, person)?;
        Ok(flow)
    }

    /// Fills the form with what the user can change. `person` was read with the credentials.
    pub(super) fn settings_form(
        &self,
        cx: &Context,
        flow: &mut Flow<Settings>,
        person: &domain::Identity,
    ) -> Result<(), FormUnavailable> {
        flow.ui.nodes.clear();
        flow.ui.nodes.upsert(Node::csrf());
        flow.details.kept.clear();
        for method in methods::ALL {
            method.offer_settings(&mut SettingsForm { service: self, cx, person, flow: &mut *flow })?;
        }
        self.sort_settings(flow, person)
    }

    /// Sorts the nodes in the order of the wire contract.
    pub(super) fn sort_settings(
        &self,
        flow: &mut Flow<Settings>,
        person: &domain::Identity,
    ) -> Result<(), FormUnavailable> {
        let schema = self.schemas.of_person(person)?;
        flow.ui.nodes.sort(&NodeOrder::settings(&trait_nodes::names(&schema), methods::node_order()));
        Ok(())
    }

    /// The flow as this session may see it. Secrets that a method keeps in the flow, such as revealed backup codes, are
    /// shown only to a session with the user's second factor, because any session of the user can fetch the flow.
    pub(super) fn settings_view(
        &self,
        cx: &Context,
        flow: &Flow<Settings>,
        (session, person): (&Session, &domain::Identity),
        browser: &Browser,
    ) -> FlowView {
        let mut shown = flow.clone();
        if RequiredAal::HighestAvailable.is_met(session.aal, person.available_aal) {
            for method in methods::ALL {
                method.show_settings(self, cx, &mut shown);
            }
        }
        self.view(&shown, browser).of_identity(person.clone(), self.urls.public().clone())
    }
}
