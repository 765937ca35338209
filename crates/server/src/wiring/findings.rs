//! What a start finds on its way: everything that keeps it from serving, and everything to know although it serves.

use base::causes::chain;
use service::Report;

use crate::config::{Config, Fault, Faults, Notice, Service};

/// Collected over all steps of a start, so that one start reports everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) faults: Vec<Fault>,
    pub(crate) notices: Vec<Notice>,
}

impl Findings {
    /// What the configuration alone tells.
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

    /// The value, or nothing and one fault more.
    pub(super) fn keep<T, E: std::error::Error + 'static>(
        &mut self,
        config: &Config,
        path: impl Into<String>,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.fault(config, path, chain(&error))).ok()
    }

    /// As [`Findings::keep`], for what says itself which keys are at fault.
    pub(super) fn keep_value<T>(&mut self, config: &Config, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.faults.push(config.spell(fault))).ok()
    }

    /// What a service found while it was built.
    pub(super) fn add(&mut self, config: &Config, service: Service, report: Report) {
        for fault in report.faults {
            self.faults.push(config.spell(Fault::of(service, fault)));
        }
        for notice in report.notices {
            self.notice(config, Notice::of(service, notice));
        }
    }

    /// Nothing, unless something keeps the start from serving.
    pub(super) fn refuse(&mut self) -> Result<(), Faults> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut faults = std::mem::take(&mut self.faults);
        faults.sort();
        faults.dedup();
        Err(Faults(faults))
    }

    /// Each notice once, in the order of the keys.
    pub(crate) fn sorted_notices(&self) -> Vec<Notice> {
        let mut notices = self.notices.clone();
        notices.sort();
        notices.dedup();
        notices
    }
}
