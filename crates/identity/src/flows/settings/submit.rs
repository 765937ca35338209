//! A submission to a settings flow: a change, or one that was saved while the user signed in again.

use base::Context;

use crate::Identity;
use crate::components::sessions::Current;
use crate::domain::client_kind::{FlowType, Wants};
use crate::domain::continue_with::ContinueWith;
use crate::domain::event::{Event, FlowOutcome};
use crate::domain::flow::{Flow, FlowKind, FlowState, OAuth2Request, Settings, with_flow};
use crate::domain::message::{self, settings as messages};
use crate::domain::settings::{
    Action, Next, Reached, Refresh, Submitted, Target, act_on, continues_login, next, on_refresh,
};
use crate::domain::{self, Session};
use crate::flows::answer::{Answer, Content, CookieChange, Failure, FormReason};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::events::acting_as;
use crate::flows::hooks::BegunVerification;
use crate::flows::refusal::Refusal;
use crate::flows::submission::{RawSubmission, Submission};
use crate::flows::trait_nodes;
use crate::flows::views::Body;
use crate::flows::visitor::{Browser, Visitor};
use crate::methods;
use crate::storage;

use super::step::{Change, Changed, SettingsStep, Step};

/// The sender of a submission: its headers, its browser and its session.
#[derive(Clone, Copy)]
struct Request<'a> {
    visitor: &'a Visitor,
    browser: &'a Browser,
    current: &'a Current,
}

