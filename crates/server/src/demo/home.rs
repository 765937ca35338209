//! The page of a person who is signed in: what the application knows, the API, the documents.

use askama::Template;
use serde_json::{Value, json};
use ui::components::{Alert, Button, ButtonKind, Field};
use ui::{Around, Language, MessageKind, OutsideText, Strings};

use super::documents::Member;
use super::texts::Texts;
use super::visits::{ApiAnswer, Opened, Outcome, Refusal, Resume};

/// The names of the fields. Those of the addresses are also the ids of their inputs.
pub(super) const READER: &str = "reader";
pub(super) const OWNER: &str = "owner";
pub(super) const MEMBER: &str = "member";
/// The ids of sections.
pub(super) const API: &str = "api";
pub(super) const DOCUMENT: &str = "document";
/// The id of the notice about the document.
pub(super) const NOTICE: &str = "notice";

#[derive(Template)]
#[template(path = "demo/home.html")]
pub(super) struct HomePage {
    texts: &'static Texts,
    strings: &'static Strings,
    /// The name of the person, and the greeting around it.
    name: Option<(Around, OutsideText)>,
    /// Name and value of each claim, in the token's order.
    claims: Vec<(String, String)>,
    call_api: Button,
    answer: Option<ApiAnswer>,
    /// About the last change of the document.
    notice: Option<Alert>,
    members: Vec<MemberRow>,
    reader: Field,
    share: Button,
    opened: Option<Opened>,
    owner: Field,
    open: Button,
    account_url: String,
    sign_out: Button,
}

/// Somebody who may do something with the document, and why.
struct MemberRow {
    name: String,
    permissions: &'static str,
    because: String,
    /// None for the owner.
    revoke: Option<Button>,
}

impl HomePage {
    /// `members` is `None` when the permission service failed.
    pub(super) fn new(language: Language, claims: &Value, members: Option<Vec<Member>>, account_url: String) -> Self {
        let (texts, strings) = (Texts::of(language), Strings::of(language));
        let name = display_name(claims).and_then(|name| OutsideText::new(name, OutsideText::ADDRESS));
        let secondary = |label| Button::submit(label).of_kind(ButtonKind::Secondary);
        Self {
            texts,
            strings,
            name: name.map(|name| (texts.hello_name.around(), name)),
            claims: lines(claims),
            call_api: Button::submit(texts.call_api),
            answer: None,
            notice: members.is_none().then(|| Alert::new(MessageKind::Error, texts.api_failed)),
            members: members
                .into_iter()
                .flatten()
                .zip(1..)
                .map(|(member, number)| row(texts, number, member))
                .collect(),
            reader: email_field(READER, texts.reader),
            share: secondary(texts.share),
            opened: None,
            owner: email_field(OWNER, texts.owner),
            open: secondary(texts.open),
            account_url,
            sign_out: secondary(texts.sign_out),
        }
    }

    /// The title of the window. It begins with the word for an error if there is one, because screen readers read it first.
    pub(super) fn title(&self) -> String {
        let is_refused = self.notice.as_ref().is_some_and(|notice| notice.kind == MessageKind::Error)
            || [&self.reader, &self.owner].into_iter().any(|field| field.problem.is_some());
        let title = self.texts.hello;
        if is_refused { format!("{} {title}", self.strings.error_prefix) } else { title.to_owned() }
    }

    /// Adds the outcome of a form to the page.
    pub(super) fn show(&mut self, outcome: Outcome) {
        let texts = self.texts;
        let notice = match outcome {
            Outcome::Called(answer) => {
                self.answer = Some(answer);
                return;
            }
            Outcome::Opened { owner, opened } => {
                self.owner.value = owner;
                self.opened = Some(opened);
                return;
            }
            Outcome::Resumed(Resume { place, typed }) => {
                if let Some(field) = self.field(place) {
                    field.value = typed;
                }
                return;
            }
            Outcome::Refused { field, typed, refusal } => {
                let prefix = self.strings.error_prefix;
                if let Some(field) = self.field(field) {
                    field.value = typed;
                    field.problem_prefix = prefix;
                    field.problem = Some(refusal.text(texts).to_owned());
                }
                return;
            }
            Outcome::Shared { reader } => Alert::new(MessageKind::Success, texts.shared(reader)),
            Outcome::Revoked { reader } => Alert::new(MessageKind::Success, texts.revoked(reader)),
            Outcome::NotRevoked => Alert::new(MessageKind::Error, texts.api_failed),
        };
        self.notice.get_or_insert(notice);
    }

    fn field(&mut self, name: &str) -> Option<&mut Field> {
        [&mut self.reader, &mut self.owner].into_iter().find(|field| field.name == name)
    }
}

impl Refusal {
    fn text(&self, texts: &Texts) -> &'static str {
        match self {
            Self::Empty => texts.no_address,
            Self::Nobody => texts.nobody,
            Self::Own => texts.own_document,
            Self::Failed => texts.api_failed,
        }
    }
}

fn row(texts: &Texts, number: usize, member: Member) -> MemberRow {
    let revoke = || {
        let button = Button::submit(texts.revoke).sending(MEMBER, json!(member.subject).to_string());
        button.of_kind(ButtonKind::Danger).about(format!("member-{number}")).small()
    };
    MemberRow {
        revoke: (!member.is_owner).then(revoke),
        name: member.name,
        permissions: member.permissions,
        because: member.because,
    }
}

fn email_field(name: &str, label: &str) -> Field {
    Field {
        id: name.to_owned(),
        name: name.to_owned(),
        kind: "email".to_owned(),
        label: label.to_owned(),
        autocomplete: Some("off".to_owned()),
        required: true,
        ..Field::default()
    }
}

/// The claims as lines of text: strings as they are, other values as JSON.
fn lines(claims: &Value) -> Vec<(String, String)> {
    let members = claims.as_object().into_iter().flatten();
    members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}

/// The name to show for the user: the first of these claims that exists.
fn display_name(claims: &Value) -> Option<&str> {
    ["name", "given_name", "preferred_username", "email"]
        .into_iter()
        .find_map(|claim| claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty()))
}
