//! The configuration of sessions: their lifespan, their cookie and the required assurance level.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::domain::factors::FactorRules;
use crate::domain::session::RequiredAal;

/// The rules of sessions.
pub(crate) struct SessionPolicy {
    config: Arc<Config>,
}

impl SessionPolicy {
    pub(crate) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }

    /// Whether a logout makes the browser delete the data of the site. Browsers do that over HTTPS only.
    pub(crate) fn clears_browser_data(&self) -> bool {
        self.config.selfservice.flows.logout.clear_browser_data
    }

    /// Whether a recovery, a new password and the first verification of an address end other sessions without a hook.
    pub(crate) fn revokes_active_sessions(&self) -> bool {
        self.config.security.revoke_active_sessions
    }

    pub(crate) fn lifespan(&self) -> Duration {
        self.config.session.lifespan.get()
    }

    pub(crate) fn cookie_name(&self) -> &str {
        &self.config.session.cookie.name
    }

    pub(crate) fn cookie_is_persistent(&self) -> bool {
        self.config.session.cookie.persistent
    }

    pub(crate) fn whoami_required_aal(&self) -> RequiredAal {
        self.config.session.whoami.required_aal
    }

    /// The maximum number of seconds that a `whoami` response may be cached; `None` when it must not be.
    pub(crate) fn whoami_cache_limit(&self) -> Option<u64> {
        let flags = &self.config.feature_flags;
        let limit = flags.cacheable_sessions_max_age.map_or(u64::MAX, |age| age.get().as_secs());
        flags.cacheable_sessions.then_some(if limit == 0 { u64::MAX } else { limit })
    }

    pub(crate) fn settings_required_aal(&self) -> RequiredAal {
        self.config.selfservice.flows.settings.required_aal
    }

    /// How long a session stays privileged; `None` for no limit.
    pub(crate) fn privileged_max_age(&self) -> Option<Duration> {
        let age = self.config.selfservice.flows.settings.privileged_session_max_age.get();
        (!age.is_zero()).then_some(age)
    }

    pub(crate) fn factor_rules(&self) -> FactorRules {
        let code = &self.config.selfservice.methods.code;
        FactorRules {
            code_is_first_factor: code.passwordless_enabled,
            code_is_second_factor: code.mfa_enabled,
            password_migration_hook: false,
        }
    }
}
