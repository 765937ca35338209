//! Arranges the nodes of a flow into forms.
//!
//! Invariants:
//! - Enter presses the primary button: other sign-in methods are in separate forms, or after it.
//! - No button is blocked by a field that it does not need.
//! - Hidden values of the flow (the CSRF token, values of an earlier step) are part of every form.
//! - A problem is shown at its field; a problem of a hidden value is shown above the form.

mod item;
pub(crate) mod methods;

use askama::Template;

pub use item::Item;

use crate::components::{Alert, Button, ButtonKind, Field, Hidden, component};
use crate::nodes::{Attributes, Container, Input, Node};
use crate::{CodeContext, FlowContext, Localizer, MessageKind, OutsideText, PageLink};

/// The five self-service flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowKind {
    Login,
    Registration,
    Recovery,
    Verification,
    Settings,
}

/// One form of a page; in the settings it is a section with a heading.
#[derive(Clone, Debug, Template)]
#[template(path = "form/form.html")]
pub struct Form {
    /// The group of the form's nodes, or `main`.
    pub id: String,
    pub action: String,
    pub method: String,
    pub heading: Option<(&'static str, Option<&'static str>)>,
    /// The word between this form and the one before it, such as `or`.
    pub divider: Option<&'static str>,
    pub hidden: Vec<Hidden>,
    /// The account of the password, when no visible field contains it: password managers store the password under it.
    pub username: Option<String>,
    pub items: Vec<Item>,
    pub actions: Vec<Button>,
}

component! { Form }

impl Form {
    /// Whether a field has the name of this method: `password`, `code`.
    fn asks_for(&self, method: &str) -> bool {
        self.items.iter().any(|item| item.name() == Some(method))
    }
}

/// The content of the page of a flow.
#[derive(Clone, Debug, Default)]
pub struct Arranged {
    pub alerts: Vec<Alert>,
    pub forms: Vec<Form>,
    /// Scripts of the browser's credential ceremonies, with their integrity.
    pub scripts: Vec<(String, String)>,
    pub has_triggers: bool,
    /// Whether there are fields that a script enhances.
    pub has_aids: bool,
}

impl Arranged {
    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.forms.iter().flat_map(|form| &form.items).filter_map(Item::as_field)
    }

    /// Whether a problem is shown above the forms.
    fn has_alert(&self) -> bool {
        self.alerts.iter().any(|alert| alert.kind == MessageKind::Error)
    }

    /// Whether the page shows a problem.
    pub(crate) fn has_problem(&self) -> bool {
        self.has_alert() || self.forms.iter().flat_map(|form| &form.items).any(Item::has_problem)
    }

    /// Whether one of the fields has a link beside it.
    pub(crate) fn has_link_beside(&self) -> bool {
        self.fields().any(|field| field.beside.is_some())
    }
}

/// Groups whose nodes every form of the flow needs.
const COMMON: [&str; 2] = ["default", "identifier_first"];

/// Sorts the nodes of a flow into forms, in the language of the reader.
pub fn arrange(kind: FlowKind, container: &Container, words: Localizer<'_>, context: &FlowContext) -> Arranged {
    let mut arranged = Arranged {
        alerts: container.messages.iter().map(|it| Alert::new(it.kind, words.text(it, None))).collect(),
        ..Arranged::default()
    };
    if kind == FlowKind::Settings && methods::lacks_backup_codes(container) {
        let strings = words.strings();
        let link = PageLink::new(strings.create_backup_codes, format!("#{}", methods::BACKUP_CODES));
        arranged.alerts.push(Alert::new(MessageKind::Info, strings.no_backup_codes).linking(link));
    }
    let layout = Layout::of(kind, container);
    let mut common = Vec::new();
    for node in &container.nodes {
        let bucket = layout.bucket(node);
        match &node.attributes {
            Attributes::Script { src, integrity } => arranged.scripts.push((src.clone(), integrity.clone())),
            Attributes::Div {} => {}
            Attributes::Input(input) if input.kind == "hidden" => {
                let hidden = Hidden {
                    name: input.name.clone(),
                    value: input.value_text(),
                    on_load: input.onload_trigger.clone(),
                };
                arranged.has_triggers |= hidden.on_load.is_some();
                arranged.alerts.extend(unseen_problems(node, words));
                if COMMON.contains(&node.group.as_str()) {
                    common.push(hidden);
                } else {
                    form(&mut arranged.forms, bucket, container).hidden.push(hidden);
                }
            }
            Attributes::Input(input) if is_button(input) => {
                arranged.has_triggers |= input.onclick_trigger.is_some();
                arranged.alerts.extend(unseen_problems(node, words));
                let button = button(node, input, words, context);
                form(&mut arranged.forms, bucket, container).actions.push(button);
            }
            Attributes::Input(_) | Attributes::Text { .. } | Attributes::Img { .. } | Attributes::A { .. } => {
                if let Some(item) = Item::from_node(kind, bucket, node, words, context) {
                    form(&mut arranged.forms, bucket, container).items.push(item);
                }
            }
        }
    }
    arranged.forms.retain(|form| !form.items.is_empty() || !form.actions.is_empty());
    arranged.forms.sort_by_key(|form| rank(kind, form));
    let username = username(container);
    for (index, form) in arranged.forms.iter_mut().enumerate() {
        if form.asks_for("password") && !form.items.iter().any(Item::names_a_person) {
            form.username.clone_from(&username);
        }
        finish(kind, index, form, &common, words);
    }
    match &context.code {
        Some(code) => show_recipient(code, &mut arranged, words),
        None => show_account(kind, username, &mut arranged.forms, context, words),
    }
    let has_alert = arranged.has_alert();
    focus_first(kind, &mut arranged.forms, has_alert, methods::field_of_alert(container));
    let has_waits = || arranged.forms.iter().flat_map(|form| &form.actions).any(|button| button.wait_seconds > 0);
    let has_codes = || arranged.forms.iter().flat_map(|form| &form.items).any(Item::shows_codes);
    arranged.has_aids = arranged.fields().any(|field| field.reveal.is_some()) || has_waits() || has_codes();
    arranged
}

