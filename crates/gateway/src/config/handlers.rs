//! `authenticators`, `authorizers`, `mutators` and `errors`: the enabled handlers and their default settings.
//!
//! Invariant: this file names no handler but the default error handler. The registries of the pipeline define the handlers
//! and the keys of their settings.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The error handler that is enabled by default and handles errors when no other handler is named.
pub(crate) const DEFAULT_ERROR_HANDLER: &str = "json";

/// The handlers of one kind, by name.
pub type Handlers = HashMap<String, Handler>;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Handler {
    /// Whether rules can name this handler.
    pub enabled: bool,
    /// Described by the registry of its kind.
    #[schemars(skip)]
    pub config: Value,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Errors {
    /// The error handlers for requests whose rule has none, in their order.
    pub fallback: Vec<String>,
    /// Described by the registry of error handlers.
    #[serde(deserialize_with = "error_handlers")]
    #[schemars(skip)]
    pub handlers: Handlers,
}

impl Default for Errors {
    fn default() -> Self {
        Self { fallback: vec![DEFAULT_ERROR_HANDLER.to_owned()], handlers: Handlers::new() }
    }
}

impl Errors {
    /// The handler by name. `json` is enabled unless the configuration disables it.
    pub fn handler(&self, name: &str) -> Option<Handler> {
        let is_default = name == DEFAULT_ERROR_HANDLER && !self.handlers.contains_key(name);
        if is_default { Some(Handler { enabled: true, config: Value::Null }) } else { self.handlers.get(name).cloned() }
    }
}

/// The default handler is enabled unless its settings say otherwise.
fn error_handlers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Handlers, D::Error> {
    let mut handlers = HashMap::<String, Value>::deserialize(deserializer)?;
    if let Some(Value::Object(json)) = handlers.get_mut(DEFAULT_ERROR_HANDLER) {
        json.entry("enabled").or_insert(Value::Bool(true));
    }
    let read = |(name, handler)| serde_json::from_value(handler).map(|handler| (name, handler));
    handlers.into_iter().map(read).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_json_error_handler_is_enabled_unless_it_is_switched_off() {
        let handler = |json: Value| {
            let errors: Errors = serde_json::from_value(json!({"handlers": {"json": json}})).unwrap();
            errors.handler("json").unwrap()
        };
        assert!(handler(json!({"enabled": true})).enabled);
        let verbose = handler(json!({"config": {"verbose": true}}));
        assert!(verbose.enabled && verbose.config["verbose"] == true);
        assert!(!handler(json!({"enabled": false})).enabled);
    }
}
