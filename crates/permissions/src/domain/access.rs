//! Access requests: a subject, an action and a resource with their properties.
//!
//! Specification: `AuthZEN` Authorization API 1.0, sections "Information Model" and "Access Evaluations API". The type of an
//! entity is a namespace, its id an object, and an action is a relation or a permit of the namespace of the resource.

use base::Timestamp;
use serde_json::Value;

use super::condition::{Attributes, Object};
use super::relation_tuple::RelationTuple;

#[derive(Clone, Debug, PartialEq)]
pub struct AccessRequest {
    /// Its subject is a set with an empty relation: the object itself.
    pub tuple: RelationTuple,
    pub attributes: RequestAttributes,
}

/// What the conditions of one access request read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestAttributes {
    pub subject: Option<Object>,
    pub resource: Option<Object>,
    pub action: Option<Object>,
    pub context: Option<Object>,
}

impl RequestAttributes {
    pub fn at(&self, now: Timestamp) -> Attributes<'_> {
        let Self { subject, resource, action, context } = self;
        Attributes {
            subject: subject.as_ref(),
            resource: resource.as_ref(),
            action: action.as_ref(),
            context: context.as_ref(),
            ..Attributes::at(now)
        }
    }
}

/// Attributes as JSON, in which the order of members does not matter.
pub fn canonical(attributes: &Object) -> String {
    let mut value = Value::Object(attributes.as_map().clone());
    value.sort_all_objects();
    value.to_string()
}

/// Which access requests of a list are evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EvaluationsSemantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl EvaluationsSemantic {
    /// Whether nothing is evaluated after this decision.
    pub const fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}
