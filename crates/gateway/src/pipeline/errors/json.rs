//! `json`: the error envelope of the REST APIs. Unless it is verbose it says no more than the status does.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use web::RestError;

use super::{Definition, FailedRequest, Form};
use crate::domain::failure::Failure;
use crate::pipeline::settings;

pub(super) const HANDLER: Definition<dyn Form, ()> =
    Definition::new::<Json>("json", |settings, ()| Ok(Box::new(Json::compile(settings)?)));

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Json {
    /// Whether the response says why the request was refused.
    verbose: bool,
}

impl Json {
    fn compile(settings: Value) -> Result<Self, String> {
        settings::read(settings)
    }

    pub(super) fn response(&self, failure: &Failure) -> Response<String> {
        let message = match general_message(failure.status) {
            Some(message) if !self.verbose => message.to_owned(),
            _ => failure.message.clone().into_owned(),
        };
        let mut error = RestError::new(failure.status, message);
        if self.verbose {
            if let Some(reason) = &failure.reason {
                error = error.with_reason(reason.clone());
            }
            for (name, value) in &failure.details {
                error = error.with_detail(name.clone(), value.clone());
            }
        }
        let mut response = Response::new(error.to_value().to_string());
        *response.status_mut() = failure.status;
        response.headers_mut().extend(failure.headers.clone());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        response
    }
}

impl Form for Json {
    fn answer(&self, failure: &Failure, _: FailedRequest<'_>) -> Response<String> {
        self.response(failure)
    }
}

/// What a status says by itself.
fn general_message(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::BAD_REQUEST => Some("The request cannot be accepted as it is"),
        StatusCode::UNAUTHORIZED => Some("Authentication required"),
        StatusCode::FORBIDDEN => Some("This is not allowed"),
        StatusCode::NOT_FOUND => Some("There is no such resource"),
        StatusCode::CONFLICT => Some("The resource could not be created due to a conflict"),
        StatusCode::PAYLOAD_TOO_LARGE => Some("The body of this request is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some("The request is using an unknown content type"),
        StatusCode::TOO_MANY_REQUESTS => Some("Too many requests"),
        StatusCode::INTERNAL_SERVER_ERROR => {
            Some("An internal error occurred; the log has details under the id of this request")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(settings: Value, failure: &Failure) -> Value {
        serde_json::from_str(Json::compile(settings).unwrap().response(failure).body()).unwrap()
    }

    #[test]
    fn only_a_verbose_handler_says_more_than_the_status() {
        let failure = Failure::unauthorized().because("expired").with_detail("jwt_claims", json!({"sub": "a"}));
        assert_eq!(
            body(json!({}), &failure),
            json!({"error": {"code": 401, "status": "Unauthorized", "message": "Authentication required"}})
        );
        assert_eq!(
            body(json!({"verbose": true}), &failure),
            json!({"error": {"code": 401, "status": "Unauthorized", "message": "The credentials of this request are not valid",
                             "reason": "expired", "details": {"jwt_claims": {"sub": "a"}}}})
        );
    }

    #[test]
    fn headers_of_the_failure_are_sent() {
        let failure =
            Failure::too_many_requests().with_header(http::header::RETRY_AFTER, HeaderValue::from_static("7"));
        let response = Json::default().response(&failure);
        assert_eq!(
            (response.status(), &response.headers()["retry-after"]),
            (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from_static("7"))
        );
    }

    #[test]
    fn an_outage_keeps_its_words() {
        let message = body(json!({}), &Failure::unavailable("x"))["error"]["message"].clone();
        assert_eq!(message, json!("What this request depends on does not answer now; try again in a while"));
    }
}
