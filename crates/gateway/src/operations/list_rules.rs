//! Lists the active rules in the order of their repositories, without the invalid ones.

use std::sync::Arc;

use crate::domain::rule::Rule;
use crate::service::Gateway;

impl Gateway {
    pub(crate) fn list_rules(&self, limit: usize, offset: usize) -> Vec<Arc<Rule>> {
        self.rules.load().valid().skip(offset).take(limit).map(|rule| rule.rule.clone()).collect()
    }

    pub(crate) fn get_rule(&self, id: &str) -> Option<Arc<Rule>> {
        self.rules.load().valid().find(|rule| rule.rule.id == id).map(|rule| rule.rule.clone())
    }
}
