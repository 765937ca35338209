//! The allowed answers to hostile input.

use anyhow::{Context as _, Result, ensure};

use super::routes::{Place, Route};
use super::wire::Answer;

/// Not a server error, and if it is a refusal, in the listener's format. Any other answer is allowed.
pub(crate) fn sane(place: Place, answer: &Answer) -> Result<()> {
    ensure!(answer.status < 500, "a 5xx: {}", answer.summary());
    if answer.status >= 400 { in_the_format_of(place, answer) } else { Ok(()) }
}

/// A refusal in the listener's format.
pub(crate) fn refused(place: Place, answer: &Answer) -> Result<()> {
    ensure!((400..500).contains(&answer.status), "not refused: {}", answer.summary());
    in_the_format_of(place, answer)
}

/// A refusal that names the field.
pub(crate) fn refused_by_name(place: Place, answer: &Answer, name: &str) -> Result<()> {
    refused(place, answer)?;
    ensure!(answer.text().contains(name), "`{name}` is not named: {}", answer.summary());
    Ok(())
}

/// Like [`refused`], or a redirect to a page.
pub(crate) fn refused_or_led_on(place: Place, answer: &Answer) -> Result<()> {
    if matches!(answer.status, 302 | 303) {
        ensure!(!answer.header("location").is_empty(), "a redirect to nowhere: {}", answer.summary());
        return Ok(());
    }
    refused(place, answer)
}

/// A refusal by the HTTP parser, which happens before a request exists that could be answered in the listener's format.
pub(crate) fn refused_by_the_parser(answer: &Answer) -> Result<()> {
    ensure!(matches!(answer.status, 400 | 414 | 431 | 501 | 505), "not refused: {}", answer.summary());
    ensure!(
        answer.header("connection").eq_ignore_ascii_case("close"),
        "the connection stays open: {}",
        answer.summary()
    );
    Ok(())
}

/// Each listener has one error format; people get a page.
fn in_the_format_of(place: Place, answer: &Answer) -> Result<()> {
    let is = |essence: &str| answer.header("content-type").starts_with(essence);
    if is("text/html") {
        ensure!(answer.text().contains("<h1"), "a page without a heading: {}", answer.summary());
        return Ok(());
    }
    ensure!(is("application/json"), "neither JSON nor a page: {}", answer.summary());
    let body = answer.json().with_context(|| format!("no JSON: {}", answer.summary()))?;
    let text = |pointer: &str| body.pointer(pointer).and_then(|value| value.as_str()).is_some_and(|it| !it.is_empty());
    let has_format = match place {
        // An incomplete flow is returned with its messages.
        Place::IdentityPublic if body.pointer("/ui/nodes").is_some() => true,
        // The status of a denied check is 403.
        Place::PermissionsRead if body.pointer("/allowed").is_some() => answer.status == 403,
        // The errors of AuthZEN are JSON strings.
        Place::PermissionsRead if body.is_string() => text("") && answer.path().starts_with("/access/v1/"),
        // Those of Connect have no member `error`.
        Place::PermissionsRead | Place::PermissionsWrite | Place::PermissionsOpl
            if body.get("code").is_some_and(serde_json::Value::is_string) =>
        {
            is_procedure(answer.path()) && text("/code") && text("/message")
        }
        Place::IdentityPublic
        | Place::IdentityAdmin
        | Place::PermissionsRead
        | Place::PermissionsWrite
        | Place::PermissionsOpl
        | Place::GatewayProxy
        | Place::GatewayApi => {
            body.pointer("/error/code").and_then(serde_json::Value::as_u64) == Some(answer.status.into())
                && text("/error/status")
                && text("/error/message")
        }
        // RFC 6749 section 5.2; an answered challenge has the redirect URL.
        Place::OauthPublic | Place::OauthAdmin => {
            (text("/error") && body.get("error_description").is_some())
                || (answer.status == 410 && text("/redirect_to"))
        }
    };
    ensure!(has_format, "not the format of {place:?}: {}", answer.summary());
    Ok(())
}

/// `/package.Service/Method`.
fn is_procedure(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts[..], ["", service, method] if service.contains('.') && !method.is_empty())
}

/// Describes the request for a failed assertion.
pub(crate) fn about(route: &Route, what: impl std::fmt::Debug) -> String {
    let what: String = format!("{what:?}").chars().take(300).collect();
    format!("{} {:?} {} with {what}", route.method, route.place, route.path)
}
