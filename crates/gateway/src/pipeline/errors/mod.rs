//! Error handlers: the response to a failed request.
//!
//! The rule's handlers come first: the one whose conditions match responds; two matching handlers are a configuration
//! error. Otherwise the fallbacks are tried in order. If none matches, the response is a plain JSON error.

mod form;
mod json;
mod redirect;
mod when;
mod www_authenticate;

use http::Response;
use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::Value;

use super::InvalidRule;
use super::registry::{Definition, Named, Registry};
use super::settings::merged;
use crate::config::handlers::{DEFAULT_ERROR_HANDLER, Errors};
use crate::domain::failure::Failure;
use crate::domain::rule::HandlerEntry;
use when::When;

pub(crate) use form::{FailedRequest, Form};

pub(crate) const ERROR_HANDLERS: Registry<dyn Form, ()> = Registry {
    kind: "error handler",
    offered: &[json::HANDLER, redirect::HANDLER, www_authenticate::HANDLER],
    absent: &[],
};

/// The keys of `errors`. Every handler has conditions besides its settings.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let mut section = Errors::json_schema(generator).to_value();
    let mut handlers = ERROR_HANDLERS.schema(generator).to_value();
    let when = Vec::<when::Item>::json_schema(generator).to_value();
    for definition in ERROR_HANDLERS.offered {
        handlers["properties"][definition.name]["properties"]["config"]["properties"]["when"] = when.clone();
    }
    handlers["properties"][DEFAULT_ERROR_HANDLER]["properties"]["enabled"]["default"] = true.into();
    section["properties"]["handlers"] = handlers;
    Schema::try_from(section).unwrap_or_default()
}

/// An error handler and the conditions under which it applies.
#[derive(Debug)]
pub(crate) struct ErrorHandler {
    when: When,
    form: Box<dyn Form>,
}

impl ErrorHandler {
    /// The handler that a rule names.
    pub(super) fn of_rule(entry: &HandlerEntry, errors: &Errors) -> Result<Self, InvalidRule> {
        ERROR_HANDLERS.compile(entry, errors.handler(&entry.handler).as_ref(), Self::compile)
    }

    fn compile(name: &str, mut settings: Value) -> Result<Self, String> {
        let when = settings.as_object_mut().and_then(|members| members.remove("when"));
        let when = When::compile(when.unwrap_or(Value::Null))?;
        let Named { handler: form, .. } = ERROR_HANDLERS.make(name, settings, &())?;
        Ok(Self { when, form })
    }
}

/// The handlers for rules without a matching handler of their own, and for requests without a rule.
#[derive(Debug)]
pub(crate) struct Fallbacks(Vec<Result<ErrorHandler, String>>);

impl Fallbacks {
    pub(crate) fn compile(errors: &Errors) -> Self {
        let handlers = errors.fallback.iter().map(|name| {
            let handler = errors.handler(name).filter(|handler| handler.enabled);
            let handler = handler.ok_or_else(|| format!("the error handler `{name}` is not enabled"))?;
            ErrorHandler::compile(name, merged(Some(&handler.config), &Value::Null))
                .map_err(|reason| format!("the error handler `{name}` {reason}"))
        });
        Self(handlers.collect())
    }

