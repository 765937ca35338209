//! The check of new passwords, used wherever one is set.

use base::{Context, Secret};

use crate::Identity;
use crate::domain::message::validation;
use crate::domain::password::prepare;
use crate::domain::password_policy::PasswordRefusal;

use crate::flows::errors::{StepError, SubmitError};

impl Identity {
    /// Checks a new password against the policy, then against known breaches. The first violation is reported at its node.
    pub(crate) async fn check_new_password<'i>(
        &self,
        cx: &Context,
        password: &Secret<String>,
        identifiers: impl IntoIterator<Item = &'i str>,
    ) -> Result<(), StepError> {
        let password = &prepare(password);
        let refused = |refusal: PasswordRefusal| StepError::at("password", validation::of_password(refusal));
        let policy = self.password_policy();
        policy.check(password.expose(), identifiers).map_err(refused)?;
        let breaches = self.breaches.count(password, cx.now).await.map_err(|_| SubmitError::BreachListUnavailable)?;
        policy.check_breaches(breaches).map_err(refused)
    }
}
