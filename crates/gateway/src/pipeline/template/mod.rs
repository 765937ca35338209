//! The templates of rules: Go's `text/template` with the gateway's own `print` and `printIndex` and the hermetic part of
//! the sprig functions. A template can read its request and nothing else: no environment, no file, no clock.
//!
//! What always holds: a template is compiled once, while its rule is loaded, and belongs to that rule; a name that is no
//! function is refused then, not when a request comes.

mod compiled;
mod context;
mod functions;
mod json;
mod marks;
mod rewrite;

pub(crate) use compiled::Template;
pub(crate) use context::TemplateView;
pub(crate) use json::JsonTemplate;
