//! Asks the tables of a database that processes share, together with the equal questions that are asked at the same time.

use std::hash::Hash;

use base::Context;

use super::{Answered, Asking, EvaluateError, Question, in_tables};
use crate::Permissions;
use crate::domain::access::canonical;
use crate::domain::consistency::Consistency;
use crate::operations::shared_answers::{QuestionKey, SameModel, Together};

/// A question whose equal evaluations are shared.
pub(in crate::operations) trait Shareable:
    Question<Answer: Clone + Send + Sync + 'static> + Send + 'static
{
    /// Everything that it asks.
    type Asked: Clone + Eq + Hash + Send + Sync + 'static;

    fn asked(&self) -> Self::Asked;
}

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
