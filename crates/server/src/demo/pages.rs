//! The relying party's pages.

use askama::Template;
use serde_json::Value;
use ui::Strings;
use ui::components::{Alert, Button, Field};

use super::documents::Reading;
use super::texts::Texts;

#[derive(Template)]
#[template(path = "demo/welcome.html")]
pub(super) struct WelcomePage {
    pub(super) texts: &'static Texts,
    pub(super) sign_in: Button,
}

#[derive(Template)]
#[template(path = "demo/home.html")]
pub(super) struct HomePage {
    pub(super) texts: &'static Texts,
    pub(super) name: Option<String>,
    /// Name and value of each claim, in the token's order.
    pub(super) claims: Vec<(String, String)>,
    pub(super) call_api: Button,
    pub(super) answer: Option<ApiAnswer>,
    /// About the last change of the document.
    pub(super) notice: Option<Alert>,
    pub(super) members: Vec<MemberRow>,
    pub(super) reader: Field,
    pub(super) share: Button,
    pub(super) opened: Option<Opened>,
    pub(super) owner: Field,
    pub(super) open: Button,
    pub(super) account_url: String,
    pub(super) sign_out: Button,
}

/// The result of a call to the sample API.
#[derive(Debug)]
pub(super) struct ApiAnswer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Somebody who may do something with the document, and why.
pub(super) struct MemberRow {
    pub(super) name: String,
    pub(super) permissions: &'static str,
    pub(super) because: String,
    /// None for the owner.
    pub(super) revoke: Option<Button>,
}

/// The answer of the API to a request for a document, and the explanation of the permission service.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) answer: ApiAnswer,
    pub(super) reading: Reading,
}

#[derive(Template)]
#[template(path = "demo/signed_out.html")]
pub(super) struct SignedOutPage {
    pub(super) texts: &'static Texts,
    pub(super) sign_in: Button,
}

#[derive(Template)]
#[template(path = "demo/failed.html")]
pub(super) struct FailedPage {
    pub(super) texts: &'static Texts,
    pub(super) strings: &'static Strings,
    pub(super) alert: Alert,
    pub(super) again: Button,
}

/// The claims as lines of text: strings as they are, other values as JSON.
pub(super) fn lines(claims: &Value) -> Vec<(String, String)> {
    let members = claims.as_object().into_iter().flatten();
    members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}

/// The name to show for the user: the first of these claims that exists.
pub(super) fn display_name(claims: &Value) -> Option<String> {
    ["name", "given_name", "preferred_username", "email"]
        .into_iter()
        .find_map(|claim| claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty()))
        .map(str::to_owned)
}
