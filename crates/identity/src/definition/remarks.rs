//! Warnings of a start about what the configuration names and allows.

use crate::Identity;
use crate::config::Adjustment;
use crate::domain::flow::FlowKind;
use crate::methods;

impl Identity {
    /// Warnings about the configured documents.
    pub fn remarks(&self) -> Vec<Adjustment> {
        let schemas = self.schemas.remarks().into_iter();
        let schemas = schemas.map(|message| Adjustment { key: "identity.schemas".to_owned(), message });
        let templates = self.courier.unread().iter().map(|(key, problem)| Adjustment {
            key: key.clone(),
            message: format!("cannot be read, and the built-in text is sent: {problem}"),
        });
        schemas.chain(templates).chain(self.remark_on_recovery()).collect()
    }

    /// A recovery removes second factors that were set up before the address of the account was proved. Without verification no
    /// address of an account that an administrator created is ever proved.
    fn remark_on_recovery(&self) -> Option<Adjustment> {
        let methods = self.flow_policy.methods();
        let is_lost = methods::ALL.iter().any(|method| method.sets_up_second_factors(methods))
            && self.flow_policy.is_enabled(FlowKind::Recovery)
            && !self.flow_policy.is_enabled(FlowKind::Verification);
        is_lost.then(|| Adjustment {
            key: "identity.selfservice.flows.verification.enabled".to_owned(),
            message: "is off while recovery and second factors are on: a recovery removes the second factors of an account whose \
                      address was never verified"
                .to_owned(),
        })
    }
}
