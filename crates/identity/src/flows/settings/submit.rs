//! A submission to the settings: one change, or the resumption of one that waited for a fresh proof.

use base::Context;

use crate::Identity;
use crate::components::sessions::Current;
use crate::domain::CredentialType;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::continue_with::ContinueWith;
use crate::domain::flow::{Flow, FlowKind, FlowState, Settings, with_flow};
use crate::domain::message::{self, settings as messages};
use crate::flows::answer::{Answer, Content, CookieChange, Failure, FormReason};
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::events::acting_as;
use crate::flows::hooks::BegunVerification;
use crate::flows::refusal::Refusal;
use crate::flows::submission::RawSubmission;
use crate::flows::trait_nodes;
use crate::flows::views::Body;
use crate::flows::visitor::{Browser, Visitor};
use crate::methods;
use crate::storage;

use super::step::{Changed, SettingsStep, Step};

impl Identity {
    pub async fn submit_settings(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        let flow = match self.submitted_flow::<Settings>(cx, visitor).await {
            Err(FlowError::FlowIdMissing | FlowError::FlowNotFound)
                if visitor.wants != Wants::Html && self.current(cx, visitor).await?.is_none() =>
            {
                return Err(FlowError::NoSession.into());
            }
            found => found?,
        };
        let flow_type = flow.flow_type;
        self.continue_settings(cx, visitor, flow, body).await.map_err(Failure::of(flow_type))
    }

