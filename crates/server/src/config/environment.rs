//! Environment variables as configuration: `KLEIS_OAUTH_TTL_ACCESS_TOKEN` sets `oauth.ttl.access_token`.
//!
//! The names that deployments of the replaced programs use work as well: with their prefix (`HYDRA_...`), and without one when
//! a single service runs. Keys that every service shares (`DSN`, `LOG_...`, `TRACING_...`) never need a prefix. A name is
//! matched against the schema, so that `_` can stand for a dot, a dash or itself.

use std::net::IpAddr;

use serde_json::{Number, Value};

use super::document::{self, Step};
use super::schema::{Place, Schemas};
use super::spelling::Variable;
use super::{Fault, Service};

/// Names that belong to the command line, not to the configuration.
const NOT_CONFIGURATION: &[&str] = &[
    "KLEIS_CONFIG",
    "KLEIS_DATA",
    "KLEIS_ENDPOINT",
    "KLEIS_TOKEN",
    "KLEIS_FORMAT",
    "KLEIS_READ_REMOTE",
    "KLEIS_WRITE_REMOTE",
];
/// Keys of the schemas that are too common as names of variables.
const TOO_COMMON: &[&str] = &["VERSION", "HELP", "CONFIG", "DEV"];
const SHARED: &[&str] = &["DSN", "LOG_", "TRACING_"];

/// Whether a variable is one that Kubernetes sets for each Service of a namespace, by its name and value. The variables of a
/// Service named `kleis` have our prefix.
fn is_service_link(name: &str, text: &str) -> bool {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let is_protocol = |text: &str| ["tcp", "udp", "sctp"].contains(&text);
    let is_url = |text: &str| {
        let parts = text.split_once("://").and_then(|(protocol, rest)| Some((protocol, rest.rsplit_once(':')?)));
        parts.is_some_and(|(protocol, (host, port))| {
            is_protocol(protocol) && is_address(host.trim_matches(['[', ']'])) && is_port(port)
        })
    };
    match of_a_port(name) {
        Some((None, None)) => return is_url(text),
        Some((Some("PROTO"), None)) => return is_protocol(text),
        Some((Some("PORT"), None)) => return is_port(text),
        Some((Some("ADDR"), None)) => return is_address(text),
        Some(_) | None => {}
    }
    (name.ends_with("_SERVICE_HOST") && is_address(text))
        || ((name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_")) && is_port(text))
        || (name.ends_with("_PORT") && is_url(text))
}

/// The parts of a name such as `KLEIS_PORT_4433_TCP_ADDR` after the protocol: none, one word or more.
fn of_a_port(name: &str) -> Option<(Option<&str>, Option<&str>)> {
    let (_, rest) = name.split_once("_PORT_")?;
    let mut steps = rest.split('_');
    let (port, protocol) = (steps.next()?, steps.next()?);
    let is_named = port.parse::<u16>().is_ok() && ["TCP", "UDP", "SCTP"].contains(&protocol);
    is_named.then(|| (steps.next(), steps.next()))
}

/// Writes the values of the variables into `configuration`; returns those that set a key.
pub(super) fn apply(
    variables: &[(String, String)],
    selected: &[Service],
    schemas: &Schemas,
    configuration: &mut Value,
    faults: &mut Vec<Fault>,
) -> Result<Vec<Variable>, Fault> {
    let root = schemas.root()?;
    let mut applied = Vec::new();
    let variables: Vec<&(String, String)> =
        variables.iter().filter(|(name, text)| !is_service_link(name, text)).collect();
    // From the most general name to the most specific, so that the more specific name wins.
    for variable in variables.iter().copied() {
        let (name, text) = variable;
        if let [service] = selected
            && !TOO_COMMON.contains(&name.as_str())
            && let Some((path, value)) = resolve(&schemas.of(*service)?.start(), name, text)
        {
            applied.extend(write(configuration, Some(*service), path, value, variable, faults));
        } else if SHARED.iter().any(|shared| name == shared || (shared.ends_with('_') && name.starts_with(shared)))
            && let Some((path, value)) = resolve(&root.start(), name, text)
        {
            applied.extend(write(configuration, None, path, value, variable, faults));
        }
    }
    for variable in variables.iter().copied() {
        let (name, text) = variable;
        for service in schemas.services() {
            let prefix = service.definition().replaced.as_ref().map(|it| it.environment_prefix);
            if let Some(rest) = prefix.and_then(|prefix| name.strip_prefix(prefix))
                && let Some((path, value)) = resolve(&schemas.of(service)?.start(), rest, text)
            {
                applied.extend(write(configuration, Some(service), path, value, variable, faults));
            }
        }
    }
    for variable in variables.iter().copied() {
        let (name, text) = variable;
        let Some(rest) = name.strip_prefix("KLEIS_") else { continue };
        if NOT_CONFIGURATION.contains(&name.as_str()) {
            continue;
        }
        let service = schemas.services().find_map(|service| {
            let rest = rest.strip_prefix(&envelope(service.name()))?.strip_prefix('_')?;
            Some((service, rest))
        });
        let found = match service {
            Some((service, rest)) => resolve(&schemas.of(service)?.start(), rest, text).map(|it| (Some(service), it)),
            None => resolve(&root.start(), rest, text).map(|it| (None, it)),
        };
        match found {
            Some((service, (path, value))) => {
                applied.extend(write(configuration, service, path, value, variable, faults));
            }
            None => faults.push(Fault::new(name, "is not a configuration key")),
        }
    }
    Ok(applied)
}

/// Sets the value; returns the key that the variable sets.
fn write(
    configuration: &mut Value,
    service: Option<Service>,
    path: Vec<Step>,
    value: Value,
    (name, text): &(String, String),
    faults: &mut Vec<Fault>,
) -> Option<Variable> {
    let mut steps: Vec<Step> = service.map(|service| Step::Key(service.name().to_owned())).into_iter().collect();
    steps.extend(path);
    if !document::set(configuration, &steps, value) {
        faults.push(Fault::new(name, "has an index that is too large"));
        return None;
    }
    let step = |step: &Step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    };
    let path = steps.iter().map(step).collect::<Vec<_>>().join(".");
    Some(Variable { name: name.clone(), path, is_empty: text.is_empty() })
}

/// The key of `name` and its value, converted to the type of the schema.
fn resolve(places: &[Place<'_>], name: &str, text: &str) -> Option<(Vec<Step>, Value)> {
    let mut path = Vec::new();
    let target = find(places, name, &mut path)?;
    Some((path, cast(&target, text)))
}

fn find<'a>(places: &[Place<'a>], name: &str, path: &mut Vec<Step>) -> Option<Vec<Place<'a>>> {
    if name.is_empty() {
        return Some(places.to_vec());
    }
    let mut keys: Vec<(&str, Place<'a>)> = places.iter().flat_map(Place::keys).collect();
    // The longest name first: `base_url` before `base`.
    keys.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
    for (key, place) in keys {
        if let Some(rest) = after(name, &envelope(key)) {
            path.push(Step::Key(key.to_owned()));
            if let Some(found) = find(&place.expand(), rest, path) {
                return Some(found);
            }
            path.pop();
        }
    }
    let (head, rest) = name.split_once('_').unwrap_or((name, ""));
    if let (Ok(index), Some(items)) = (head.parse::<usize>(), places.iter().find_map(Place::items)) {
        path.push(Step::Index(index));
        if let Some(found) = find(&items.expand(), rest, path) {
            return Some(found);
        }
        path.pop();
    }
    let others: Vec<Place<'a>> = places.iter().flat_map(Place::any_key).flat_map(Place::expand).collect();
    if !others.is_empty() {
        path.push(Step::Key(head.to_ascii_lowercase()));
        if let Some(found) = find(&others, rest, path) {
            return Some(found);
        }
        path.pop();
    }
    None
}

