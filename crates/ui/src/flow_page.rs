//! The page of a self-service flow: a heading that says where the person is, messages, forms, and the ways elsewhere.

use askama::Template;

use crate::components::component;
use crate::form::{Arranged, FlowKind, arrange};
use crate::nodes::{Attributes, Container};
use crate::{Localizer, Page, Width};

#[derive(Clone, Debug, Template)]
#[template(path = "flow_page.html")]
pub struct FlowPage {
    pub title: &'static str,
    pub intro: Option<&'static str>,
    pub arranged: Arranged,
    pub links: Vec<PageLink>,
    kind: FlowKind,
}

component! { FlowPage }

/// A way to another page, below the forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLink {
    /// Words before the link, for instance a question that it answers.
    pub question: Option<&'static str>,
    pub label: &'static str,
    pub href: String,
}

impl PageLink {
    pub fn new(label: &'static str, href: impl Into<String>) -> Self {
        Self { question: None, label, href: href.into() }
    }

    #[must_use]
    pub fn asking(mut self, question: &'static str) -> Self {
        self.question = Some(question);
        self
    }
}

impl FlowPage {
    pub fn new(kind: FlowKind, container: &Container, words: Localizer<'_>, links: Vec<PageLink>) -> Self {
        let (title, intro) = title(kind, container, words);
        Self { title, intro, arranged: arrange(kind, container, words), links, kind }
    }

    /// The frame that this page wants.
    pub fn page(&self) -> Page<'static> {
        Page {
            width: if self.kind == FlowKind::Settings { Width::Wide } else { Width::Narrow },
            has_triggers: self.arranged.has_triggers,
            ..Page::titled(self.title)
        }
    }
}

/// What the page is about now: flows change their purpose as they go.
fn title(kind: FlowKind, container: &Container, words: Localizer<'_>) -> (&'static str, Option<&'static str>) {
    let strings = words.strings();
    let says = |id: u64| container.messages.iter().any(|message| message.id == id);
    // A message above the form says what to do; a general sentence beside it would be noise.
    let quietly = |intro| container.messages.is_empty().then_some(intro);
    let shows = |name: &str| {
        container.nodes.iter().any(|node| match &node.attributes {
            Attributes::Input(input) => input.name == name && input.kind != "hidden",
            Attributes::Text { .. }
            | Attributes::Img { .. }
            | Attributes::A { .. }
            | Attributes::Script { .. }
            | Attributes::Div {} => false,
        })
    };
    let asks_for_code = shows("code");
    match kind {
        FlowKind::Login if says(1_010_004) => (strings.second_factor, None),
        FlowKind::Login if says(1_010_003) => (strings.confirm_identity, None),
        FlowKind::Login | FlowKind::Registration | FlowKind::Recovery if asks_for_code => (strings.enter_code, None),
        FlowKind::Login => (strings.sign_in, quietly(strings.sign_in_intro)),
        // The second step is known by its way back to the first.
        FlowKind::Registration if shows("screen") => (strings.secure_account, None),
        FlowKind::Registration => (strings.sign_up, quietly(strings.sign_up_intro)),
        FlowKind::Recovery => (strings.recovery, quietly(strings.recovery_intro)),
        FlowKind::Verification if says(1_080_002) || says(1_080_005) => (strings.verification_done, None),
        FlowKind::Verification => (strings.verification, quietly(strings.verification_intro)),
        FlowKind::Settings => (strings.settings, Some(strings.settings_intro)),
    }
}
