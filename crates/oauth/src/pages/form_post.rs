//! An authorization response in a form (OAuth 2.0 Form Post Response Mode). A script submits it; without JavaScript the
//! user presses the button.

use askama::Template;
use axum::response::Response;
use base::Context;
use ui::Page;
use ui::components::{Button, Hidden};

use super::texts::Texts;
use crate::OAuth;

/// The path of the script that submits the form.
pub(crate) const SCRIPT_PATH: &str = "/oauth2/form-post.js";

/// The destination of the response and its parameters.
pub(crate) struct FormPost<'a> {
    pub action: &'a str,
    pub fields: &'a [(&'static str, String)],
}

#[derive(Template)]
#[template(path = "pages/form_post.html")]
pub(super) struct FormPostPage<'a> {
    pub texts: &'static Texts,
    pub action: &'a str,
    pub fields: Vec<Hidden>,
    pub go_on: Button,
    pub script: String,
}

impl FormPost<'_> {
    pub(crate) fn respond(self, oauth: &OAuth, cx: &Context) -> Response {
        let texts = Texts::of(oauth.ui.language(cx.locale));
        let page = FormPostPage {
            texts,
            action: self.action,
            fields: self.fields.iter().map(|(name, value)| Hidden::new(*name, value.as_str())).collect(),
            go_on: Button::submit(texts.go_on),
            script: oauth.config.public_url(SCRIPT_PATH),
        };
        super::render(oauth, cx, Page::titled(texts.form_post_title), &page)
    }
}
