//! The templates of rules: Go's `text/template` with the gateway's own `print` and `printIndex` and the hermetic part of
//! the sprig functions. A template has no access to anything but its request: no environment, no files, no clock.
//!
//! Invariants: a template is compiled once, when its rule is loaded, and belongs to that rule; unknown functions are
//! rejected then, not when a request arrives.

mod compiled;
mod context;
mod functions;
mod json;
mod marks;
mod request_url;
mod rewrite;

pub(crate) use compiled::Template;
pub(crate) use context::TemplateView;
pub(crate) use json::JsonTemplate;
