//! The page of a self-service flow: a heading that names the step, messages, forms, and links to other pages.

use askama::Template;

use crate::components::{ALERTS_ID, component};
use crate::form::{Arranged, FlowKind, arrange, methods};
use crate::nodes::{Attributes, Container};
use crate::{Around, FlowContext, Localizer, OutsideText, Page, PageLink, Sentence, Strings, Width};

#[derive(Clone, Debug, Template)]
#[template(path = "flow_page.html")]
pub struct FlowPage {
    pub title: &'static str,
    pub intro: Option<Intro>,
    pub arranged: Arranged,
    pub links: Vec<PageLink>,
    kind: FlowKind,
    /// Begins with the word for an error if there is one, because screen readers read the title first.
    window_title: String,
}

component! { FlowPage }

/// The sentence under the title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intro {
    Text(&'static str),
    /// The client that the person signs in for: the text around its name.
    Toward {
        around: Around,
        client: OutsideText,
    },
}

impl FlowPage {
    pub fn new(kind: FlowKind, container: &Container, words: Localizer<'_>, context: FlowContext) -> Self {
        let (title, general) = title(kind, container, words);
        let intro = match &context.client {
            Some(client) => toward(kind, words.strings(), client).or_else(|| general.map(Intro::Text)),
            None => general.map(Intro::Text),
        };
        let arranged = arrange(kind, container, words, &context);
        let mut links = context.links;
        if let Some(href) = context.forgot_password.filter(|_| !arranged.has_link_beside()) {
            links.push(PageLink::new(words.strings().forgot_access, href));
        }
        let window_title =
            if arranged.has_problem() { format!("{} {title}", words.strings().error_prefix) } else { title.to_owned() };
        Self { title, intro, arranged, links, kind, window_title }
    }

    /// The frame of this page.
    pub fn page(&self) -> Page<'_> {
        Page {
            width: if self.kind == FlowKind::Settings { Width::Wide } else { Width::Narrow },
            has_triggers: self.arranged.has_triggers,
            has_aids: self.arranged.has_aids,
            ..Page::titled(&self.window_title)
        }
    }
}

/// The client that the person signs in for. It is shown until the person reaches the client.
fn toward(kind: FlowKind, strings: &'static Strings, client: &OutsideText) -> Option<Intro> {
    let toward = |sentence: Sentence| Intro::Toward { around: sentence.around(), client: client.clone() };
    match kind {
        FlowKind::Login => Some(toward(strings.sign_in_toward)),
        FlowKind::Registration => Some(toward(strings.sign_up_toward)),
        FlowKind::Recovery | FlowKind::Verification | FlowKind::Settings => None,
    }
}

/// Title and intro of the current step of the flow.
fn title(kind: FlowKind, container: &Container, words: Localizer<'_>) -> (&'static str, Option<&'static str>) {
    let strings = words.strings();
    let says = |id: u64| container.messages.iter().any(|message| message.id == id);
    // A message above the form already says what to do; a general sentence would distract.
    let quietly = |intro| container.messages.is_empty().then_some(intro);
    let shows_field = |is_sought: &dyn Fn(&str) -> bool| {
        container.nodes.iter().any(|node| match &node.attributes {
            Attributes::Input(input) => is_sought(&input.name) && input.kind != "hidden",
            Attributes::Text { .. }
            | Attributes::Img { .. }
            | Attributes::A { .. }
            | Attributes::Script { .. }
            | Attributes::Div {} => false,
        })
    };
    let shows = |name: &str| shows_field(&|field| field == name);
    let asks_for_code = shows("code");
    match kind {
        FlowKind::Login if says(1_010_004) => (strings.second_factor, None),
        FlowKind::Login if says(1_010_003) => (strings.confirm_identity, None),
        // Where the message is about a code that was refused.
        FlowKind::Login if shows_field(&methods::proves_second_factor) => (strings.second_factor, None),
        FlowKind::Login | FlowKind::Registration | FlowKind::Recovery if asks_for_code => (strings.enter_code, None),
        FlowKind::Login => (strings.sign_in, quietly(strings.sign_in_intro)),
        // The second step has a button back to the first one.
        FlowKind::Registration if shows("screen") => (strings.secure_account, None),
        FlowKind::Registration => (strings.sign_up, quietly(strings.sign_up_intro)),
        FlowKind::Recovery => (strings.recovery, quietly(strings.recovery_intro)),
        FlowKind::Verification if says(1_080_002) || says(1_080_005) => (strings.verification_done, None),
        FlowKind::Verification => (strings.verification, quietly(strings.verification_intro)),
        FlowKind::Settings => (strings.settings, Some(strings.settings_intro)),
    }
}