/// How the nodes of a flow are divided into forms.
struct Layout {
    kind: FlowKind,
    /// A visible field of the flow itself (an identifier, traits) is shared by several methods: one form for all.
    shares_fields: bool,
    /// Providers have a separate form, unless they are the only method and need the fields.
    parts_providers: bool,
}

impl Layout {
    fn of(kind: FlowKind, container: &Container) -> Self {
        let inputs = || {
            container.nodes.iter().filter_map(|node| match &node.attributes {
                Attributes::Input(input) => Some((node.group.as_str(), input)),
                Attributes::Text { .. }
                | Attributes::Img { .. }
                | Attributes::A { .. }
                | Attributes::Script { .. }
                | Attributes::Div {} => None,
            })
        };
        Self {
            kind,
            shares_fields: inputs()
                .any(|(group, input)| COMMON.contains(&group) && !is_button(input) && input.kind != "hidden"),
            parts_providers: inputs().any(|(group, input)| is_button(input) && !is_provider_group(group)),
        }
    }

    fn bucket<'n>(&self, node: &'n Node) -> &'n str {
        match self.kind {
            FlowKind::Settings => &node.group,
            FlowKind::Recovery | FlowKind::Verification => "main",
            FlowKind::Login | FlowKind::Registration => match node.group.as_str() {
                "oidc" | "saml" if self.parts_providers || !self.shares_fields => "oidc",
                group if COMMON.contains(&group) || self.shares_fields => "main",
                group => group,
            },
        }
    }
}

fn is_provider_group(group: &str) -> bool {
    matches!(group, "oidc" | "saml")
}

fn is_button(input: &Input) -> bool {
    matches!(input.kind.as_str(), "submit" | "button")
}

fn form<'f>(forms: &'f mut Vec<Form>, id: &str, container: &Container) -> &'f mut Form {
    let index = forms.iter().position(|form| form.id == id).unwrap_or_else(|| {
        forms.push(Form {
            id: id.to_owned(),
            action: container.action.clone(),
            method: container.method.to_ascii_lowercase(),
            heading: None,
            divider: None,
            hidden: Vec::new(),
            username: None,
            items: Vec::new(),
            actions: Vec::new(),
        });
        forms.len() - 1
    });
    &mut forms[index]
}

/// The name that the person signs in with, if the flow has it.
fn username(container: &Container) -> Option<String> {
    let value = |wanted: &str| {
        container.nodes.iter().find_map(|node| match &node.attributes {
            Attributes::Input(input) if input.name == wanted => {
                Some(input.value_text()).filter(|text| !text.is_empty())
            }
            Attributes::Input(_)
            | Attributes::Text { .. }
            | Attributes::Img { .. }
            | Attributes::A { .. }
            | Attributes::Script { .. }
            | Attributes::Div {} => None,
        })
    };
    ["identifier", "traits.username", "traits.email", "traits.phone"].into_iter().find_map(value)
}

/// The problems of a hidden node, which are shown above the forms.
fn unseen_problems(node: &Node, words: Localizer<'_>) -> Vec<Alert> {
    node.messages
        .iter()
        .filter(|message| message.kind == MessageKind::Error)
        .map(|message| {
            let text = words.text(message, None);
            match &node.meta.label {
                Some(label) => Alert::new(message.kind, format!("{}: {text}", words.text(label, None))),
                None => Alert::new(message.kind, text),
            }
        })
        .collect()
}

fn button(node: &Node, input: &Input, words: Localizer<'_>, context: &FlowContext) -> Button {
    let label = match &node.meta.label {
        Some(label) => words.text(label, Some(&input.name)),
        None => words.strings().continue_.to_owned(),
    };
    Button {
        disabled: input.disabled,
        trigger: input.onclick_trigger.clone(),
        wait_seconds: context
            .code
            .as_ref()
            .map_or(0, |code| if methods::sends_again(&input.name) { code.resend_wait } else { 0 }),
        confirmation: methods::confirmation(&input.name, words),
        ..Button::submit(label).sending(&input.name, input.value_text()).of_kind(methods::button_kind(&input.name))
    }
}

