//! `configuration.md`: all keys that have an effect.

use std::fmt::Write as _;

use serde_json::Value;
use service::configuration::{Key, Keys, schema_of};

use super::types;
use crate::config::keys::SectionKeys;
use crate::config::schema::{Schema, Schemas};
use crate::config::shared::{OF_SECTIONS, Root, Shared};
use crate::config::{Fault, Listener, Service, environment};

const INTRODUCTION: &str = "\
# Configuration

Every key that has an effect. A `kleis.yml` has the keys of the first part at the top, and a section for each service with the keys of
its part. The sections have the keys of the files of Kratos, Hydra and Oathkeeper, so that such a file works as it is; keys of
those files that have no effect are reported at the start and listed in [compatibility](../compatibility.md).

- Later wins: defaults, files in their order, environment variables, flags.
- An unknown key stops the start. `kleis doctor` checks a configuration without starting anything.
- `*` stands for a name or for a position in a list. In an environment variable a position counts from 0, and a name is one word.
- A duration is written like `30s`, `10m` or `1h30m`. A list in an environment variable is written as `a,b` or as JSON.
- Environment variables with the prefixes `KRATOS_`, `HYDRA_` and `OATHKEEPER_` work like those with the name of the service.

[configuration.schema.json](configuration.schema.json) is a JSON schema for editors. In YAML, name it in the first line:

```yaml
# yaml-language-server: $schema=docs/reference/configuration.schema.json
```

This page is made by `cargo xtask docs`.
";

const LISTENERS: &str = "\
`LISTENER` stands for the name of a listener. A listener binds to loopback unless its `host`, a base URL of another host, the file of a
replaced program or `--listen` says otherwise.
";

/// A chapter of the page.
pub(super) struct Part {
    pub(super) title: String,
    introduction: String,
    pub(super) rows: Vec<Row>,
}

/// One key.
pub(super) struct Row {
    pub(super) path: String,
    kind: String,
    default: String,
    variable: String,
    pub(super) description: String,
}

pub(super) fn document() -> Result<String, Fault> {
    let mut text = INTRODUCTION.to_owned();
    for part in parts()? {
        write_part(&mut text, &part);
    }
    Ok(text)
}

pub(super) fn parts() -> Result<Vec<Part>, Fault> {
    let schemas = Schemas::default();
    let mut keys = Keys::of(&schema_of::<Shared>());
    keys.add("", &schema_of::<Root>());
    let rows = rows(&keys, schemas.root()?, "KLEIS_", |_| true);
    let mut parts = vec![Part { title: "The whole process".to_owned(), introduction: String::new(), rows }];
    let mut sections = SectionKeys::default();
    parts.push(listeners(schemas.of(Service::OAUTH)?, schemas.of(Service::GATEWAY)?));
    for service in Service::ALL {
        let prefix = format!("KLEIS_{}_", environment::envelope(service.name()));
        let is_own = |path: &str| {
            let is_of_listener = service.definition().listeners.iter().any(|it| is_setting_of_listeners(path, it.name));
            !is_of_listener && !OF_SECTIONS.iter().any(|key| path.split('.').next() == Some(key))
        };
        let rows = self::rows(sections.of(service), schemas.of(service)?, &prefix, is_own);
        let introduction = "It can also have the keys `dsn`, `log` and `tracing` of the whole process.\n".to_owned();
        parts.push(Part { title: service.name().to_owned(), introduction, rows });
    }
    Ok(parts)
}

/// Whether every listener has the key.
fn is_setting_of_listeners(path: &str, listener: &str) -> bool {
    let key = path.strip_prefix("serve.").and_then(|it| it.strip_prefix(listener)).and_then(|it| it.strip_prefix('.'));
    key.is_some_and(|key| Keys::of(&schema_of::<Listener>()).contain(key))
}

