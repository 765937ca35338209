//! The user interface: the layout, the components and the static files of the built-in pages, and the texts of all pages and
//! mails in every language.
//!
//! Invariants:
//! - A page works without JavaScript, by keyboard alone, and meets WCAG 2.2 level AA.
//! - Values reach HTML through templates that escape them; only a component of this crate counts as finished HTML.
//! - Pages contain no inline script and no inline style, and the content security policy forbids both.
//! - Each text exists once in a file of its language, `locales/<language>.ftl`, and is named once in Rust. A test compares the
//!   files with the names and with each other.
//! - This crate does not depend on a service or a web framework. A page is a plain `http::Response`.

pub mod assets;
mod brand;
pub mod components;
mod config;
mod contrast;
mod flow_context;
mod flow_page;
pub mod form;
mod language;
mod layout;
pub mod messages;
mod moment;
pub mod nodes;
mod outside_text;
mod refusal;
mod sentence;
mod strings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod texts;

#[cfg(test)]
mod tests;

pub use brand::Brand;
pub use config::{ColorScheme, Config, ConfigError, Footer, FooterLink};
pub use contrast::ContrastFinding;
pub use flow_context::{CodeContext, FlowContext, PageLink, PasswordRules};
pub use flow_page::{FlowPage, Intro};
pub use language::{Language, LanguageError};
pub use layout::{Page, Ui, Width};
pub use messages::{Localizer, Message, MessageKind};
pub use moment::Moment;
pub use outside_text::OutsideText;
pub use refusal::RefusalPage;
pub use sentence::{Around, Filled, Sentence, TextValue};
pub use strings::Strings;
pub use texts::{PerLanguage, TextName, text_key};
