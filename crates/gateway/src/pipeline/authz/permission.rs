//! `permission`: asks the permission service whether the subject has a relation to an object, or a permission on it. A function
//! call when the service runs in this process.
//!
//! Invariants:
//! - What a template prints is one name: no printed character ends it and begins another one.
//! - Only an answer allows or denies, and the service denies what nobody can have: a name that the request chose and that the
//!   model does not have. A question without an answer, and a failed call, are errors.
//! - A wrong part of the question is the fault of the rule if it is the same for every request, otherwise that of the request.

use std::borrow::Cow;
use std::sync::Arc;

use contracts::{
    PermissionCheckError, PermissionChecks, PermissionQuestion, PermissionSubject, QuestionPart, Undeclared,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answer, Authorizer, Definition, Inbound, Services};
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::settings;
use crate::pipeline::template::{JsonTemplate, Template, TemplateView};

pub(super) const HANDLER: Definition<dyn Authorizer, Services> =
    Definition::new::<Settings>("permission", |settings, services| {
        Ok(Box::new(Permission::compile(&settings::read(settings)?, services)?))
    });

struct Permission {
    permissions: Arc<dyn PermissionChecks>,
    namespace: Template,
    object: Template,
    relation: Template,
    subject: Template,
    subject_namespace: Option<Template>,
    subject_relation: Option<Template>,
    context: Option<JsonTemplate>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// A template of the namespace of the object.
    namespace: String,
    /// A template of the object.
    object: String,
    /// A template of the relation or permission that the subject must have on the object.
    relation: String,
    /// A template of the subject: an id, or with `subject_namespace` an object of that namespace. By default the subject of the
    /// session.
    subject: String,
    /// A template of the namespace of the subject.
    subject_namespace: String,
    /// A template of the relation of a subject set.
    subject_relation: String,
    /// A template of a JSON object: the attributes that conditions read as `context`.
    context: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            object: String::new(),
            relation: String::new(),
            subject: "{{ print .Subject }}".to_owned(),
            subject_namespace: String::new(),
            subject_relation: String::new(),
            context: String::new(),
        }
    }
}

impl Permission {
    fn compile(settings: &Settings, services: &Services) -> Result<Self, String> {
        let template = |name: &str, text: &str| {
            Template::compile(text).map_err(|error| format!("has a template for `{name}`: {error}"))
        };
        let optional = |name: &str, text: &str| (!text.is_empty()).then(|| template(name, text)).transpose();
        let required = |name: &str, text: &str| match text {
            "" => Err(format!("requires the setting `{name}`")),
            text => template(name, text),
        };
        if !settings.subject_relation.is_empty() && settings.subject_namespace.is_empty() {
            return Err("has a `subject_relation`, which requires the setting `subject_namespace`".to_owned());
        }
        let context = (!settings.context.is_empty()).then(|| JsonTemplate::compile(&settings.context));
        Ok(Self {
            namespace: required("namespace", &settings.namespace)?,
            object: required("object", &settings.object)?,
            relation: required("relation", &settings.relation)?,
            subject: required("subject", &settings.subject)?,
            subject_namespace: optional("subject_namespace", &settings.subject_namespace)?,
            subject_relation: optional("subject_relation", &settings.subject_relation)?,
            context: context.transpose().map_err(|error| format!("has a `context`: {error}"))?,
            permissions: services.in_process.permissions.get().cloned().ok_or(
                "needs the permission service: run it in this process, or set `permissions.url` of the gateway",
            )?,
        })
    }

    async fn ask(&self, inbound: &Inbound<'_>, session: &Session) -> Result<(), Box<Failure>> {
        let view = TemplateView { session, inbound };
        // A part that printed nothing would ask another question than the rule states.
        let named = |name: &str, template: &'_ Template| -> Result<String, Box<Failure>> {
            let text = render(template, &view)?;
            if text.is_empty() {
                let reason = format!("the template for `{name}` of the permission authorizer printed nothing");
                return Err(at_fault(template.constant(), reason));
            }
            Ok(text)
        };
        let namespace = named("namespace", &self.namespace)?;
        let object = named("object", &self.object)?;
        let relation = named("relation", &self.relation)?;
        let subject = render(&self.subject, &view)?;
        if subject.is_empty() {
            return Err(Failure::forbidden().because("the request has no subject"));
        }
        let optional = |name: &str, template: &'_ Option<Template>| {
            template.as_ref().map(|template| named(name, template)).transpose()
        };
        let subject_namespace = optional("subject_namespace", &self.subject_namespace)?;
        let subject_relation = optional("subject_relation", &self.subject_relation)?;
        let context = self.context.as_ref().map(|template| attributes(template, &view)).transpose()?;
        let question = PermissionQuestion {
            namespace: &namespace,
            object: &object,
            relation: &relation,
            subject: match &subject_namespace {
                None => PermissionSubject::Id(&subject),
                Some(namespace) => PermissionSubject::Set {
                    namespace,
                    object: &subject,
                    relation: subject_relation.as_deref().unwrap_or_default(),
                },
            },
            context: context.as_ref(),
        };
        match self.permissions.check(inbound.cx, &question).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::forbidden().because("the subject does not have the permission")),
            Err(PermissionCheckError::Undeclared(name)) => {
                Err(undeclared(&OF_OBJECT, &name, (Some(&self.namespace), Some(&self.relation))))
            }
            Err(PermissionCheckError::UndeclaredSubject(name)) => {
                let templates = (self.subject_namespace.as_ref(), self.subject_relation.as_ref());
                Err(undeclared(&OF_SUBJECT, &name, templates))
            }
            Err(PermissionCheckError::Invalid { part, reason }) => Err(at_fault(self.constant(part), reason)),
            Err(error @ PermissionCheckError::Undecided(_)) => Err(Failure::internal(error.to_string())),
            Err(PermissionCheckError::Unavailable(error)) => Err(Failure::unavailable(error.to_string())),
        }
    }
}

