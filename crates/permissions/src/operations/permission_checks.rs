//! Checks for the other services of this process.

use async_trait::async_trait;
use base::Context;
use contracts::{
    PermissionCheckError, PermissionChecks, PermissionQuestion, PermissionSubject, QuestionPart, Unavailable,
    Undeclared,
};
use serde_json::Value;

use super::check::{CheckError, CheckOptions};
use super::evaluate::EvaluateError;
use crate::Permissions;
use crate::domain::condition::{Object, Root};
use crate::domain::relation_tuple::{RelationTuple, Subject, SubjectSet};

#[async_trait]
impl PermissionChecks for Permissions {
    /// Unlike the API, which denies a check of an unknown namespace as Keto does, this reports the name: who asks is a rule of an
    /// operator.
    async fn check(&self, cx: &Context, question: &PermissionQuestion<'_>) -> Result<bool, PermissionCheckError> {
        if let Some(name) = self.undeclared(question.namespace, Some(question.relation)) {
            return Err(PermissionCheckError::Undeclared(name));
        }
        if let PermissionSubject::Set { namespace, relation, .. } = question.subject
            && let Some(name) = self.undeclared(namespace, Some(relation))
        {
            return Err(PermissionCheckError::UndeclaredSubject(name));
        }
        let undecided = |reason: String| PermissionCheckError::Undecided(reason);
        let context = question.context.map(|members| Object::new(Root::Context, Value::Object(members.clone())));
        let context = context.transpose().map_err(|error| PermissionCheckError::Invalid {
            part: QuestionPart::Context,
            reason: error.to_string(),
        })?;
        let tuple = tuple_of(question);
        // Strict mode refuses the ids of all subjects, whatever they are.
        self.write_rules.check_subject_id(&tuple.subject).map_err(|error| undecided(error.to_string()))?;
        let options = CheckOptions { context: context.as_ref(), ..CheckOptions::default() };
        match Permissions::check(self, cx, &tuple, options).await {
            Ok(answered) => Ok(answered.answer),
            Err(CheckError::Evaluate(error @ EvaluateError::TooManyTuples)) => Err(undecided(error.to_string())),
            Err(error @ (CheckError::Unloaded(_) | CheckError::Evaluate(_))) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a permission could not be checked");
                Err(Unavailable::new("permissions", "the permission could not be checked").into())
            }
            Err(CheckError::Invalid(invalid)) => Err(match QuestionPart::of_member(invalid.name_of_field()) {
                Some(part) => PermissionCheckError::Invalid { part, reason: invalid.to_string() },
                None => undecided(invalid.to_string()),
            }),
            Err(
                error @ (CheckError::UndeclaredRelation(_)
                | CheckError::UndeclaredOnTheWay { .. }
                | CheckError::Unanswered { .. }),
            ) => Err(undecided(error.to_string())),
        }
    }

    fn undeclared(&self, namespace: &str, relation: Option<&str>) -> Option<Undeclared> {
        // Without a model there are no names, and the check says so.
        let model = self.models.current().ok()?;
        if !model.declares(namespace) {
            return Some(Undeclared::Namespace(namespace.to_owned()));
        }
        let relation = relation.filter(|relation| !model.accepts(namespace, relation))?;
        Some(Undeclared::Relation { namespace: namespace.to_owned(), relation: relation.to_owned() })
    }
}

fn tuple_of(question: &PermissionQuestion<'_>) -> RelationTuple {
    let PermissionQuestion { namespace, object, relation, subject, .. } = *question;
    RelationTuple {
        namespace: namespace.to_owned(),
        object: object.to_owned(),
        relation: relation.to_owned(),
        subject: match subject {
            PermissionSubject::Id(id) => Subject::Id(id.to_owned()),
            PermissionSubject::Set { namespace, object, relation } => Subject::Set(SubjectSet {
                namespace: namespace.to_owned(),
                object: object.to_owned(),
                relation: relation.to_owned(),
            }),
        },
    }
}
