//! Buttons. The first button of a form is its primary one, and Enter presses it.

use askama::Template;

#[derive(Clone, Debug, Template)]
#[template(path = "components/button.html")]
pub struct Button {
    pub label: String,
    /// With a name, the button sends this name and value; without, it only submits.
    pub name: Option<String>,
    pub value: String,
    pub kind: ButtonKind,
    /// Submits without checking the required fields of the form: another method, or back.
    pub skips_validation: bool,
    pub disabled: bool,
    /// Starts this function of the browser's script instead of submitting; hidden without JavaScript.
    pub trigger: Option<String>,
    /// A script disables the button for this time and counts down beside its label.
    pub wait_seconds: u32,
    /// The id of the text that distinguishes this button from others with the same label.
    pub described_by: Option<String>,
    /// A smaller button for lists.
    pub small: bool,
    /// The button is shown only after another one with its label was pressed, so that nothing is removed by mistake.
    pub confirmation: Option<Confirmation>,
}

/// The second step before something is removed. It needs no script and no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub question: &'static str,
    /// The label of the button that submits.
    pub answer: &'static str,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    #[default]
    Primary,
    Secondary,
    /// A secondary action: send again, go back.
    Quiet,
    /// Deletes something.
    Danger,
}

impl ButtonKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Quiet => "quiet",
            Self::Danger => "danger",
        }
    }
}

impl Button {
    /// A primary button that submits its form.
    pub fn submit(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            name: None,
            value: String::new(),
            kind: ButtonKind::Primary,
            skips_validation: false,
            disabled: false,
            trigger: None,
            wait_seconds: 0,
            described_by: None,
            small: false,
            confirmation: None,
        }
    }

    /// The same, sending a name and a value.
    #[must_use]
    pub fn sending(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self.value = value.into();
        self
    }

    #[must_use]
    pub fn of_kind(mut self, kind: ButtonKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same, with the id of the item that it acts on, because the buttons of a list have the same label.
    #[must_use]
    pub fn about(mut self, id: impl Into<String>) -> Self {
        self.described_by = Some(id.into());
        self
    }

    #[must_use]
    pub fn small(mut self) -> Self {
        self.small = true;
        self
    }
}
