//! A submission that is saved while the user signs in again. It is stored sealed, and resumed once, by the same user,
//! in the same flow, within 15 minutes.

use std::time::Duration;

use base::Context;
use base::seal::Purpose;
use uuid::Uuid;

use crate::Identity;
use crate::components::sessions::Current;
use crate::domain::flow::{Flow, Settings};
use crate::flows::answer::CookieChange;
use crate::flows::errors::SubmitError;
use crate::flows::submission::Submission;
use crate::flows::visitor::Visitor;
use crate::storage;
use crate::storage::continuities::SavedSubmission;

const PAYLOAD: Purpose = Purpose("identity saved settings");
const LIFESPAN: Duration = Duration::from_mins(15);
const NAME: &str = "ory_kratos_settings";
/// The cookie with the id of the saved submission.
pub(crate) const COOKIE: &str = "ory_kratos_continuity";

impl Identity {
    /// Saves a submission; returns the cookie that identifies it.
    pub(super) async fn save_submission(
        &self,
        cx: &Context,
        flow: &Flow<Settings>,
        current: &Current,
        submission: &Submission,
    ) -> Result<CookieChange, SubmitError> {
        let id = self.rng.uuid();
        let plain = serde_json::to_vec(&submission.0).unwrap_or_default();
        let payload = self.sealer.seal(PAYLOAD, cx.tenant, &plain);
        let saved = SavedSubmission {
            id,
            name: NAME,
            identity_id: current.session.identity_id,
            flow_id: flow.id,
            payload: &payload,
            now: cx.now,
            expires_at: cx.now.plus(LIFESPAN),
        };
        let mut tx = self.database.write(cx.tenant).await?;
        storage::continuities::insert(&mut tx, &saved).await?;
        tx.commit().await?;
        Ok(CookieChange::Continuity { value: id.to_string() })
    }

    /// Removes and returns the submission that this user saved in this flow.
    pub(super) async fn resume_submission(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Settings>,
        current: &Current,
    ) -> Result<Option<Submission>, SubmitError> {
        let Some(id) = visitor.cookie(COOKIE).and_then(|id| id.parse::<Uuid>().ok()) else { return Ok(None) };
        let mut tx = self.database.write(cx.tenant).await?;
        let payload =
            storage::continuities::take(&mut tx, id, NAME, current.session.identity_id, flow.id, cx.now).await?;
        tx.commit().await?;
        let plain = payload.and_then(|payload| self.sealer.open(PAYLOAD, cx.tenant, &payload).ok());
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()).map(Submission))
    }
}