/// Forms with a field to fill in come first, so that Enter and the focus belong to them; then buttons, then providers, and a
/// way back last. Backup codes follow the method that they replace. The flow's order decides the rest.
fn rank(kind: FlowKind, form: &Form) -> u8 {
    let only_steps_aside = form.items.is_empty() && form.actions.iter().all(|it| it.kind == ButtonKind::Quiet);
    match kind {
        FlowKind::Settings => u8::from(methods::replaces_another(&form.id)),
        _ if only_steps_aside => 3,
        _ if methods::is_elsewhere(&form.id) => 2,
        _ => u8::from(form.items.is_empty()),
    }
}

fn finish(kind: FlowKind, index: usize, form: &mut Form, common: &[Hidden], words: Localizer<'_>) {
    form.hidden.splice(0..0, common.iter().cloned());
    let offers_a_way = form.actions.iter().any(|button| button.kind != ButtonKind::Quiet) || !form.items.is_empty();
    let may_be_primary = kind == FlowKind::Settings || index == 0;
    let primary = primary_button(form);
    for (position, button) in form.actions.iter_mut().enumerate() {
        let is_primary = Some(position) == primary;
        if button.kind == ButtonKind::Primary && !(is_primary && may_be_primary) {
            button.kind = ButtonKind::Secondary;
        }
        // Required fields apply to their own button; the other buttons must not be blocked by them.
        button.skips_validation = !is_primary && button.trigger.is_none() && !form.items.is_empty();
    }
    if let Some(primary) = primary {
        form.actions[..=primary].rotate_right(1);
    }
    // Secondary actions come last, so that Enter never presses one.
    form.actions.sort_by_key(|button| button.kind == ButtonKind::Quiet);
    if kind == FlowKind::Settings {
        form.heading = Some(methods::heading(&form.id, words));
    } else if index > 0 && offers_a_way {
        form.divider = Some(words.strings().or);
    }
}

/// The button that Enter presses: the one whose method has a field of its own to fill in, else the first that submits.
fn primary_button(form: &Form) -> Option<usize> {
    let candidates =
        || form.actions.iter().enumerate().filter(|(_, it)| it.kind == ButtonKind::Primary && it.trigger.is_none());
    let fills_in = |button: &Button| button.name.as_deref() == Some("method") && form.asks_for(&button.value);
    candidates().find(|(_, it)| fills_in(it)).or_else(|| candidates().next()).map(|(position, _)| position)
}

/// Shows above the field of a code where the code was sent, with a link to correct the address.
fn show_recipient(code: &CodeContext, arranged: &mut Arranged, words: Localizer<'_>) {
    let Some(address) = code.sent_to.clone() else { return };
    let is_named = arranged.alerts.iter().any(|alert| alert.text.contains(address.as_str()));
    let address = (!is_named).then_some(address);
    if address.is_none() && code.wrong_address.is_none() {
        return;
    }
    for form in &mut arranged.forms {
        if let Some(at) = form.items.iter().position(|item| item.name() == Some("code")) {
            let href = code.wrong_address.as_ref();
            let change = href.map(|href| PageLink::new(words.strings().wrong_address, href.clone()));
            form.items.insert(at, Item::Recipient { label: words.strings().code_sent_to, address, change });
            return;
        }
    }
}

/// Shows the account above the fields when an earlier step asked for it, with a link to use another one.
fn show_account(
    kind: FlowKind,
    username: Option<String>,
    forms: &mut [Form],
    context: &FlowContext,
    words: Localizer<'_>,
) {
    let is_asked = forms.iter().flat_map(|form| &form.items).any(Item::names_a_person);
    let address = username.and_then(|name| OutsideText::new(&name, OutsideText::ADDRESS));
    let (FlowKind::Login | FlowKind::Registration, false, Some(address), Some(form)) =
        (kind, is_asked, address, forms.first_mut())
    else {
        return;
    };
    let href = context.another_account.as_ref();
    let change = href.map(|href| PageLink::new(words.strings().use_another_account, href.clone()));
    form.items.insert(0, Item::Recipient { label: words.strings().account, address: Some(address), change });
}

/// The focus is on the first problem; else on codes that the person asked to see; else, on pages with one purpose, on the first
/// empty field.
fn focus_first(kind: FlowKind, forms: &mut [Form], follows_problem: bool, refused: Option<&str>) {
    let fields =
        || forms.iter().enumerate().flat_map(|(at, form)| form.items.iter().enumerate().map(move |it| (at, it)));
    let problem = fields().find(|(_, (_, item))| item.has_problem());
    let starts_with_field = !matches!(kind, FlowKind::Settings | FlowKind::Registration);
    let chosen = problem
        .or_else(|| fields().find(|(_, (_, item))| item.shows_codes()))
        .or_else(|| fields().find(|(_, (_, item))| refused.is_some() && item.name() == refused))
        .or_else(|| fields().find(|(at, (_, item))| starts_with_field && *at == 0 && item.is_empty_field()))
        .map(|(form, (item, _))| (form, item));
    if let Some((form, item)) = chosen {
        forms[form].items[item].take_focus(follows_problem);
    }
}

#[cfg(test)]
mod tests;
