//! The findings of a start: faults, which stop it, and notices.

use base::causes::chain;
use service::Report;

use crate::config::{Config, Fault, Faults, Notice, Service};

/// Collects the findings of all steps of a start, so that one start reports everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) faults: Vec<Fault>,
    pub(crate) notices: Vec<Notice>,
}

impl Findings {
    /// The findings of the configuration alone.
    pub(crate) fn of(config: &Config) -> Self {
        let (faults, accepted) = config.missing_protections();
        let notices = config.notices.iter().cloned().chain(accepted).collect();
        Self { faults, notices }
    }

    pub(super) fn fault(&mut self, config: &Config, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(config.spell(Fault::new(path, message)));
    }

    pub(super) fn notice(&mut self, config: &Config, notice: Notice) {
        self.notices.push(config.spell_notice(notice));
    }

    /// The value, or `None` and an added fault.
    pub(super) fn keep<T, E: std::error::Error + 'static>(
        &mut self,
        config: &Config,
        path: impl Into<String>,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.fault(config, path, chain(&error))).ok()
    }

    /// Like [`Findings::keep`], for errors that name their key.
    pub(super) fn keep_value<T>(&mut self, config: &Config, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.faults.push(config.spell(fault))).ok()
    }

    /// The findings of a service while it was built.
    pub(super) fn add(&mut self, config: &Config, service: Service, report: Report) {
        for fault in report.faults {
            self.faults.push(config.spell(Fault::of(service, fault)));
        }
        for notice in report.notices {
            self.notice(config, Notice::of(service, notice));
        }
    }

    /// An error with all faults, if there are any.
    pub(super) fn refuse(&mut self) -> Result<(), Faults> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut faults = std::mem::take(&mut self.faults);
        faults.sort();
        faults.dedup();
        Err(Faults(faults))
    }

    /// The notices without duplicates, in the order of the keys.
    pub(crate) fn sorted_notices(&self) -> Vec<Notice> {
        let mut notices = self.notices.clone();
        notices.sort();
        notices.dedup();
        notices
    }
}