/// The part of `name` after `key`, if `name` begins with it as a whole word.
fn after<'a>(name: &'a str, key: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(key)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('_') }
}

/// A key as it is spelled in the environment.
pub(crate) fn envelope(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn cast(places: &[Place<'_>], text: &str) -> Value {
    let types: Vec<&str> = places.iter().flat_map(Place::types).collect();
    let takes = |kind: &str| types.contains(&kind);
    let json = || serde_json::from_str::<Value>(text).ok();
    // The spellings of Go's `strconv.ParseBool`, which the replaced programs accept.
    if takes("boolean") {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => return true.into(),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => return false.into(),
            _ => {}
        }
    }
    if takes("integer")
        && let Ok(value) = text.parse::<i64>()
    {
        return value.into();
    }
    if takes("number")
        && let Some(value) = text.parse().ok().and_then(Number::from_f64)
    {
        return Value::Number(value);
    }
    if (takes("array") && text.starts_with('[') || takes("object") && text.starts_with('{'))
        && let Some(value) = json()
    {
        return value;
    }
    if takes("array") && !takes("string") {
        return text.split(',').map(|item| Value::from(item.trim())).collect();
    }
    if types.is_empty()
        && let Some(value @ (Value::Object(_) | Value::Array(_))) = json()
    {
        return value;
    }
    text.into()
}

/// The dotted path that a variable of ours sets.
#[cfg(test)]
pub(crate) fn path_of(name: &str) -> Option<String> {
    let (mut configuration, mut faults) = (serde_json::json!({}), Vec::new());
    let variables = [(name.to_owned(), "1".to_owned())];
    apply(&variables, &Service::ALL, &Schemas::default(), &mut configuration, &mut faults).ok()?;
    document::leaves(&configuration).into_iter().next().filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(variables: &[(&str, &str)], selected: &[Service]) -> (Value, Vec<Fault>) {
        let variables: Vec<_> = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let (mut configuration, mut faults) = (json!({}), Vec::new());
        apply(&variables, selected, &Schemas::default(), &mut configuration, &mut faults).unwrap();
        (configuration, faults)
    }

    #[test]
    fn names_are_matched_against_the_schema_and_values_converted_by_it() {
        let (configuration, faults) = applied(
            &[
                ("KLEIS_DSN", "memory"),
                ("KLEIS_OAUTH_TTL_ACCESS_TOKEN", "5m"),
                ("KLEIS_OAUTH_SERVE_PUBLIC_PORT", "4444"),
                ("KLEIS_IDENTITY_SELFSERVICE_METHODS_PASSWORD_ENABLED", "true"),
                ("KLEIS_IDENTITY_SELFSERVICE_METHODS_OIDC_CONFIG_PROVIDERS_0_CLIENT_ID", "abc"),
                ("KLEIS_IDENTITY_SECRETS_COOKIE", "one, two"),
                ("KLEIS_IDENTITY_SESSION_COOKIE_SAME_SITE", "Lax"),
                ("KLEIS_GATEWAY_ERRORS_FALLBACK", r#"["json"]"#),
                ("KLEIS_ADMIN_UNPROTECTED", "true"),
                ("KLEIS_OAUTH_OAUTH2_EXPOSE_INTERNAL_ERRORS", "1"),
                ("KLEIS_OAUTH_DEV", "False"),
            ],
            &Service::ALL,
        );
        assert_eq!(faults, []);
        assert_eq!(
            configuration,
            json!({
                "dsn": "memory",
                "oauth": {
                    "ttl": {"access_token": "5m"}, "serve": {"public": {"port": 4444}},
                    "oauth2": {"expose_internal_errors": true}, "dev": false,
                },
                "identity": {
                    "selfservice": {"methods": {"password": {"enabled": true}, "oidc": {"config": {"providers": [{"client_id": "abc"}]}}}},
                    "secrets": {"cookie": ["one", "two"]},
                    "session": {"cookie": {"same_site": "Lax"}},
                },
                "gateway": {"errors": {"fallback": ["json"]}},
                "admin": {"unprotected": true},
            })
        );
    }

    #[test]
    fn classic_names_work_with_a_prefix_and_alone_when_one_service_runs() {
        let variables = [("URLS_SELF_ISSUER", "http://a"), ("HYDRA_URLS_LOGIN", "http://b"), ("LOG_LEVEL", "debug")];
        let (all, _) = applied(&variables, &Service::ALL);
        assert_eq!(all, json!({"oauth": {"urls": {"login": "http://b"}}, "log": {"level": "debug"}}));
        let (one, _) = applied(&variables, &[Service::OAUTH]);
        let urls = json!({"self": {"issuer": "http://a"}, "login": "http://b"});
        assert_eq!(one, json!({"oauth": {"urls": urls, "log": {"level": "debug"}}}));
    }

    #[test]
    fn variables_that_kubernetes_sets_for_a_service_are_ignored_and_misspellings_are_not() {
        let links = [
            ("KLEIS_PORT", "tcp://10.96.0.7:4433"),
            ("KLEIS_SERVICE_HOST", "10.96.0.7"),
            ("KLEIS_SERVICE_PORT", "4433"),
            ("KLEIS_SERVICE_PORT_HTTP_PUBLIC", "4433"),
            ("KLEIS_PORT_4433_TCP", "tcp://10.96.0.7:4433"),
            ("KLEIS_PORT_4433_TCP_PROTO", "tcp"),
            ("KLEIS_PORT_4433_TCP_PORT", "4433"),
            ("KLEIS_PORT_4433_TCP_ADDR", "10.96.0.7"),
            ("KLEIS_PUBLIC_SERVICE_HOST", "fd00::7"),
            ("KLEIS_PUBLIC_PORT_80_TCP", "tcp://[fd00::7]:80"),
        ];
        assert_eq!(applied(&links, &Service::ALL), (json!({}), Vec::new()));
        let of_commands = [("KLEIS_READ_REMOTE", "127.0.0.1:4466"), ("KLEIS_WRITE_REMOTE", "127.0.0.1:4467")];
        assert_eq!(applied(&of_commands, &Service::ALL), (json!({}), Vec::new()));
        let misspelt = [("KLEIS_PORT", "4433"), ("KLEIS_SERVICE_HOST", "planted"), ("KLEIS_PORT_4433_TCP_ADDR", "x")];
        assert_eq!(applied(&misspelt, &Service::ALL).1.len(), 3);
    }

    #[test]
    fn an_unknown_name_with_our_prefix_is_a_fault_and_other_variables_are_ignored() {
        let (configuration, faults) =
            applied(&[("KLEIS_OAUTH_TTL_ACCES_TOKEN", "5m"), ("PATH", "/bin"), ("VERSION", "7")], &[Service::OAUTH]);
        assert_eq!(configuration, json!({}));
        assert_eq!(faults, [Fault::new("KLEIS_OAUTH_TTL_ACCES_TOKEN", "is not a configuration key")]);
    }
}
