//! The handlers of one kind by their names: which ones a rule may name, the keys of their settings, and how they are made.
//!
//! What always holds: this is the only list of handlers. The keys that the configuration supports, the handlers that tests
//! enable and the messages about handlers that do not exist follow from it. The keys are those of the settings type itself.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::InvalidRule;
use super::settings::{field_names, merged};
use crate::config::Handler;
use crate::domain::rule::HandlerEntry;

/// How a handler is made from its settings. The error is the end of a sentence: *the authenticator `name` needs the setting
/// `x`*.
type Compile<H, N> = fn(Value, &N) -> Result<Box<H>, String>;

/// One handler. `H` is what handlers of its kind can do, `N` what they need to be made.
pub(crate) struct Definition<H: ?Sized, N: ?Sized> {
    pub(super) name: &'static str,
    compile: Compile<H, N>,
    keys: fn() -> &'static [&'static str],
    /// The keys that it shares with other handlers.
    shared_keys: fn() -> &'static [&'static str],
}

impl<H: ?Sized, N: ?Sized> Definition<H, N> {
    /// A handler whose settings are an `S`.
    pub(super) const fn new<S: DeserializeOwned>(name: &'static str, compile: Compile<H, N>) -> Self {
        Self { name, compile, keys: field_names::<S>, shared_keys: || &[] }
    }

    /// A handler whose settings are an `O` of its own and an `S` that it shares with others.
    pub(super) const fn sharing<O: DeserializeOwned, S: DeserializeOwned>(
        name: &'static str,
        compile: Compile<H, N>,
    ) -> Self {
        Self { name, compile, keys: field_names::<O>, shared_keys: field_names::<S> }
    }

    /// The keys of its settings, without what lies beneath them.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        (self.keys)().iter().chain((self.shared_keys)()).copied()
    }
}

/// Every handler of one kind.
pub(crate) struct Registry<H: ?Sized + 'static, N: ?Sized + 'static> {
    /// The word for the kind in messages.
    pub(super) kind: &'static str,
    /// Where its handlers are in the configuration.
    pub(super) section: &'static str,
    pub(super) offered: &'static [Definition<H, N>],
    /// Handlers of Oathkeeper that are not offered, and what to use instead.
    pub(super) absent: &'static [(&'static str, &'static str)],
    /// Keys that every handler of this kind has.
    pub(super) common_keys: &'static [&'static str],
}

/// A handler that is ready to run.
#[derive(Debug)]
pub(crate) struct Named<H: ?Sized> {
    pub(crate) name: &'static str,
    pub(crate) handler: Box<H>,
}

impl<H: ?Sized, N: ?Sized> Registry<H, N> {
    /// Makes the handler of that name.
    pub(super) fn make(&self, name: &str, settings: Value, needed: &N) -> Result<Named<H>, String> {
        if let Some((_, instead)) = self.absent.iter().find(|(absent, _)| *absent == name) {
            return Err(format!("is not offered by this gateway: {instead}"));
        }
        let definition = self.offered.iter().find(|it| it.name == name).ok_or_else(|| "is not known".to_owned())?;
        (definition.compile)(settings, needed).map(|handler| Named { name: definition.name, handler })
    }

    /// Makes the handler that a rule names: the rule's settings are merged into those of the configuration.
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

    /// The keys of the configuration that these handlers read. A key stands for everything beneath it.
    pub(super) fn supported_keys(&self) -> impl Iterator<Item = String> {
        self.offered.iter().flat_map(|definition| {
            let prefix = format!("{}.{}", self.section, definition.name);
            let enabled = format!("{prefix}.enabled");
            let keys = definition.keys().chain(self.common_keys.iter().copied());
            keys.map(move |key| format!("{prefix}.config.{key}")).chain([enabled])
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde_json::json;

    use super::*;
    use crate::pipeline::{authn, authz, errors, mutate, testing};

    /// A value of an impossible type at a key that the handler reads is an error that is about the value and not the key.
    fn every_key_is_read<H: ?Sized + Debug, N: ?Sized>(registry: &Registry<H, N>, needed: &N) {
        for definition in registry.offered {
            for key in definition.keys() {
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
        let services = testing::services();
        every_key_is_read(&authn::AUTHENTICATORS, &services);
        every_key_is_read(&authz::AUTHORIZERS, &services);
        every_key_is_read(&mutate::MUTATORS, &services);
        every_key_is_read(&errors::ERROR_HANDLERS, &());
        let keys: Vec<String> = authn::AUTHENTICATORS.supported_keys().collect();
        for key in
            ["anonymous.enabled", "anonymous.config.subject", "jwt.config.token_from", "cookie_session.config.only"]
        {
            assert!(keys.contains(&format!("authenticators.{key}")), "{key}");
        }
    }

    #[test]
    fn a_handler_that_is_absent_says_what_to_use_instead() {
        let error = authn::AUTHENTICATORS.make("oauth2_client_credentials", json!({}), &testing::services());
        assert!(error.unwrap_err().starts_with("is not offered by this gateway: use "));
    }
}
