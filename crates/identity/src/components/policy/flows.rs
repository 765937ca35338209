//! The configuration of flows: which are enabled, what they require, how long they last, and what follows them.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, FlowUse, LoginStyle, Methods, RegistrationStyle};
use crate::domain::CredentialType;
use crate::domain::flow::FlowKind;
use crate::domain::hooks::Hooks;

/// The rules of flows.
pub(crate) struct FlowPolicy {
    config: Arc<Config>,
}

impl FlowPolicy {
    pub(crate) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }

    /// The sign-in methods of this service.
    pub(crate) fn methods(&self) -> &Methods {
        &self.config.selfservice.methods
    }

    /// Whether a login asks for the identifier alone first.
    pub(crate) fn signs_in_identifier_first(&self) -> bool {
        self.config.selfservice.flows.login.style == LoginStyle::IdentifierFirst
    }

    /// Whether a registration asks for the traits alone first.
    pub(crate) fn registers_in_two_steps(&self) -> bool {
        let registration = &self.config.selfservice.flows.registration;
        registration.style == RegistrationStyle::ProfileFirst && !registration.enable_legacy_one_step
    }

    pub(crate) fn lifespan(&self, kind: FlowKind) -> Duration {
        let flows = &self.config.selfservice.flows;
        match kind {
            FlowKind::Login => flows.login.lifespan,
            FlowKind::Registration => flows.registration.lifespan,
            FlowKind::Settings => flows.settings.lifespan,
            FlowKind::Recovery => flows.recovery.lifespan,
            FlowKind::Verification => flows.verification.lifespan,
        }
        .get()
    }

    pub(crate) fn is_enabled(&self, kind: FlowKind) -> bool {
        let flows = &self.config.selfservice.flows;
        match kind {
            FlowKind::Registration => flows.registration.enabled,
            FlowKind::Recovery => flows.recovery.enabled,
            FlowKind::Verification => flows.verification.enabled,
            FlowKind::Login | FlowKind::Settings => true,
        }
    }

    /// The hooks at the end of a flow.
    pub(crate) fn hooks_after(&self, kind: FlowKind, method: CredentialType) -> Hooks {
        let flows = &self.config.selfservice.flows;
        let after = match kind {
            FlowKind::Login => &flows.login.after,
            FlowKind::Registration => &flows.registration.after,
            FlowKind::Settings => &flows.settings.after,
            FlowKind::Recovery => &flows.recovery.after,
            FlowKind::Verification => &flows.verification.after,
        };
        let mut hooks = Hooks::named(after.hooks_of(method.as_str()).iter().map(|hook| hook.hook.as_str()));
        let changes_access =
            kind == FlowKind::Recovery || (kind == FlowKind::Settings && method == CredentialType::Password);
        if changes_access && self.config.security.revoke_active_sessions {
            hooks.revoke_active_sessions = true;
        }
        if self.config.feature_flags.legacy_continue_with_verification_ui {
            hooks.show_verification_ui = true;
        }
        hooks
    }

    /// Whether flows of this kind send a link and not a code.
    pub(crate) fn proof_by_link(&self, kind: FlowKind) -> bool {
        let flows = &self.config.selfservice.flows;
        match kind {
            FlowKind::Recovery => flows.recovery.used == FlowUse::Link,
            FlowKind::Verification => flows.verification.used == FlowUse::Link,
            FlowKind::Login | FlowKind::Registration | FlowKind::Settings => false,
        }
    }

    pub(crate) fn notifies_unknown_recipients(&self, kind: FlowKind) -> bool {
        let flows = &self.config.selfservice.flows;
        match kind {
            FlowKind::Recovery => flows.recovery.notify_unknown_recipients,
            FlowKind::Verification => flows.verification.notify_unknown_recipients,
            FlowKind::Login | FlowKind::Registration | FlowKind::Settings => false,
        }
    }

    /// Whether sign-in hides which accounts exist. It then offers methods that an account may not have.
    pub(crate) fn hides_accounts(&self) -> bool {
        let shows_hints = self.config.selfservice.flows.registration.login_hints;
        self.config.security.account_enumeration.mitigate.unwrap_or(!shows_hints)
    }

    /// Whether a registration takes effect only when its address is confirmed.
    pub(crate) fn confirms_addresses_first(&self) -> bool {
        // Confirmed by a code: a link would activate an account with the password of the client that registered in the
        // owner's name.
        let is_configured = self.config.selfservice.flows.registration.confirm_address_first;
        is_configured && self.is_enabled(FlowKind::Verification) && self.methods().code.is_enabled()
    }

    /// Whether a registration with a taken identifier shows how its owner signs in.
    pub(crate) fn gives_login_hints(&self) -> bool {
        self.config.selfservice.flows.registration.login_hints && !self.hides_accounts()
    }

    /// Whether an unverified address is a form error, as in older versions of Kratos.
    pub(crate) fn refuses_unverified_in_the_form(&self) -> bool {
        self.config.feature_flags.legacy_require_verified_login_error
    }

    pub(crate) fn uses_continue_with_transitions(&self) -> bool {
        self.config.feature_flags.use_continue_with_transitions
    }

    pub(crate) fn overrides_return_to(&self) -> bool {
        self.config.oauth2_provider.override_return_to
    }
}
