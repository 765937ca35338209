//! `/admin/oauth2/auth/sessions`: consents and remembered logins.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use web::paging::{Listing, PageQuery};
use web::{Cx, Json};

use super::admin_error::AdminError;
use super::documents;
use super::listing::{listing_links, listing_url};
use crate::OAuth;
use crate::domain::client::ClientId;
use crate::domain::grant::GrantId;
use crate::domain::login_session::LoginSessionId;
use crate::operations::consent_sessions::RevokeConsents;
use crate::operations::end_login_session::EndLoginSessions;
use crate::storage::consents::ConsentKey;

const LISTING: Listing<ConsentKey> = Listing::new("page of oauth consents", 100, 500);

#[derive(Debug, Deserialize)]
pub(super) struct ConsentFilter {
    subject: Option<String>,
    login_session_id: Option<String>,
}

pub(super) async fn list_consents(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(filter): Query<ConsentFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, AdminError> {
    let subject = required(filter.subject.as_deref(), "subject")?;
    let session = match given(filter.login_session_id.as_deref()).map(str::parse) {
        Some(Ok(id)) => Some(LoginSessionId::from_uuid(id)),
        // A login session with another type of id does not exist, so it has no consents.
        Some(Err(_)) => return Ok(Json(Vec::<Value>::new()).into_response()),
        None => None,
    };
    let request = LISTING.request(&oauth.sealer, cx.tenant, &page)?;
    let found = oauth.list_consents(&cx, subject, session, &request).await?;
    let session_text = session.map(|session| session.to_string());
    let pairs = [("subject", Some(subject)), ("login_session_id", session_text.as_deref())];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let base = listing_url(&oauth, "/admin/oauth2/auth/sessions/consent", pairs)?;
    let (records, links) = LISTING.links(&oauth.sealer, &cx, &base, request.size, found);
    let documents: Vec<Value> = records.into_iter().map(documents::consent_session).collect();
    Ok(([(header::LINK, listing_links(&oauth, links))], Json(documents)).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct ConsentSelection {
    subject: Option<String>,
    client: Option<String>,
    consent_request_id: Option<String>,
    all: Option<String>,
}

pub(super) async fn revoke_consents(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(selection): Query<ConsentSelection>,
) -> Result<StatusCode, AdminError> {
    let all = match given(selection.all.as_deref()) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(AdminError::invalid_request("all: must be true or false")),
    };
    let id = given(selection.consent_request_id.as_deref());
    let which = match (id, given(selection.subject.as_deref()), given(selection.client.as_deref()), all) {
        (Some(id), None, None, false) => RevokeConsents::One(GrantId::from_uuid(uuid(id, "consent_request_id")?)),
        (None, Some(subject), None, true) => RevokeConsents::OfSubject(subject.to_owned()),
        (None, Some(subject), Some(client), false) => {
            let client =
                ClientId::parse(client).map_err(|error| AdminError::invalid_request(format!("client: {error}")))?;
            RevokeConsents::OfSubjectAndClient(subject.to_owned(), client)
        }
        _ => {
            let hint = "set consent_request_id alone, or subject with client, or subject with all=true";
            return Err(AdminError::invalid_request(hint));
        }
    };
    oauth.revoke_consents(&cx, &which).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
pub(super) struct SessionSelection {
    subject: Option<String>,
    sid: Option<String>,
}

pub(super) async fn end_login_sessions(
    State(oauth): State<Arc<OAuth>>,
    Cx(cx): Cx,
    Query(selection): Query<SessionSelection>,
) -> Result<StatusCode, AdminError> {
    let whose = match (given(selection.sid.as_deref()), given(selection.subject.as_deref())) {
        // An invalid id identifies no session, and a session that does not exist is already ended.
        (Some(sid), _) => match sid.parse() {
            Ok(id) => EndLoginSessions::Session(LoginSessionId::from_uuid(id)),
            Err(_) => return Ok(StatusCode::NO_CONTENT),
        },
        (None, Some(subject)) => EndLoginSessions::Subject(subject.to_owned()),
        (None, None) => return Err(AdminError::invalid_request("set sid or subject")),
    };
    oauth.end_login_sessions(&cx, &whose).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn required<'a>(text: Option<&'a str>, name: &str) -> Result<&'a str, AdminError> {
    given(text).ok_or_else(|| AdminError::invalid_request(format!("{name}: the query parameter is required")))
}

fn uuid(text: &str, name: &str) -> Result<Uuid, AdminError> {
    text.parse().map_err(|_| AdminError::invalid_request(format!("{name}: is not a valid id")))
}
