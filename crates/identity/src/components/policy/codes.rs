//! The configuration of one-time codes and links.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;

/// The rules of codes and links.
pub(crate) struct CodePolicy {
    config: Arc<Config>,
}

impl CodePolicy {
    pub(crate) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }

    pub(crate) fn lifespan(&self) -> Duration {
        self.config.selfservice.methods.code.config.lifespan.get()
    }

    pub(crate) fn max_submissions(&self) -> i32 {
        i32::try_from(self.config.selfservice.methods.code.config.max_submissions).unwrap_or(i32::MAX)
    }

    pub(crate) fn link_lifespan(&self) -> Duration {
        self.config.selfservice.methods.link.config.lifespan.get()
    }

    /// Whether a code can be sent to a verifiable address of a user who did not set up codes.
    pub(crate) fn reaches_verifiable_addresses(&self) -> bool {
        self.config.selfservice.methods.code.config.missing_credential_fallback_enabled
    }

    pub(crate) fn sends_text_messages(&self) -> bool {
        self.config.courier.channels.iter().any(|channel| channel.id == "sms")
    }
}
