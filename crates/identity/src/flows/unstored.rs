//! Plain native flows: they have no row until a submission changes them (`docs/adr/0015-a-native-flow-has-no-row-until-it-changes.md`).
//!
//! The id of a plain native flow says when this service issued it. All else follows from the configuration, so the flow is built
//! again for each request until it has a row.
//!
//! Invariants:
//! - A row takes precedence over the id: what a submission changed is never lost.
//! - A flow without a row has nothing that its client or another person entered.

use std::time::Duration;

use base::Context;
use serde_json::{Map, Value};

use crate::Identity;
use crate::domain::Aal;
use crate::domain::client_kind::FlowType;
use crate::domain::flow::{
    Beginning, Details, Flow, FlowId, Login, NativeId, Recovery, Registration, Settings, Verification,
};
use crate::storage;

use super::errors::FormUnavailable;
use super::visitor::Visitor;

/// How long a flow is known after it expired, as `storage::RETENTION` keeps its row.
const KNOWN_AFTER_EXPIRY: Duration = Duration::from_hours(24);

/// The content of a plain native flow.
pub(crate) trait Plain: Details {
    /// The details of a flow that was begun without parameters and without a session; `None` if the kind has no such flow.
    fn plain() -> Option<Self>;

    /// Fills the form.
    fn fill(service: &Identity, flow: &mut Flow<Self>) -> Result<(), FormUnavailable>;
}

impl Identity {
    /// A new flow without a row, if the visitor begins a plain native one. The visitor must have no session.
    pub(super) fn begin_unstored<D: Plain>(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow_type: FlowType,
    ) -> Result<Option<Flow<D>>, FormUnavailable> {
        if flow_type != FlowType::Api || visitor.request_url.as_str() != self.plain_url::<D>() {
            return Ok(None);
        }
        self.unstored_flow(NativeId::issue(D::KIND, cx.tenant, &self.sealer, &self.rng, cx.now))
    }

    /// The flow of this id: its row, or what a plain native flow of this id contains.
    pub(super) async fn find_flow<D: Plain>(
        &self,
        cx: &Context,
        id: FlowId,
    ) -> Result<Option<Flow<D>>, FormUnavailable> {
        let mut tx = self.database.read(cx.tenant);
        if let Some(flow) = storage::flows::find(&mut tx, id).await? {
            return Ok(Some(flow));
        }
        let Some(id) = NativeId::verify(D::KIND, cx.tenant, &self.sealer, id, cx.now) else { return Ok(None) };
        let flow = self.unstored_flow(id)?;
        // A row may have existed and expired since; the id does not outlive it.
        Ok(flow.filter(|flow: &Flow<D>| cx.now < flow.expires_at.plus(KNOWN_AFTER_EXPIRY)))
    }

    fn unstored_flow<D: Plain>(&self, native: NativeId) -> Result<Option<Flow<D>>, FormUnavailable> {
        let Some(details) = D::plain() else { return Ok(None) };
        let beginning = Beginning {
            flow_type: FlowType::Api,
            request_url: &self.plain_url::<D>(),
            lifespan: self.flow_policy.lifespan(D::KIND),
            public_url: self.urls.public(),
            csrf: None,
        };
        let mut flow = Flow::unstored(native, &beginning, details);
        D::fill(self, &mut flow)?;
        Ok(Some(flow))
    }

    /// The URL of a request that begins a plain native flow: it has no query.
    fn plain_url<D: Details>(&self) -> String {
        self.urls.init(D::KIND, FlowType::Api, None)
    }
}

impl Plain for Login {
    fn plain() -> Option<Self> {
        Some(Self {
            requested_aal: Aal::Aal1,
            refresh: false,
            identity_schema: None,
            oauth2: None,
            expected_identity: None,
            code_identifier: None,
        })
    }

    fn fill(service: &Identity, flow: &mut Flow<Self>) -> Result<(), FormUnavailable> {
        service.login_form(flow, None).map(drop)
    }
}

impl Plain for Registration {
    fn plain() -> Option<Self> {
        Some(Self::default())
    }

    fn fill(service: &Identity, flow: &mut Flow<Self>) -> Result<(), FormUnavailable> {
        Ok(service.registration_form(flow, &Value::Object(Map::new()))?)
    }
}

impl Plain for Recovery {
    fn plain() -> Option<Self> {
        Some(Self::default())
    }

    fn fill(service: &Identity, flow: &mut Flow<Self>) -> Result<(), FormUnavailable> {
        service.ask_for_address(flow)
    }
}

impl Plain for Verification {
    fn plain() -> Option<Self> {
        Some(Self::default())
    }

    fn fill(service: &Identity, flow: &mut Flow<Self>) -> Result<(), FormUnavailable> {
        service.ask_for_address(flow)
    }
}

impl Plain for Settings {
    /// Settings belong to a person.
    fn plain() -> Option<Self> {
        None
    }

    fn fill(_: &Identity, _: &mut Flow<Self>) -> Result<(), FormUnavailable> {
        Ok(())
    }
}
