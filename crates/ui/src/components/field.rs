//! Input fields. Every field has a visible label, shows its problem as text beside it and refers to it by `aria-describedby`
//! (WCAG 1.3.1, 3.3.1), and declares its purpose by `autocomplete` (WCAG 1.3.5).

use askama::Template;

use crate::PageLink;

/// The id of the alerts above the forms.
pub(crate) const ALERTS_ID: &str = "alerts";

/// A hidden value.
#[derive(Clone, Debug, Template)]
#[template(path = "components/hidden.html")]
pub struct Hidden {
    pub name: String,
    pub value: String,
    /// A function of the browser's script that starts with the page and fills this value.
    pub on_load: Option<String>,
}

impl Hidden {
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), on_load: None }
    }
}

/// The characters of a short code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeKind {
    /// Entered with the numeric keyboard, unless the field's pattern allows other characters.
    Digits,
    Letters,
}

/// A line of text: also a password, a number, a date, a code.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "components/field.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of HTML's input")]
pub struct Field {
    /// Unique on the page.
    pub id: String,
    pub name: String,
    /// The `type` attribute.
    pub kind: String,
    pub label: String,
    pub value: String,
    pub hint: Option<String>,
    pub problem: Option<String>,
    pub autocomplete: Option<String>,
    pub pattern: Option<String>,
    pub maxlength: Option<u32>,
    pub required: bool,
    pub disabled: bool,
    pub autofocus: bool,
    /// The page has its focus on this field because of a problem that is shown above the forms: screen readers read it here.
    pub follows_problem: bool,
    /// A short code: shown large.
    pub code: Option<CodeKind>,
    /// The word that marks a field that may stay empty; `None` hides the mark.
    pub optional_mark: Option<&'static str>,
    /// A link for people who cannot fill the field in. It is shown on the line of the label and reached by the keyboard
    /// after the field, so that it does not stand between the field and the one before it.
    pub beside: Option<PageLink>,
    /// The name of the button that shows what was typed. The button appears only with a script.
    pub reveal: Option<&'static str>,
    /// The word before a problem that screen readers hear.
    pub problem_prefix: &'static str,
}

impl Field {
    /// Names may be written in any script; addresses and codes are written from left to right in every language.
    fn direction(&self) -> &'static str {
        let is_free_text = matches!(self.kind.as_str(), "text" | "search") && self.code.is_none();
        if is_free_text { "auto" } else { "ltr" }
    }

    fn digits_only(&self) -> bool {
        self.code == Some(CodeKind::Digits) && self.pattern.as_deref().is_none_or(|pattern| pattern.contains("[0-9]"))
    }

    /// The input is not prose: a phone must not capitalize or correct it.
    fn is_literal(&self) -> bool {
        let names_a_person = || self.autocomplete.as_deref().is_some_and(|it| it.contains("username"));
        self.code.is_some() || self.kind == "password" || names_a_person()
    }

    /// The value of `aria-describedby`: a list of ids.
    fn described_by(&self) -> Option<String> {
        let own = described_by(&self.id, self.problem.is_some(), self.hint.is_some());
        let alerts = self.follows_problem.then(|| ALERTS_ID.to_owned());
        [alerts, own].into_iter().flatten().reduce(|all, ids| format!("{all} {ids}"))
    }
}

fn described_by(id: &str, has_problem: bool, has_hint: bool) -> Option<String> {
    match (has_problem, has_hint) {
        (true, true) => Some(format!("{id}-problem {id}-hint")),
        (true, false) => Some(format!("{id}-problem")),
        (false, true) => Some(format!("{id}-hint")),
        (false, false) => None,
    }
}

/// A checkbox. An unchecked box sends nothing, so a hidden `false` is sent before it.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "components/checkbox.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of HTML's input")]
pub struct Checkbox {
    pub id: String,
    pub name: String,
    pub label: String,
    pub value: String,
    pub hint: Option<String>,
    pub problem: Option<String>,
    pub checked: bool,
    pub required: bool,
    pub disabled: bool,
    pub sends_false: bool,
    pub problem_prefix: &'static str,
}

impl Checkbox {
    fn described_by(&self) -> Option<String> {
        described_by(&self.id, self.problem.is_some(), self.hint.is_some())
    }
}

/// One of several values.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "components/select.html")]
pub struct Select {
    pub id: String,
    pub name: String,
    pub label: String,
    pub options: Vec<SelectOption>,
    /// The text of the empty choice.
    pub placeholder: &'static str,
    pub problem: Option<String>,
    pub required: bool,
    pub disabled: bool,
    pub optional_mark: Option<&'static str>,
    pub problem_prefix: &'static str,
}

#[derive(Clone, Debug, Default)]
pub struct SelectOption {
    pub value: String,
    pub label: String,
    pub selected: bool,
}

impl Select {
    fn nothing_selected(&self) -> bool {
        !self.options.iter().any(|option| option.selected)
    }
}
