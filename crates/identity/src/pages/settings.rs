//! The settings page: the flow's sections, then the devices that are signed in.

use askama::Template;
use ui::components::{Button, Hidden};
use ui::{FlowPage, Moment, PageLink, Strings};

/// Everything that a person may change about the account.
#[derive(Template)]
#[template(path = "pages/settings.html")]
pub(super) struct SettingsPage {
    pub strings: &'static Strings,
    pub flow: FlowPage,
    pub sessions: Sessions,
    pub sign_out: PageLink,
}

/// The signed-in devices. Forms of their own: ending one is no part of the flow.
pub(super) struct Sessions {
    pub action: String,
    pub csrf: Hidden,
    pub current: SessionLine,
    pub others: Vec<SessionLine>,
    pub end_all: Button,
}

/// One session as a person recognises it.
pub(super) struct SessionLine {
    pub device: String,
    /// Address and place, as far as they are known.
    pub origin: Option<String>,
    pub since: Moment,
    /// Sends the session's id; `None` for the one that looks at the page.
    pub end: Option<Button>,
}
