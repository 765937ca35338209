//! The end of a verification: the address is marked, and what waited for it goes on.

use base::Context;

use crate::Identity;
use crate::domain::client_kind::Wants;
use crate::domain::code::Code;
use crate::domain::flow::{Flow, FlowKind, FlowState, Verification};
use crate::domain::message::{Message, verification as messages};
use crate::domain::ui_node::Group;
use crate::domain::{self, CredentialType, Via};
use crate::flows::answer::FormReason;
use crate::flows::answer::{Answer, Content, CookieChange};
use crate::flows::bind;
use crate::flows::error::FlowError;
use crate::flows::events;
use crate::flows::registration::pending::Admitted;
use crate::flows::visitor::{Browser, Visitor};
use crate::methods::code::nodes as code_nodes;
use crate::storage;

impl Identity {
    /// Marks the address verified; `None` when code or address are gone meanwhile.
    pub(super) async fn pass_verification(
        &self,
        cx: &Context,
        visitor: &Visitor,
        flow: &Flow<Verification>,
        code: &Code,
        browser: &Browser,
    ) -> Result<Option<Answer>, FlowError> {
        let current = self.current(cx, visitor).await?;
        let mut tx = self.database.write(cx.tenant).await?;
        // Other submissions may have changed the form since the flow was read; only its end is final.
        let stored = storage::flows::lock::<Verification>(&mut tx, flow.id).await?;
        let Some(mut flow) = stored.filter(|flow| !flow.state.is_final()) else { return Ok(None) };
        if code.purpose.is_link() {
            super::continue_in(&mut flow, browser);
        }
        if !storage::codes::redeem(&mut tx, code.id, cx.now).await? {
            return Ok(None);
        }
        let admitted = self.admit(&mut tx, cx, visitor, &flow, code).await?;
        let owner = match &admitted {
            Some(Admitted { identity, .. }) => identity.id,
            None if flow.details.registrant.is_some() => return Ok(None),
            None => {
                let found = storage::identities::find_verifiable(&mut tx, code.via, &code.address).await?;
                let Some((address, owner)) = found.filter(|(_, owner)| Some(*owner) == code.identity_id) else {
                    return Ok(None);
                };
                if !storage::identities::mark_verified(&mut tx, address.id, cx.now).await? {
                    return Ok(None);
                }
                if !address.verified && self.session_policy.revokes_active_sessions() {
                    let own = current.filter(|current| current.session.identity_id == owner);
                    let kept = own.map(|current| current.session.id).or(flow.details.session_id);
                    self.sessions.end_all(&mut tx, cx, owner, kept).await?;
                }
                owner
            }
        };
        let waiting = match (&flow.details.oauth2, flow.details.session_id) {
            _ if admitted.is_some() => None,
            (Some(oauth2), Some(session)) => {
                let session = storage::sessions::find(&mut tx, session).await?;
                let session = session.filter(|session| session.identity_id == owner && session.is_alive(cx.now));
                let person = storage::identities::find(&mut tx, owner).await?.filter(domain::Identity::is_active);
                Some((oauth2.clone(), session.zip(person)))
            }
            (Some(_), None) => return Err(FlowError::NoSessionForFlow),
            (None, _) => None,
        };
        let success = match code.via {
            Via::Email => messages::email_verified(),
            Via::Sms => messages::phone_verified(),
        };
        let continue_url = self.after_verification_url(&flow);
        flow.state = FlowState::PassedChallenge;
        show_passed(&mut flow, &continue_url, success.clone());
        storage::flows::update(&mut tx, &mut flow).await?;
        events::append_success(&mut tx, cx, &flow, owner).await?;
        tx.commit().await?;

        if let Some(Admitted { identity, session: Some((session, token)), new_device }) = admitted {
            let url = match &flow.details.oauth2 {
                Some(oauth2) => self.accept_login(cx, oauth2, &session, &identity).await?,
                None => continue_url,
            };
            let cookie = CookieChange::Session { token, expires_at: session.expires_at };
            return Ok(Some(self.passed_on(visitor, flow, browser, url, success).with(cookie).with_device(new_device)));
        }
        let Some((oauth2, session)) = waiting else {
            let done = if code.purpose.is_link() {
                Answer::redirect(self.page_of(&flow))
            } else {
                self.form(&flow, browser, FormReason::Accepted)
            };
            return Ok(Some(done));
        };
        let (session, person) = session.ok_or(FlowError::NoSessionForFlow)?;
        let url = self.accept_login(cx, &oauth2, &session, &person).await?;
        Ok(Some(self.passed_on(visitor, flow, browser, url, success)))
    }

    /// Sends the browser on, or tells a program where to.
    fn passed_on(
        &self,
        visitor: &Visitor,
        mut flow: Flow<Verification>,
        browser: &Browser,
        url: String,
        success: Message,
    ) -> Answer {
        if flow.is_browser() && visitor.wants == Wants::Html {
            return Answer::redirect(url);
        }
        show_passed(&mut flow, &url, success);
        let content =
            Content::Form { reason: FormReason::Accepted, flow: Box::new(self.view(&flow, browser)), page: url };
        bind(Answer::new(flow.flow_type, content), &flow, browser)
    }

    /// Where the person goes on: where they wanted, if they may, else where the configuration says.
    fn after_verification_url(&self, flow: &Flow<Verification>) -> String {
        let wanted = flow.wanted_return_to().and_then(|wanted| self.urls.returns().check(&wanted).ok());
        wanted.map_or_else(|| self.urls.after(FlowKind::Verification, None).to_string(), String::from)
    }
}

fn show_passed(flow: &mut Flow<Verification>, continue_url: &str, success: Message) {
    let group = if flow.active == Some(CredentialType::Link) { Group::Link } else { Group::Code };
    code_nodes::verification_passed_form(&mut flow.ui, group, continue_url, success);
}
