//! Asks the tables of a database that processes share, together with the equal questions that are asked at the same time.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use base::{Context, TenantId};

use super::{Answered, Asking, EvaluateError, Question, in_tables};
use crate::Permissions;
use crate::components::models::LoadedModel;
use crate::components::shared_evaluations::SharedEvaluations;
use crate::domain::access::canonical;
use crate::domain::consistency::Consistency;

/// A question whose equal evaluations are shared.
pub(in crate::operations) trait Shareable:
    Question<Answer: Clone + Send + Sync + 'static> + Send + 'static
{
    /// Everything that it asks.
    type Asked: Clone + Eq + Hash + Send + Sync + 'static;

    fn asked(&self) -> Self::Asked;
}

/// What an answer depends on besides the relation tuples and the time. Its other limits are those of every question, and the
/// snapshot that it needs is older than its evaluation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct QuestionKey<A> {
    tenant: TenantId,
    model: SameModel,
    depth: u16,
    /// The attributes of the request as canonical JSON.
    context: Option<String>,
    asked: A,
}

/// A loaded model is equal to itself alone.
#[derive(Clone)]
struct SameModel(Arc<LoadedModel>);

impl PartialEq for SameModel {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SameModel {}

impl Hash for SameModel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// The evaluations of one kind of question, which asks `A` and has the answer `T`.
pub(crate) type Together<A, T> = Arc<SharedEvaluations<QuestionKey<A>, Result<Answered<T>, EvaluateError>>>;

impl Permissions {
    /// The answer from the tables. Who asks looks in memory first.
    pub(in crate::operations) async fn answer_from_tables<Q: Shareable>(
        &self,
        together: &Together<Q::Asked, Q::Answer>,
        cx: &Context,
        asking: &Asking<'_>,
        question: Q,
    ) -> Result<Answered<Q::Answer>, EvaluateError> {
        if !self.database.is_shared() {
            // A file is read on this thread, in microseconds.
            return in_tables::ask(&self.database, cx, asking, &question).await;
        }
        let (model, context, limits) = (asking.model.clone(), asking.context.cloned(), asking.limits);
        let key = QuestionKey {
            tenant: cx.tenant,
            model: SameModel(model.clone()),
            depth: limits.depth,
            context: context.as_ref().map(canonical),
            asked: question.asked(),
        };
        let (database, of_request) = (self.database.clone(), cx.clone());
        let evaluate = move |now| async move {
            let cx = Context { now, ..of_request };
            let (context, consistency) = (context.as_ref(), Consistency::default());
            let asking = Asking { model: &model, limits, context, consistency };
            in_tables::ask(&database, &cx, &asking, &question).await
        };
        together.ask(key, cx.now, evaluate).await
    }
}
