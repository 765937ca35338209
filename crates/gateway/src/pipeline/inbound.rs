//! The request as seen by the pipeline.

use base::Context;
use http::HeaderMap;

use super::request_body::Evaluation;
use crate::domain::target::Target;

#[derive(Clone, Copy)]
pub(crate) struct Inbound<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) target: &'a Target,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) evaluation: Evaluation<'a>,
    captures: &'a (dyn Fn() -> Vec<String> + Sync),
}

impl<'a> Inbound<'a> {
    pub(crate) fn new(
        cx: &'a Context,
        target: &'a Target,
        headers: &'a HeaderMap,
        evaluation: Evaluation<'a>,
        captures: &'a (dyn Fn() -> Vec<String> + Sync),
    ) -> Self {
        Self { cx, target, headers, evaluation, captures }
    }

    /// The captured groups of the rule's URL pattern.
    pub(crate) fn captures(&self) -> Vec<String> {
        (self.captures)()
    }
}
