//! The design of the relying party: it has its own colours, and its name is in the language of the page.

use axum::response::{IntoResponse as _, Response};
use base::Context;
use http::StatusCode;
use ui::{ConfigError, Language, Page, RefusalPage, Strings, Ui};

use super::texts::Texts;

pub(super) struct Design {
    english: Ui,
    /// One for each language.
    localized: Vec<(Language, Ui)>,
}

impl Design {
    pub(super) fn new() -> Result<Self, ConfigError> {
        let localized = Language::all().iter().map(|language| Ok((*language, ui(*language)?)));
        Ok(Self { english: ui(Language::english())?, localized: localized.collect::<Result<_, ConfigError>>()? })
    }

    pub(super) fn languages(&self) -> &[Language] {
        self.english.languages()
    }

    pub(super) fn language(&self, cx: &Context) -> Language {
        self.english.language(cx.locale)
    }

    pub(super) fn respond(&self, cx: &Context, page: Page<'_>, body: &impl askama::Template) -> Response {
        let language = self.language(cx);
        let ui = self.localized.iter().find(|(its, _)| *its == language).map_or(&self.english, |(_, ui)| ui);
        ui.respond(cx.locale, page, body).into_response()
    }

    /// The page of a request that no handler accepts.
    pub(super) fn refuse(&self, cx: &Context, status: StatusCode) -> Response {
        let strings = Strings::of(self.language(cx));
        let page = RefusalPage::new(status, strings, Some("/"), Some(cx.request_id.to_string()));
        let Some(mut page) = page else { return status.into_response() };
        if status == StatusCode::FORBIDDEN {
            // The sample application forbids only requests of other pages.
            page.advice = strings.error_forbidden;
        }
        self.respond(cx, page.page(), &page)
    }

    pub(super) fn asset(&self, file: &str) -> Response {
        self.english.asset(file).into_response()
    }
}

fn ui(language: Language) -> Result<Ui, ConfigError> {
    let variables = |accent: &str, strong: &str, soft: &str| {
        [("accent", accent), ("accent-strong", strong), ("accent-soft", soft), ("focus", accent)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    Ui::new(ui::Config {
        product_name: Texts::of(language).title.to_owned(),
        variables: variables("#3b4fb8", "#2c3d97", "#ebeefb"),
        dark_variables: variables("#a9b6ff", "#c5ceff", "#20264a"),
        ..ui::Config::default()
    })
}
