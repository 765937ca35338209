//! What templates in the language of Go have in common here: the functions of the sprig library (version 3.3), how Go prints
//! values, and how it reads and writes JSON. The access rules of the gateway and the messages of the identity service use it.
//!
//! Specifications: Go's `text/template`, `fmt`, `encoding/json`, `strconv` and `regexp`; the documentation and the source of
//! `github.com/Masterminds/sprig/v3`. `tests/golden` holds what the originals make of two thousand templates.
//!
//! What always holds:
//! - A function takes what sprig's takes: a number where a text is meant is an error, as it is in Go.
//! - A template gives the same text each time. Functions that read the clock, the environment, the network, files or
//!   randomness do not exist here; [`why_absent`] says so.
//! - No function makes a text of more than a megabyte, and none takes more than a short time for a long list.

mod arguments;
mod functions;
mod json;
mod printf;
mod printing;
mod template;

pub use functions::{Function, functions, is_known, why_absent};
pub use json::value_of;
pub use printing::{displayed, printed};
pub use template::{HtmlTemplate, MOST_TEXT, TextTemplate, render};

pub use gotmpl::{TemplateError, Value};

/// What a function answers.
pub type Outcome = Result<Value, TemplateError>;

pub use arguments::{exactly, text, wrong};