    async fn continue_settings(
        &self,
        cx: &Context,
        visitor: &Visitor,
        mut flow: Flow<Settings>,
        body: RawSubmission,
    ) -> Result<Answer, FlowError> {
        let browser = self.browser(visitor);
        let to_browser = flow.is_browser() && visitor.wants == Wants::Html;
        let Some(current) = self.current(cx, visitor).await? else {
            return if to_browser {
                Ok(Answer::redirect(self.urls.page(FlowKind::Login).as_str()))
            } else {
                Err(FlowError::NoSession)
            };
        };
        let cx = &acting_as(cx, current.session.identity_id);
        self.may_change_settings(&flow, &current, visitor)?;
        if flow.is_expired(cx.now) {
            return self.renew_settings(cx, visitor, &browser, &flow, &current).await;
        }
        let resumed = if matches!(body, RawSubmission::Empty) && flow.is_browser() {
            self.resume_submission(cx, visitor, &flow, &current).await?
        } else {
            None
        };
        let was_saved = resumed.is_some();
        let submission = match resumed {
            Some(submission) => submission,
            // Somebody opened the address of the form: it is shown.
            None if matches!(body, RawSubmission::Empty) && to_browser => {
                return Ok(Answer::redirect(self.page_of(&flow)));
            }
            None => {
                let schema = self.schemas.of_person(&current.identity)?;
                let submission = match body.decode(&trait_nodes::field_rules(&schema)) {
                    Ok(submission) => submission,
                    Err(error) => {
                        visitor.may_see(&flow, &browser)?;
                        let refusal = Refusal::general(message::validation::generic(&error.to_string()));
                        return self.refuse_settings(cx, flow, &browser, &current, refusal).await;
                    }
                };
                visitor.may_submit(&flow, &browser, &submission)?;
                submission
            }
        };

        let caller = visitor.caller(cx, Some(&current));
        let method = methods::ALL.iter().find(|method| method.takes_settings(&submission));
        let step = match method {
            Some(method) => {
                flow.submitted_method = Some(method.kind());
                let (caller, browser, flow, current) = (&caller, &browser, &mut flow, &current);
                let submission = &submission;
                method.change(SettingsStep { service: self, cx, caller, browser, flow, current, submission }).await
            }
            None => Err(SubmitError::general(message::flow::no_settings_strategy())),
        };
        let answer = match step {
            Ok(Step::Changed(changed)) => self.settings_changed(cx, visitor, &browser, &flow, &current, *changed).await,
            Ok(Step::Form) => Ok(self.settings_shown(cx, &flow, &current, &browser)),
            Err(error) => match Refusal::try_from(error) {
                Ok(refusal) => self.refuse_settings(cx, flow, &browser, &current, refusal).await,
                Err(FlowError::SessionRefreshRequired { redirect_browser_to }) if flow.is_browser() => {
                    let answer = Answer::new(FlowType::Browser, Content::Refresh { url: redirect_browser_to });
                    if was_saved {
                        Ok(answer)
                    } else {
                        Ok(answer.with(self.save_submission(cx, &flow, &current, &submission).await?))
                    }
                }
                Err(error) => Err(error),
            },
        }?;
        Ok(if was_saved { answer.with(CookieChange::ContinuityEnded) } else { answer })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one step, each from another place")]
    async fn settings_changed(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        flow: &Flow<Settings>,
        current: &Current,
        changed: Changed,
    ) -> Result<Answer, FlowError> {
        let Changed { identity, verification, session } = changed;
        let session = session.as_ref().unwrap_or(&current.session);
        let (active, submitted_method) = (flow.active, flow.submitted_method);
        let mut tx = self.database.write(cx.tenant).await?;
        // The change is made; the form shows it, whatever other submissions made of the form meanwhile.
        let mut flow = storage::flows::lock::<Settings>(&mut tx, flow.id).await?.ok_or(FlowError::FlowNotFound)?;
        flow.active = active;
        flow.submitted_method = submitted_method;
        flow.ui.clear_messages();
        flow.state = FlowState::Success;
        self.settings_form(cx, &mut flow, &identity)?;
        flow.ui.messages.push(messages::saved());
        let sets_password = flow.method() == Some(CredentialType::Password);
        let oauth2 = if sets_password { flow.details.oauth2.take() } else { None };
        storage::flows::update(&mut tx, &mut flow).await?;
        tx.commit().await?;
        let next = match oauth2 {
            Some(oauth2) => self.go_on_with_login(cx, &oauth2, session, &identity).await?,
            None => None,
        };

        let own_page = with_flow(&self.urls.page(FlowKind::Settings), flow.id);
        let fallback = self.urls.configured_after(FlowKind::Settings, flow.method());
        let redirect = match (next, flow.wanted_return_to()) {
            (Some(next), _) => next,
            (None, Some(wanted)) => self.urls.returns().check(&wanted)?.to_string(),
            (None, None) => fallback.map_or(own_page, String::from),
        };
        let mut continue_with: Vec<ContinueWith> = verification.iter().map(BegunVerification::continue_with).collect();
        if flow.is_browser() && visitor.wants_strictly == Wants::Json {
            continue_with.push(ContinueWith::RedirectBrowserTo { redirect_browser_to: redirect.clone() });
        }
        let mut view = self.settings_view(cx, &flow, &identity, browser);
        if !continue_with.is_empty() {
            view = view.completed(continue_with);
        }
        let redirect = verification.map_or(redirect, |begun| begun.url);
        let answer = Answer::new(flow.flow_type, Content::Done { body: Some(Body::Flow(Box::new(view))), redirect });
        if flow.flow_type == FlowType::Api {
            return Ok(answer);
        }
        Ok(answer.with(CookieChange::Session { token: current.token.clone(), expires_at: session.expires_at }))
    }

    /// The form with something new to look at.
    fn settings_shown(&self, cx: &Context, flow: &Flow<Settings>, current: &Current, browser: &Browser) -> Answer {
        let view = self.settings_view(cx, flow, &current.identity, browser);
        self.form_as(flow, browser, FormReason::Accepted, view)
    }

    async fn refuse_settings(
        &self,
        cx: &Context,
        mut flow: Flow<Settings>,
        browser: &Browser,
        current: &Current,
        refusal: Refusal,
    ) -> Result<Answer, FlowError> {
        let reason = self.refuse_with(cx, &mut flow, browser, refusal, Refusal::say_in).await?;
        let view = self.settings_view(cx, &flow, &current.identity, browser);
        Ok(self.form_as(&flow, browser, reason, view))
    }

    async fn renew_settings(
        &self,
        cx: &Context,
        visitor: &Visitor,
        browser: &Browser,
        expired: &Flow<Settings>,
        current: &Current,
    ) -> Result<Answer, FlowError> {
        let mut flow = self.begin_again(cx, visitor, browser, expired, expired.details.clone());
        let person = self.person_of(cx, current).await?.ok_or(FlowError::SessionInactive)?;
        self.settings_form(cx, &mut flow, &person)?;
        self.put_in_place_of(cx, visitor, expired, flow).await
    }
}
