//! The local mailbox: messages that are stored instead of sent, for development. It is served on the admin listener, because
//! a message contains the code that signs in its recipient.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use base::Context;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use serde_json::json;
use ui::{Localizer, Moment, Page, PageLink, Strings, Width};
use web::Cx;
use web::paging::{Listing, PageQuery};

use super::error::ErrorPage;
use crate::Identity;
use crate::domain::message_queue::{Message, MessageId};
use crate::storage::messages::ListKey;

const LISTING: Listing<ListKey> = Listing::new("identity mailbox", 25, 100);

/// The permissions of the HTML part on this page: text, its own styles and images.
const HTML_PART_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; frame-ancestors 'self'; sandbox";

#[derive(Template)]
#[template(path = "pages/mailbox.html")]
pub(super) struct MailboxPage {
    pub strings: &'static Strings,
    pub mails: Vec<MailLine>,
    pub older: Option<PageLink>,
}

pub(super) struct MailLine {
    pub href: String,
    pub subject: String,
    pub recipient: String,
    pub at: Moment,
}

#[derive(Template)]
#[template(path = "pages/mail.html")]
pub(super) struct MailPage {
    pub strings: &'static Strings,
    pub subject: String,
    pub recipient: String,
    pub template: String,
    pub status: String,
    pub at: Moment,
    pub parts: Vec<MailPart>,
    /// The URL of the HTML part, if there is one.
    pub html: Option<String>,
    pub back: PageLink,
}

/// A segment of a message's text: plain text, or a URL.
pub(super) enum MailPart {
    Text(String),
    Address(String),
}

/// Splits a plain text at its URLs, so that the page can link them. Only `http` and `https` URLs are linked.
pub(super) fn parts(body: &str) -> Vec<MailPart> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (texts, from_address) = rest.split_at(start);
        let end = from_address
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')'))
            .unwrap_or(from_address.len());
        // A full stop or comma after a URL belongs to the sentence.
        let address = from_address[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
        if !texts.is_empty() {
            parts.push(MailPart::Text(texts.to_owned()));
        }
        parts.push(MailPart::Address(address.to_owned()));
        rest = &from_address[address.len()..];
    }
    if !rest.is_empty() {
        parts.push(MailPart::Text(rest.to_owned()));
    }
    parts
}

pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    Cx(cx): Cx,
    Query(query): Query<PageQuery>,
) -> Response {
    if identity.sends_mail() {
        return identity.no_mailbox(&cx);
    }
    let request = match LISTING.request(&identity.sealer, cx.tenant, &query) {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let page = match identity.list_messages(&cx, None, None, &request).await {
        Ok(page) => page,
        Err(error) => return identity.refuse(&cx, error, true).await,
    };
    let texts = identity.ui.localizer(cx.locale);
    let strings = texts.strings();
    let older = page.next.map(|key| {
        let token = LISTING.token.seal(&identity.sealer, cx.tenant, key, cx.now);
        PageLink::new(strings.older, format!("mailbox?page_token={token}"))
    });
    let mails = page.items.into_iter().map(|message| MailLine::new(message, texts)).collect();
    identity.admin_page(&cx, Page::titled(strings.mailbox), &MailboxPage { strings, mails, older })
}

pub(super) async fn show(State(identity): State<Arc<Identity>>, Cx(cx): Cx, Path(id): Path<String>) -> Response {
    let message = match identity.caught_message(&cx, &id).await {
        Ok(message) => message,
        Err(refusal) => return refusal,
    };
    let texts = identity.ui.localizer(cx.locale);
    let strings = texts.strings();
    let page = MailPage {
        strings,
        subject: subject(&message, strings),
        template: message.template_type.as_str().to_owned(),
        status: message.status.as_str().to_owned(),
        at: Moment::new(message.created_at, texts.language()),
        parts: parts(message.content.body.trim_end()),
        html: message.content.html_body.is_some().then(|| format!("{}/html", message.id)),
        recipient: message.recipient,
        back: PageLink::new(strings.back, "../mailbox"),
    };
    let mut response = identity.admin_page(&cx, Page::titled(strings.mailbox), &page);
    allow_own_frame(&mut response);
    response
}

/// The HTML part as the recipient sees it. It may come from an operator's template, so it is not trusted: it cannot run
/// scripts or submit forms, and has no origin.
pub(super) async fn show_html(State(identity): State<Arc<Identity>>, Cx(cx): Cx, Path(id): Path<String>) -> Response {
    let message = match identity.caught_message(&cx, &id).await {
        Ok(message) => message,
        Err(refusal) => return refusal,
    };
    let Some(html) = message.content.html_body else { return identity.no_mailbox(&cx) };
    let headers = [
        (CONTENT_SECURITY_POLICY, HTML_PART_POLICY),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(html)).into_response()
}

/// The page of a message shows its HTML part in a frame of the same origin.
fn allow_own_frame(response: &mut Response) {
    let Some(policy) = response.headers().get(CONTENT_SECURITY_POLICY).and_then(|it| it.to_str().ok()) else { return };
    if let Ok(policy) = HeaderValue::try_from(format!("{policy}; frame-src 'self'")) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
}

impl MailLine {
    /// Links are relative, because the admin listener may be reached with or without its prefix.
    fn new(message: Message, texts: Localizer<'_>) -> Self {
        Self {
            href: format!("mailbox/{}", message.id),
            subject: subject(&message, texts.strings()),
            at: Moment::new(message.created_at, texts.language()),
            recipient: message.recipient,
        }
    }
}

fn subject(message: &Message, strings: &Strings) -> String {
    let subject = message.content.subject.trim();
    if subject.is_empty() { strings.mail_no_subject.to_owned() } else { subject.to_owned() }
}

impl Identity {
    /// With a mail server, messages are sent and the mailbox answers 404.
    fn sends_mail(&self) -> bool {
        self.courier.sends_mail()
    }

    /// A message of the mailbox, or the 404 response.
    async fn caught_message(&self, cx: &Context, id: &str) -> Result<Message, Response> {
        let id = match id.parse::<MessageId>() {
            Ok(id) if !self.sends_mail() => id,
            Ok(_) | Err(_) => return Err(self.no_mailbox(cx)),
        };
        match self.get_message(cx, id).await {
            Ok(Some((message, _))) => Ok(message),
            Ok(None) => Err(self.no_mailbox(cx)),
            Err(error) => Err(self.refuse(cx, error, true).await),
        }
    }

    fn admin_page(&self, cx: &Context, page: Page<'_>, body: &impl Template) -> Response {
        let page = Page { width: Width::Wide, ..page };
        self.ui.under("").respond(cx.locale, page, body).into_response()
    }

    fn no_mailbox(&self, cx: &Context) -> Response {
        let strings = self.ui.localizer(cx.locale).strings();
        let error = json!({ "code": 404 });
        let page = ErrorPage::new(&error, strings, PageLink::new(strings.to_start, self.own_page("welcome")));
        self.admin_page(cx, Page { status: page.status(), ..Page::titled(strings.error) }, &page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_in_a_text_become_links() {
        let written: Vec<_> = parts("See https://a.example/x?y=1. Or (http://b.example/), bye")
            .into_iter()
            .map(|part| match part {
                MailPart::Text(texts) => texts,
                MailPart::Address(address) => format!("<{address}>"),
            })
            .collect();
        assert_eq!(written, ["See ", "<https://a.example/x?y=1>", ". Or (", "<http://b.example/>", "), bye"]);
    }
}
