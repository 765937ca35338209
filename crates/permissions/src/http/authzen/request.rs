//! The information model as JSON: entities and their properties.
//!
//! Members that are not known are ignored. A member that is null is not left out: it has the wrong type.

use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::{Map, Value};
use web::{RestError, media_types};

use super::super::json_bodies;
use crate::domain::access::{AccessRequest, RequestAttributes};
use crate::domain::condition::{Object, Root};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};
use crate::domain::reverse_question::Sought;

type Members = Map<String, Value>;

/// The body. Errors of its type and its form are 400 (section "Error Responses").
pub(super) async fn body(request: Request) -> Result<Members, RestError> {
    if media_types::of_body(request.headers()) != "application/json" {
        return Err(RestError::bad_request("the Content-Type must be application/json"));
    }
    match json_bodies::read(web::bounds::of_request(&request), request).await? {
        Value::Object(members) => Ok(members),
        _ => Err(RestError::bad_request("the body must be a JSON object")),
    }
}

/// An entity with a type and an id.
#[derive(Clone)]
pub(super) struct Entity {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) properties: Option<Object>,
}

#[derive(Clone)]
pub(super) struct Action {
    pub(super) name: String,
    pub(super) properties: Option<Object>,
}

/// The members of a request that are there.
#[derive(Clone, Default)]
pub(super) struct PartialRequest {
    subject: Option<Entity>,
    action: Option<Action>,
    resource: Option<Entity>,
    context: Option<Object>,
}

impl PartialRequest {
    pub(super) fn read(members: &Members) -> Result<Self, InvalidTuple> {
        let subject = members.get("subject").map(|value| entity(value, Root::Subject));
        let action = members.get("action").map(action);
        let resource = members.get("resource").map(|value| entity(value, Root::Resource));
        Ok(Self {
            subject: subject.transpose()?,
            action: action.transpose()?,
            resource: resource.transpose()?,
            context: context(members)?,
        })
    }

    /// The request of a search: what is searched has a type, but no id or name; one that is there is ignored.
    pub(super) fn read_search(members: &Members, sought: Sought) -> Result<Self, InvalidTuple> {
        let entity = |root: Root, is_sought: bool| {
            let read = if is_sought { sought_entity } else { entity };
            members.get(root.name()).map(|value| read(value, root)).transpose()
        };
        let action = match sought {
            Sought::Relations => Some(Action { name: String::new(), properties: None }),
            Sought::Objects | Sought::Subjects => members.get("action").map(action).transpose()?,
        };
        Ok(Self {
            subject: entity(Root::Subject, sought == Sought::Subjects)?,
            action,
            resource: entity(Root::Resource, sought == Sought::Objects)?,
            context: context(members)?,
        })
    }

    /// What is missing is that of `defaults`; an entity is replaced as a whole (section "Default values").
    pub(super) fn or(self, defaults: &Self) -> Self {
        Self {
            subject: self.subject.or_else(|| defaults.subject.clone()),
            action: self.action.or_else(|| defaults.action.clone()),
            resource: self.resource.or_else(|| defaults.resource.clone()),
            context: self.context.or_else(|| defaults.context.clone()),
        }
    }

    pub(super) fn complete(self) -> Result<AccessRequest, InvalidTuple> {
        let subject = self.subject.ok_or_else(|| missing("subject"))?;
        let action = self.action.ok_or_else(|| missing("action"))?;
        let resource = self.resource.ok_or_else(|| missing("resource"))?;
        let set = SubjectSet { namespace: subject.kind, object: subject.id, relation: String::new() };
        Ok(AccessRequest {
            tuple: RelationTuple {
                namespace: resource.kind,
                object: resource.id,
                relation: action.name,
                subject: Subject::Set(set),
            },
            attributes: RequestAttributes {
                subject: subject.properties,
                resource: resource.properties,
                action: action.properties,
                context: self.context,
            },
        })
    }
}

fn missing(field: &str) -> InvalidTuple {
    InvalidTuple::field(field, "is required")
}

fn entity(value: &Value, root: Root) -> Result<Entity, InvalidTuple> {
    let members = object(value, root.name())?;
    Ok(Entity {
        kind: name(members, root.name(), "type")?,
        id: text(members, root.name(), "id")?.to_owned(),
        properties: properties(members, root)?,
    })
}

fn sought_entity(value: &Value, root: Root) -> Result<Entity, InvalidTuple> {
    let members = object(value, root.name())?;
    let kind = name(members, root.name(), "type")?;
    Ok(Entity { kind, id: String::new(), properties: properties(members, root)? })
}

fn action(value: &Value) -> Result<Action, InvalidTuple> {
    let members = object(value, Root::Action.name())?;
    Ok(Action { name: name(members, Root::Action.name(), "name")?, properties: properties(members, Root::Action)? })
}

fn context(members: &Members) -> Result<Option<Object>, InvalidTuple> {
    attributes(members.get("context"), Root::Context, "context")
}

fn properties(members: &Members, root: Root) -> Result<Option<Object>, InvalidTuple> {
    attributes(members.get("properties"), root, &format!("{}.properties", root.name()))
}

fn attributes(value: Option<&Value>, root: Root, field: &str) -> Result<Option<Object>, InvalidTuple> {
    let Some(value) = value else { return Ok(None) };
    object(value, field)?;
    Object::new(root, value.clone()).map(Some).map_err(|error| InvalidTuple::field(field, error.to_string()))
}

pub(super) fn object<'a>(value: &'a Value, field: &str) -> Result<&'a Members, InvalidTuple> {
    value.as_object().ok_or_else(|| InvalidTuple::field(field, "must be a JSON object"))
}

fn text<'a>(members: &'a Members, parent: &str, member: &str) -> Result<&'a str, InvalidTuple> {
    let field = format!("{parent}.{member}");
    let value = members.get(member).ok_or_else(|| missing(&field))?;
    value.as_str().ok_or_else(|| InvalidTuple::field(field, "must be a string"))
}

/// The empty name has a meaning in relation tuples that a request cannot mean.
fn name(members: &Members, parent: &str, member: &str) -> Result<String, InvalidTuple> {
    match text(members, parent, member)? {
        "" => Err(InvalidTuple::field(format!("{parent}.{member}"), "must not be empty")),
        name => Ok(name.to_owned()),
    }
}

/// The same fault with the names of this API: operations have those of relation tuples.
pub(super) fn named(invalid: InvalidTuple) -> InvalidTuple {
    let name = |field: String| match field.as_str() {
        "namespace" => "resource.type".to_owned(),
        "object" => "resource.id".to_owned(),
        "relation" => "action.name".to_owned(),
        "subject_set.namespace" => "subject.type".to_owned(),
        "subject_set.object" => "subject.id".to_owned(),
        _ => field,
    };
    match invalid {
        InvalidTuple::UnknownNamespace { field, namespace } => {
            InvalidTuple::UnknownNamespace { field: name(field), namespace }
        }
        InvalidTuple::Field { field, problem } => InvalidTuple::Field { field: name(field), problem },
    }
}

/// The status of a request that is not valid: never 404, which would be about the endpoint.
pub(super) fn refused(invalid: InvalidTuple) -> RestError {
    let invalid = named(invalid);
    RestError::new(StatusCode::BAD_REQUEST, "The request is not valid").with_reason(invalid.to_string())
}
