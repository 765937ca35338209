//! What the requests of reverse questions share: their options, and the page that answers them.
//!
//! These endpoints are additions to Keto's. A parameter or a member that they do not have is refused, because a misspelt one
//! would ask another question.

use axum::http::{HeaderName, HeaderValue};
use base::Context;
use serde::Serialize;
use serde_json::Value;
use web::RestError;

use super::query::Parameters;
use super::snaptoken;
use crate::Permissions;
use crate::components::pages::{NAMES, Position, QuestionDigest};
use crate::domain::condition::{Object, Root};
use crate::domain::consistency::Consistency;
use crate::domain::reverse_question::ReverseQuestion;
use crate::operations::Answered;
use crate::operations::check::CheckOptions;
use crate::operations::list_names::{NameListing, Part};

/// The parameters of the URL besides those of the question.
const OPTIONS: &[&str] = &["max-depth", "page_size", "page_token", "snaptoken", "latest"];

/// What is asked besides the question.
pub(super) struct Options {
    context: Option<Object>,
    max_depth: Option<i64>,
    consistency: Consistency,
    question: QuestionDigest,
    after: Option<String>,
    size: usize,
}

/// Where the results go on, and why they may be incomplete.
#[derive(Serialize)]
pub(super) struct PageDocument {
    /// Empty on the last page.
    next_page_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unresolved: Option<String>,
}

/// An answer without its results.
pub(super) struct Page {
    pub(super) token: (HeaderName, HeaderValue),
    pub(super) document: PageDocument,
    pub(super) names: Vec<String>,
}

/// Refuses parameters that neither the question nor its options have.
pub(super) fn refuse_others(parameters: &Parameters<'_>, of_question: &[&str]) -> Result<(), RestError> {
    parameters.refuse_others(&[of_question, OPTIONS].concat())
}

impl Options {
    pub(super) async fn read(
        permissions: &Permissions,
        cx: &Context,
        parameters: &Parameters<'_>,
        question: &ReverseQuestion,
        context: Option<Value>,
    ) -> Result<Self, RestError> {
        let context = attributes(context)?;
        let max_depth = parameters.max_depth()?;
        let consistency = parameters.consistency(permissions, cx).await?;
        let question = QuestionDigest::of_question(question, context.as_ref(), max_depth);
        let sealer = permissions.tokens.sealer(cx).await?;
        let page = NAMES.request(&sealer, cx.tenant, &parameters.page())?;
        let another = || {
            let reason = "page_token: belongs to another question; nothing but page_size may change from page to page";
            RestError::bad_request(reason).with_detail("field", "page_token")
        };
        let after = page.after.map(|position| position.within(question).ok_or_else(another)).transpose()?;
        Ok(Self { context, max_depth, consistency, question, after, size: page.size as usize })
    }

    pub(super) fn part(&self) -> Part<'_> {
        Part { after: self.after.as_deref(), limit: self.size }
    }

    pub(super) fn check(&self) -> CheckOptions<'_> {
        CheckOptions { max_depth: self.max_depth, context: self.context.as_ref(), consistency: self.consistency }
    }

    pub(super) async fn page(
        self,
        permissions: &Permissions,
        cx: &Context,
        found: Answered<NameListing>,
    ) -> Result<Page, RestError> {
        let Answered { answer: NameListing { names, has_more, truncated, unresolved }, snapshot } = found;
        let sealer = permissions.tokens.sealer(cx).await?;
        // A page has at least one result, if there are more.
        let next = names.last().filter(|_| has_more);
        let next =
            next.map(|last| NAMES.token.seal(&sealer, cx.tenant, Position::new(self.question, last.clone()), cx.now));
        let document = PageDocument { next_page_token: next.unwrap_or_default(), truncated, unresolved };
        Ok(Page { token: snaptoken::of(permissions, cx, snapshot).await?, document, names })
    }
}

/// The attributes for conditions.
pub(super) fn attributes(context: Option<Value>) -> Result<Option<Object>, RestError> {
    let object = context.map(|value| Object::new(Root::Context, value)).transpose();
    object.map_err(|error| RestError::bad_request(error.to_string()).with_detail("field", "context"))
}