    /// The configuration errors, which are logged at load.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|handler| handler.as_ref().err().map(String::as_str))
    }

    /// The response to a failure, by the rule's own handlers or these.
    pub(crate) fn answer(
        &self,
        own: &[ErrorHandler],
        failure: &Failure,
        request: FailedRequest<'_>,
    ) -> Response<String> {
        let mut response = match self.choose(own, failure, request) {
            Ok(handler) => handler.form.answer(failure, request),
            Err(fault) => {
                let reason = fault.reason.as_deref().unwrap_or_default();
                tracing::error!(
                    reason,
                    status = failure.status.as_u16(),
                    "no error handler for a failure: responding with 500"
                );
                json::Json::default().response(&fault)
            }
        };
        for cookie in &failure.set_cookies {
            response.headers_mut().append(http::header::SET_COOKIE, cookie.clone());
        }
        response
    }

    fn choose<'a>(
        &'a self,
        own: &'a [ErrorHandler],
        failure: &Failure,
        request: FailedRequest<'_>,
    ) -> Result<&'a ErrorHandler, Box<Failure>> {
        let mut matching = own.iter().filter(|handler| handler.when.holds(failure, request));
        match (matching.next(), matching.next()) {
            (Some(only), None) => return Ok(only),
            (Some(_), Some(_)) => return Err(Failure::internal("more than one error handler of the rule matches")),
            (None, _) => {}
        }
        for handler in &self.0 {
            match handler {
                Ok(handler) if handler.when.holds(failure, request) => return Ok(handler),
                Ok(_) => {}
                Err(reason) => return Err(Failure::internal(reason.clone())),
            }
        }
        Err(Failure::internal("no error handler matches"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    fn answer(errors: Value, own: &[(&str, Value)], failure: &Failure) -> Response<String> {
        let errors: Errors = serde_json::from_value(errors).unwrap();
        let own: Vec<_> = own.iter().map(|(name, it)| ErrorHandler::compile(name, it.clone()).unwrap()).collect();
        let headers = HeaderMap::new();
        let request = FailedRequest { headers: &headers, client_address: None, original_url: Some("http://h/a?b") };
        Fallbacks::compile(&errors).answer(&own, failure, request)
    }

    #[test]
    fn without_settings_json_responds() {
        let response = answer(json!({}), &[], &Failure::unauthorized());
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    }

    #[test]
    fn the_rules_own_handler_responds_when_its_condition_holds() {
        let own = [("redirect", json!({"to": "/login", "when": [{"error": ["unauthorized"]}]}))];
        assert_eq!(answer(json!({}), &own, &Failure::unauthorized()).status(), StatusCode::FOUND);
        assert_eq!(answer(json!({}), &own, &Failure::forbidden()).status(), StatusCode::FORBIDDEN);
    }

    #[test]
    fn two_matching_handlers_are_an_error() {
        let own = [("redirect", json!({"to": "/login"})), ("json", json!({}))];
        assert_eq!(answer(json!({}), &own, &Failure::forbidden()).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn fallbacks_respond_in_order_under_their_own_conditions() {
        let errors = json!({
            "fallback": ["redirect", "www_authenticate"],
            "handlers": {
                "redirect": {"enabled": true, "config": {"to": "/login", "when": [{"error": ["forbidden"]}]}},
                "www_authenticate": {"enabled": true, "config": {"realm": "r", "when": [{"error": ["unauthorized"]}]}}
            }
        });
        assert_eq!(answer(errors.clone(), &[], &Failure::forbidden()).status(), StatusCode::FOUND);
        let unauthorized = answer(errors.clone(), &[], &Failure::unauthorized());
        assert_eq!(unauthorized.headers()["www-authenticate"], "Basic realm=\"r\"");
        assert_eq!(answer(errors, &[], &Failure::no_rule()).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn a_fallback_that_is_not_enabled_is_an_error() {
        let errors = json!({"fallback": ["redirect", "json"]});
        assert_eq!(answer(errors.clone(), &[], &Failure::forbidden()).status(), StatusCode::INTERNAL_SERVER_ERROR);
        let errors: Errors = serde_json::from_value(errors).unwrap();
        assert_eq!(Fallbacks::compile(&errors).faults().count(), 1);
    }

    #[test]
    fn invalid_cookies_are_deleted_by_every_handler() {
        let mut failure = Failure::unauthorized();
        failure.set_cookies.push(http::HeaderValue::from_static("s=; Max-Age=0"));
        let response = answer(json!({}), &[("redirect", json!({"to": "/"}))], &failure);
        assert_eq!(response.headers()["set-cookie"], "s=; Max-Age=0");
    }
}
