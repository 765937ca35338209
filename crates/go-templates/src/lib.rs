//! The common parts of Go templates: the functions of the sprig library (version 3.3), Go's formatting of values, and Go's
//! JSON encoding. Used by the access rules of the gateway and the messages of the identity service.
//!
//! Specifications: Go's `text/template`, `fmt`, `encoding/json`, `strconv` and `regexp`; the documentation and the source of
//! `github.com/Masterminds/sprig/v3`. `tests/golden` holds the original output of two thousand templates.
//!
//! Invariants:
//! - A function accepts the same types as sprig's: a number in place of a string is an error, as in Go.
//! - Templates are deterministic. Functions that read the clock, the environment, the network, files or randomness do not
//!   exist; [`why_absent`] explains why.
//! - No function produces a string of more than a megabyte, and none takes long for a long list.

mod arguments;
mod functions;
mod json;
mod object;
mod printf;
mod printing;
mod template;

pub use functions::{Function, functions, is_known, why_absent};
pub use json::value_of;
pub use object::{Members, Object, member};
pub use printing::{displayed, printed};
pub use template::{HtmlTemplate, MOST_TEXT, TextTemplate, render};

pub use gotmpl::{TemplateError, Value};

/// The result of a function.
pub type Outcome = Result<Value, TemplateError>;

pub use arguments::{exactly, text, wrong};