impl Permission {
    /// The text of a part that is the same for every request.
    fn constant(&self, part: QuestionPart) -> Option<&str> {
        match part {
            QuestionPart::Namespace => self.namespace.constant(),
            QuestionPart::Object => self.object.constant(),
            QuestionPart::Relation => self.relation.constant(),
            QuestionPart::Subject => self.subject.constant(),
            QuestionPart::SubjectNamespace => self.subject_namespace.as_ref()?.constant(),
            QuestionPart::SubjectRelation => self.subject_relation.as_ref()?.constant(),
            QuestionPart::Context => self.context.as_ref()?.constant(),
        }
    }
}

/// A part of the question that is wrong.
fn at_fault(constant: Option<&str>, reason: String) -> Box<Failure> {
    if constant.is_some() { Failure::internal(reason) } else { Failure::bad_request(reason) }
}

/// A name that is not in the permission model. Nobody has a permission of a name that the request chose.
fn undeclared(
    settings: &[&str; 2],
    name: &Undeclared,
    (namespace, relation): (Option<&Template>, Option<&Template>),
) -> Box<Failure> {
    let is_printed = |template: Option<&Template>| template.is_some_and(|it| it.constant().is_none());
    let is_chosen = match name {
        Undeclared::Namespace(_) => is_printed(namespace),
        // It may exist in another namespace than the one that the request chose.
        Undeclared::Relation { .. } => is_printed(namespace) || is_printed(relation),
    };
    if is_chosen { Failure::forbidden().because(name.to_string()) } else { Failure::internal(mistake(settings, name)) }
}

/// The settings with the names of a namespace and of a relation of it.
const OF_OBJECT: [&str; 2] = ["namespace", "relation"];
const OF_SUBJECT: [&str; 2] = ["subject_namespace", "subject_relation"];

/// A name that is not in the permission model, with the setting that has it.
fn mistake([namespace, relation]: &[&str; 2], name: &Undeclared) -> String {
    let setting = match name {
        Undeclared::Namespace(_) => namespace,
        Undeclared::Relation { .. } => relation,
    };
    format!("`permission` has a wrong setting `{setting}`: {name}")
}

fn render(template: &Template, view: &TemplateView<'_>) -> Result<String, Box<Failure>> {
    template.render(view).map(Cow::into_owned).map_err(|error| Failure::internal(error.to_string()))
}

fn attributes(template: &JsonTemplate, view: &TemplateView<'_>) -> Result<Map<String, Value>, Box<Failure>> {
    let text = template
        .render(view)
        .map_err(|error| Failure::internal(format!("the context of the permission authorizer: {error}")))?;
    serde_json::from_str(&text).map_err(|_| {
        at_fault(template.constant(), "the context of the permission authorizer is not a JSON object".to_owned())
    })
}

impl Authorizer for Permission {
    fn authorize<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        _: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::pending(self.ask(inbound, session))
    }

    /// Names that are the same for every request.
    fn mistakes(&self) -> Vec<String> {
        let look = |settings, namespace: Option<&Template>, relation: Option<&Template>| {
            let namespace = namespace?.constant()?;
            let relation = relation.and_then(Template::constant);
            self.permissions.undeclared(namespace, relation).map(|name| mistake(settings, &name))
        };
        let of_object = look(&OF_OBJECT, Some(&self.namespace), Some(&self.relation));
        let of_subject = look(&OF_SUBJECT, self.subject_namespace.as_ref(), self.subject_relation.as_ref());
        of_object.into_iter().chain(of_subject).collect()
    }

    /// A check in this process is repeated for an open `WebSocket`, which ends with the permission.
    fn asks_a_server(&self) -> bool {
        self.permissions.is_remote()
    }
}

impl std::fmt::Debug for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permission")
    }
}