impl Identity {
    pub async fn submit_settings(
        &self,
        cx: &Context,
        visitor: &Visitor,
        body: RawSubmission,
    ) -> Result<Answer, Failure> {
        let flow = match self.submitted_flow::<Settings>(cx, visitor).await {
            Err(SubmitError::FlowIdMissing | SubmitError::FlowNotFound)
                if visitor.wants != Wants::Html && self.current(cx, visitor).await?.is_none() =>
            {
                return Err(SubmitError::NoSession.into());
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
        flow: Flow<Settings>,
        body: RawSubmission,
    ) -> Result<Answer, SubmitError> {
        let browser = self.browser(visitor);
        let current = self.current(cx, visitor).await?;
        let action = act_on(&Submitted {
            flow_type: flow.flow_type,
            wants: visitor.wants,
            requester: current.as_ref().map(|current| self.requester(&flow, current)),
            is_expired: flow.is_expired(cx.now),
            is_empty: matches!(body, RawSubmission::Empty),
        });
        let (action, current) = match (action, current) {
            (Action::SignIn { redirects: true }, _) => {
                return Ok(Answer::redirect(self.urls.page(FlowKind::Login).as_str()));
            }
            (Action::SignIn { redirects: false }, _) | (_, None) => return Err(SubmitError::NoSession),
            (action, Some(current)) => (action, current),
        };
        let cx = &acting_as(cx, current.session.identity_id);
        let request = Request { visitor, browser: &browser, current: &current };
        let resumed = match action {
            Action::Denied(denial) => return Err(self.denied(denial, &flow).into()),
            Action::Renew => return self.renew_settings(cx, request, &flow).await,
            Action::Resume { .. } => self.resume_submission(cx, visitor, &flow, &current).await?,
            Action::SignIn { .. } | Action::Process => None,
        };
        if let Some(submission) = resumed {
            let answer = self.change_settings(cx, request, flow, &submission, true).await?;
            return Ok(answer.with(CookieChange::ContinuityEnded));
        }
        // The request has no body: the client opened the URL of the form.
        if action == (Action::Resume { otherwise_redirects: true }) {
            return Ok(Answer::redirect(self.page_of(&flow)));
        }
        let schema = self.schemas.of_person(&current.identity)?;
        match body.decode(&trait_nodes::field_rules(&schema)) {
            Ok(submission) => {
                visitor.may_submit(&flow, &browser, &submission)?;
                self.change_settings(cx, request, flow, &submission, false).await
            }
            Err(error) => {
                visitor.may_see(&flow, &browser)?;
                let refusal = Refusal::general(message::validation::generic(&error.to_string()));
                self.refuse_settings(cx, flow, &browser, &current, refusal).await
            }
        }
    }

    /// Lets the method make the change. `was_resumed` if the submission was saved while the user signed in again.
    async fn change_settings(
        &self,
        cx: &Context,
        request: Request<'_>,
        mut flow: Flow<Settings>,
        submission: &Submission,
        was_resumed: bool,
    ) -> Result<Answer, SubmitError> {
        let Request { visitor, browser, current } = request;
        let caller = visitor.caller(cx, Some(current));
        let method = methods::ALL.iter().find(|method| method.takes_settings(submission));
        let step = match method {
            Some(method) => {
                flow.submitted_method = Some(method.kind());
                let (caller, flow) = (&caller, &mut flow);
                method.change(SettingsStep { service: self, cx, caller, browser, flow, current, submission }).await
            }
            None => Err(StepError::general(message::flow::no_settings_strategy())),
        };
        let error = match step {
            Ok(Step::Changed(changed)) => return self.settings_changed(cx, request, &flow, *changed).await,
            Ok(Step::Form) => return Ok(self.settings_shown(cx, &flow, current, browser)),
            Err(error) => error,
        };
        let required = match Refusal::try_from(error) {
            Ok(refusal) => return self.refuse_settings(cx, flow, browser, current, refusal).await,
            Err(SubmitError::Refresh(required)) => required,
            Err(error) => return Err(error),
        };
        match on_refresh(flow.flow_type, was_resumed) {
            Refresh::Refused => Err(required.into()),
            Refresh::SignIn { saves_submission } => {
                let answer = Answer::new(FlowType::Browser, Content::Refresh { url: required.redirect_browser_to });
                if saves_submission {
                    Ok(answer.with(self.save_submission(cx, &flow, current, submission).await?))
                } else {
                    Ok(answer)
                }
            }
        }
    }

    /// Ends other sessions where the hooks of the method say so, shows the change in the form, records and commits it. `session` is
    /// the session of the request if it was changed. Returns the flow, the changed identity, and the login that goes on after it.
    async fn write_change(
        &self,
        cx: &Context,
        current: &Current,
        flow: &Flow<Settings>,
        change: Change,
        session: Option<&Session>,
    ) -> Result<(Flow<Settings>, domain::Identity, Option<OAuth2Request>), SubmitError> {
        let Change { mut tx, after: identity, flow: locked, .. } = change;
        let hooks = flow.submitted_method.map(|method| self.flow_policy.hooks_after(FlowKind::Settings, method));
        if hooks.is_some_and(|hooks| hooks.revoke_active_sessions) {
            self.sessions.end_all(&mut tx, cx, identity.id, Some(current.session.id)).await?;
        }
        // The form shows the change, whatever other submissions made of the form meanwhile.
        let mut shown = match locked {
            Some(flow) => flow,
            None => storage::flows::lock(&mut tx, flow.id).await?.ok_or(SubmitError::FlowNotFound)?,
        };
        shown.active = flow.active;
        shown.submitted_method = flow.submitted_method;
        shown.ui.clear_messages();
        shown.state = FlowState::Success;
        self.settings_form(cx, &mut shown, &identity)?;
        shown.ui.messages.push(messages::saved());
        let oauth2 = if continues_login(shown.method()) { shown.details.oauth2.take() } else { None };
        storage::flows::update(&mut tx, &mut shown).await?;
        let mut happened: Vec<Event<'_>> = session.map(|it| Event::SessionChanged(it.into())).into_iter().collect();
        happened.push(Event::IdentityUpdated((&identity).into()));
        happened.push(Event::of_flow(flow, FlowOutcome::Succeeded, identity.id, None));
        jobs::append(&mut tx, cx, &happened).await?;
        tx.commit().await?;
        Ok((shown, identity, oauth2))
    }

    /// Commits the change, and answers.
    async fn settings_changed(
        &self,
        cx: &Context,
        request: Request<'_>,
        flow: &Flow<Settings>,
        changed: Changed,
    ) -> Result<Answer, SubmitError> {
        let Request { browser, current, .. } = request;
        let Changed { change, verification, session } = changed;
        let changed_session = session.as_ref().map(|(session, _)| session);
        let (flow, identity, oauth2) = self.write_change(cx, current, flow, change, changed_session).await?;
        let (session, token) =
            session.as_ref().map_or((&current.session, &current.token), |(session, token)| (session, token));
        let (next, redirect) =
            self.after_settings(cx, request, &flow, (session, &identity), (oauth2, verification.is_some())).await?;
        let mut continue_with: Vec<ContinueWith> = verification.iter().map(BegunVerification::continue_with).collect();
        if next.lists_url {
            continue_with.push(ContinueWith::RedirectBrowserTo { redirect_browser_to: redirect.clone() });
        }
        let mut view = self.settings_view(cx, &flow, (session, &identity), browser);
        if !continue_with.is_empty() {
            view = view.completed(continue_with);
        }
        let redirect = verification.filter(|_| next.verifies_first).map_or(redirect, |begun| begun.url);
        let answer = Answer::new(flow.flow_type, Content::Done { body: Some(Body::Flow(Box::new(view))), redirect });
        if !next.renews_cookie {
            return Ok(answer);
        }
        Ok(answer.with(CookieChange::Session { token: token.clone(), expires_at: session.expires_at }))
    }

    /// The next step of the client after a change.
    async fn after_settings(
        &self,
        cx: &Context,
        request: Request<'_>,
        flow: &Flow<Settings>,
        (session, person): (&Session, &domain::Identity),
        (oauth2, shows_verification): (Option<OAuth2Request>, bool),
    ) -> Result<(Next, String), SubmitError> {
        let wanted = flow.wanted_return_to();
        let default = self.urls.configured_after(FlowKind::Settings, flow.method());
        let mut reached = Reached {
            flow_type: flow.flow_type,
            wants: request.visitor.wants_strictly,
            has_login: oauth2.is_some(),
            is_sufficient: self.session_policy.whoami_required_aal().is_met(session.aal, person.available_aal),
            has_return_url: wanted.is_some(),
            has_default_url: default.is_some(),
            shows_verification,
        };
        let mut accepted = None;
        if let (Target::Login, Some(oauth2)) = (next(&reached).to, &oauth2) {
            accepted = self.go_on_with_login(cx, oauth2, session, person).await?;
            // The login may have ended in the meantime.
            reached.has_login = accepted.is_some();
        }
        let next = next(&reached);
        let url = match (next.to, oauth2, accepted) {
            (Target::SecondFactor, Some(oauth2), _) => self.urls.second_factor_for(&oauth2.challenge),
            (Target::Login, _, Some(accepted)) => accepted,
            (Target::ReturnUrl, _, _) => {
                let wanted = wanted.unwrap_or_default();
                self.urls.returns().check(&wanted)?.to_string()
            }
            _ => default.map_or_else(|| with_flow(self.urls.page(FlowKind::Settings), flow.id), String::from),
        };
        Ok((next, url))
    }

    /// The answer with a changed form.
    fn settings_shown(&self, cx: &Context, flow: &Flow<Settings>, current: &Current, browser: &Browser) -> Answer {
        let view = self.settings_view(cx, flow, (&current.session, &current.identity), browser);
        self.form_as(flow, browser, FormReason::Accepted, view)
    }

    async fn refuse_settings(
        &self,
        cx: &Context,
        mut flow: Flow<Settings>,
        browser: &Browser,
        current: &Current,
        refusal: Refusal,
    ) -> Result<Answer, SubmitError> {
        let reason = self.refuse_with(cx, &mut flow, browser, refusal, Refusal::show_in).await?;
        let view = self.settings_view(cx, &flow, (&current.session, &current.identity), browser);
        Ok(self.form_as(&flow, browser, reason, view))
    }

    async fn renew_settings(
        &self,
        cx: &Context,
        request: Request<'_>,
        expired: &Flow<Settings>,
    ) -> Result<Answer, SubmitError> {
        let Request { visitor, browser, current } = request;
        let mut flow = self.begin_again(cx, visitor, browser, expired, expired.details.clone());
        self.settings_form(cx, &mut flow, &current.identity)?;
        self.replace_expired(cx, visitor, expired, flow).await
    }
}
