//! The handlers of one kind by name: which ones rules may name, the keys of their settings, and how they are created.
//!
//! Invariants: each kind has one list of its handlers, in its `mod.rs`. The configuration keys and their descriptions, the
//! handlers that tests enable and the messages about missing handlers are derived from these lists. The keys are the fields
//! of the settings type.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::InvalidRule;
use super::settings::merged;
use crate::config::handlers::Handler;
use crate::domain::rule::HandlerEntry;

/// Creates a handler from its settings. The error completes a sentence: *the authenticator `name` requires the setting
/// `x`*.
type Compile<H, N> = fn(Value, &N) -> Result<Box<H>, String>;

/// One handler. `H` is the interface of its kind, `N` the dependencies.
pub(crate) struct Definition<H: ?Sized, N: ?Sized> {
    pub(crate) name: &'static str,
    compile: Compile<H, N>,
    /// The schema of its settings.
    settings: fn(&mut SchemaGenerator) -> Schema,
}

impl<H: ?Sized, N: ?Sized> Definition<H, N> {
    /// A handler with settings of type `S`.
    pub(super) const fn new<S: DeserializeOwned + JsonSchema>(name: &'static str, compile: Compile<H, N>) -> Self {
        Self { name, compile, settings: S::json_schema }
    }

    /// A handler with its own settings `O` and shared settings `S`.
    pub(super) const fn sharing<O, S>(name: &'static str, compile: Compile<H, N>) -> Self
    where
        O: DeserializeOwned + JsonSchema,
        S: DeserializeOwned + JsonSchema,
    {
        Self { name, compile, settings: both::<O, S> }
    }

    /// Its part of the configuration schema: whether it is enabled, and its settings if it has any.
    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        let mut handler = Handler::json_schema(generator).to_value();
        let settings = (self.settings)(generator);
        if settings.get("properties").is_some() {
            handler["properties"]["config"] = settings.to_value();
        }
        handler
    }
}

/// Settings that consist of a handler's own part and a part that is shared with other handlers.
fn both<O: JsonSchema, S: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let (mut settings, shared) = (O::json_schema(generator), S::json_schema(generator));
    if let Some(Value::Object(shared)) = shared.get("properties")
        && let Value::Object(own) = settings.ensure_object().entry("properties").or_insert_with(|| Map::new().into())
    {
        own.extend(shared.clone());
    }
    settings
}

/// All handlers of one kind.
pub(crate) struct Registry<H: ?Sized + 'static, N: ?Sized + 'static> {
    /// The name of the kind in messages.
    pub(super) kind: &'static str,
    pub(crate) offered: &'static [Definition<H, N>],
    /// Handlers of Oathkeeper that are not supported, and what to use instead.
    pub(crate) absent: &'static [(&'static str, &'static str)],
}

/// A handler with its name.
#[derive(Debug)]
pub(crate) struct Named<H: ?Sized> {
    pub(crate) name: &'static str,
    pub(crate) handler: Box<H>,
}

impl<H: ?Sized, N: ?Sized> Registry<H, N> {
    /// Creates the handler with this name.
    pub(super) fn make(&self, name: &str, settings: Value, needed: &N) -> Result<Named<H>, String> {
        if let Some((_, instead)) = self.absent.iter().find(|(absent, _)| *absent == name) {
            return Err(format!("is not supported by this gateway: {instead}"));
        }
        let definition = self.offered.iter().find(|it| it.name == name).ok_or_else(|| "is not known".to_owned())?;
        (definition.compile)(settings, needed).map(|handler| Named { name: definition.name, handler })
    }

    /// Creates the handler that a rule names, with the rule's settings merged into the configured ones.
    pub(super) fn compile<T>(
        &self,
        entry: &HandlerEntry,
        configured: Option<&Handler>,
        make: impl FnOnce(&str, Value) -> Result<T, String>,
    ) -> Result<T, InvalidRule> {
        let name = entry.handler.as_str();
        let invalid = |reason: String| InvalidRule::Handler { kind: self.kind, handler: name.to_owned(), reason };
        let enabled = configured.filter(|handler| handler.enabled);
        let settings = merged(enabled.map(|handler| &handler.config), &entry.config);
        let made = make(name, settings).map_err(invalid)?;
        if enabled.is_none() {
            return Err(invalid("is not enabled in the configuration".to_owned()));
        }
        Ok(made)
    }

    /// The section of the configuration that holds these handlers by name.
    pub(super) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let handlers = self.offered.iter().map(|it| (it.name.to_owned(), it.schema(generator)));
        let handlers: Map<String, Value> = handlers.collect();
        json_schema!({ "type": "object", "properties": handlers })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde_json::json;

    use super::*;
    use crate::pipeline::{authn, authz, errors, mutate};
    use crate::tests::fixtures;

    /// A value of an invalid type at a known key is an error about the value, not about the key.
    fn every_key_is_read<H: ?Sized + Debug, N: ?Sized>(registry: &Registry<H, N>, needed: &N) {
        for definition in registry.offered {
            let settings = (definition.settings)(&mut SchemaGenerator::default());
            for key in settings.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
                let settings = json!({key: {"\u{0}": [[[]]]}});
                let error = registry.make(definition.name, settings, needed).unwrap_err();
                let name = format!("{} {} {key}", registry.kind, definition.name);
                assert!(!error.contains(&format!("unknown field `{key}`")), "{name}: {error}");
            }
            assert!(!registry.absent.iter().any(|(absent, _)| *absent == definition.name), "{}", definition.name);
        }
        assert!(registry.offered.is_sorted_by_key(|definition| definition.name), "{}s are not in order", registry.kind);
    }

    #[test]
    fn every_key_of_every_handler_is_read() {
        let services = fixtures::services();
        every_key_is_read(&authn::AUTHENTICATORS, &services);
        every_key_is_read(&authz::AUTHORIZERS, &services);
        every_key_is_read(&mutate::MUTATORS, &services);
        every_key_is_read(&errors::ERROR_HANDLERS, &());
    }

    #[test]
    fn the_configuration_has_the_keys_of_every_handler() {
        let section = |schema: fn(&mut SchemaGenerator) -> Schema| {
            let section = schema(&mut SchemaGenerator::default()).to_value();
            move |path: &str| section.pointer(&format!("/properties/{}", path.replace('.', "/properties/"))).cloned()
        };
        let (authenticators, errors) = (section(authn::schema), section(errors::schema));
        for key in ["anonymous.config.subject", "jwt.config.token_from", "cookie_session.config.only"] {
            assert!(authenticators(key).is_some(), "{key}");
        }
        assert!(authenticators("bearer_token.config.prefix").is_some(), "the handler's own key");
        let shared = authenticators("bearer_token.config.require_subject").unwrap();
        assert_eq!(shared["description"], "Whether a session without a subject is refused.");
        assert!(authenticators("noop.enabled").is_some() && authenticators("noop.config").is_none());
        assert!(authenticators("oauth2_client_credentials").is_none(), "it is absent");
        assert_eq!(errors("handlers.json.enabled").unwrap()["default"], true);
        assert_eq!(errors("handlers.redirect.enabled").unwrap()["default"], false);
        for name in ["json", "redirect", "www_authenticate"] {
            let when = errors(&format!("handlers.{name}.config.when")).unwrap();
            assert_eq!(when["type"], "array", "{name}");
        }
    }

    #[test]
    fn a_handler_that_is_absent_says_what_to_use_instead() {
        let error = authn::AUTHENTICATORS.make("oauth2_client_credentials", json!({}), &fixtures::services());
        assert!(error.unwrap_err().starts_with("is not supported by this gateway: use "));
    }
}