/// The keys of listeners, which are the same for all; only the schema of the gateway has `timeout`.
fn listeners(schema: &Schema, schema_of_gateway: &Schema) -> Part {
    let mut keys = Keys::default();
    keys.add("serve.public", &schema_of::<Listener>());
    let mut rows = rows(&keys, schema, "KLEIS_SERVICE_", |_| true);
    let mut of_gateway = Keys::default();
    of_gateway.add("serve.proxy", &schema_of::<Listener>());
    rows.extend(self::rows(&of_gateway, schema_of_gateway, "KLEIS_GATEWAY_", |path| path.contains(".timeout.")));
    for row in &mut rows {
        row.path = row.path.replace("serve.public.", "serve.LISTENER.").replace("serve.proxy.", "serve.LISTENER.");
        row.variable = row.variable.replace("_PUBLIC_", "_LISTENER_").replace("_PROXY_", "_LISTENER_");
    }
    let mut introduction = LISTENERS.to_owned() + "\n| Listener | Port | For |\n| --- | --- | --- |\n";
    for service in Service::ALL {
        for listener in service.definition().listeners {
            let who = if listener.is_admin() { "operators and programs" } else { "everyone" };
            let _ = writeln!(introduction, "| `{service}.serve.{}` | {} | {who} |", listener.name, listener.port);
        }
    }
    Part { title: "Listeners".to_owned(), introduction, rows }
}

fn rows(keys: &Keys, schema: &Schema, prefix: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<Row> {
    let known = keys.iter().filter(|(path, _)| !schema.places(path).is_empty() && is_wanted(path));
    known.map(|(path, key)| row(path, key, schema, prefix)).collect()
}

fn row(path: &str, key: &Key, schema: &Schema, prefix: &str) -> Row {
    let default = match &key.default {
        None => String::new(),
        Some(Value::String(text)) if text.is_empty() => String::new(),
        Some(Value::Array(items)) if items.is_empty() => String::new(),
        Some(Value::Object(members)) if members.is_empty() => String::new(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
    };
    Row {
        path: path.to_owned(),
        kind: types::in_words(&schema.places(path)),
        default,
        variable: format!("{prefix}{}", variable(path, schema)),
        description: key.description.clone().unwrap_or_default(),
    }
}

/// The name of a key in the environment, without its prefix.
fn variable(path: &str, schema: &Schema) -> String {
    let mut above = String::new();
    let mut name = Vec::new();
    for step in path.split('.') {
        let is_list = schema.places(&above).iter().any(|place| place.items().is_some());
        name.push(match step {
            "*" if is_list => "0".to_owned(),
            "*" => "<NAME>".to_owned(),
            step => environment::envelope(step),
        });
        above = if above.is_empty() { step.to_owned() } else { format!("{above}.{step}") };
    }
    name.join("_")
}

fn write_part(text: &mut String, part: &Part) {
    // Writing to a `String` cannot fail.
    let _ = write!(text, "\n## {}\n", part.title);
    if !part.introduction.is_empty() {
        let _ = write!(text, "\n{}", part.introduction);
    }
    let mut group = "";
    for row in &part.rows {
        let first = row.path.split('.').next().unwrap_or_default();
        if first != group {
            group = first;
            let _ = write!(text, "\n### {group}\n\n| Key | Type | Default | Environment variable | Description |\n");
            text.push_str("| --- | --- | --- | --- | --- |\n");
        }
        let Row { path, kind, default, variable, description } = row;
        let cells = [format!("`{path}`"), kind.clone(), default.clone(), format!("`{variable}`"), description.clone()];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of names: of a header, a language, a method and a template.
    const NAMES: [&str; 4] = ["X", "EN", "PASSWORD", "RECOVERY"];

    fn sets(variable: &str, path: &str) -> bool {
        let fits = |(step, wanted): (&str, &str)| step == wanted || ["*", "LISTENER"].contains(&wanted);
        NAMES.iter().any(|name| {
            let written = environment::path_of(&variable.replace("<NAME>", name));
            let written = written.unwrap_or_default();
            let steps = written.split('.').rev().zip(path.split('.').rev());
            written.split('.').count() >= path.split('.').count() && steps.into_iter().all(fits)
        })
    }

    #[test]
    fn every_environment_variable_of_the_page_sets_its_key() {
        let rows = parts().unwrap().into_iter().flat_map(|part| part.rows);
        let fails = |row: &Row| {
            let variable = row.variable.replace("KLEIS_SERVICE_", "KLEIS_OAUTH_");
            let listener = if variable.contains("GATEWAY") { "_PROXY_" } else { "_PUBLIC_" };
            !sets(&variable.replace("_LISTENER_", listener), &row.path)
        };
        let failing: Vec<String> = rows.filter(fails).map(|row| row.variable).collect();
        assert_eq!(failing, Vec::<String>::new());
    }
}
