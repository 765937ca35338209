//! This service's section of the configuration: the keys of Keto, with a few additions.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::write_validation::WriteRules;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    pub namespaces: Namespaces,
    pub limit: Limits,
    pub feature_flags: FeatureFlags,
    /// Whether a relation tuple that is written must have a declared relation and a subject of a declared type: `strict`, or
    /// `lax`, as Keto accepts them. A subject id has no type: `strict` accepts it where the relation accepts objects of a
    /// namespace without a condition, and `feature_flags.strict_mode` refuses it everywhere. A file of Keto has `lax` by default.
    pub write_validation: WriteValidation,
    pub graph: Graph,
}

impl Config {
    /// Only declared types of subjects count.
    pub(crate) fn is_strict_mode(&self) -> bool {
        self.feature_flags.strict_mode
            || matches!(&self.namespaces, Namespaces::Language(language) if language.experimental_strict_mode)
    }

    pub(crate) fn write_rules(&self) -> WriteRules {
        WriteRules {
            checks_types: self.write_validation == WriteValidation::Strict,
            refuses_subject_ids: self.is_strict_mode(),
        }
    }
}

/// The relation tuples in memory, which answer questions without the database.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Graph {
    /// Whether relation tuples are kept in memory. Without that, checks and expansions read the database, and searches are not
    /// available (503).
    pub enabled: bool,
    /// The most memory that they take, in bytes; by default a quarter of what the machine or the container has. More tuples are
    /// not kept in memory, and the database answers.
    pub max_bytes: Option<u64>,
}

/// The share of the memory, and the bytes where the system does not say how much there is.
const SHARE_OF_MEMORY: u64 = 4;
const BYTES_OF_UNKNOWN_MEMORY: u64 = 512 * 1024 * 1024;

impl Default for Graph {
    fn default() -> Self {
        Self { enabled: true, max_bytes: None }
    }
}

impl Graph {
    /// 0 when no tuples are kept.
    pub(crate) fn max_bytes(&self) -> u64 {
        let share = || telemetry::machine::memory_bytes().map_or(BYTES_OF_UNKNOWN_MEMORY, |it| it / SHARE_OF_MEMORY);
        if self.enabled { self.max_bytes.unwrap_or_else(share) } else { 0 }
    }
}

/// The permission model.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Namespaces {
    // Before `Language`, because serde reads an empty list as a struct whose members all have defaults.
    List(Vec<NamedNamespace>),
    Language(Language),
    /// The URL of a file or a folder with a namespace in each file, in the format that preceded the Ory Permission Language:
    /// YAML, JSON or TOML.
    Location(String),
}

impl Default for Namespaces {
    fn default() -> Self {
        Self::Location("file://./keto_namespaces".to_owned())
    }
}

/// A model in the Ory Permission Language.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Language {
    /// Where the permission model is: `file://` and the path of a file or a folder, whose files form one model; `base64://`;
    /// `http://` or `https://`. A document has 1 MiB at most.
    pub location: String,
    /// Use `feature_flags.strict_mode`.
    pub experimental_strict_mode: bool,
}

/// A namespace without declarations: any relation, and any subject.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct NamedNamespace {
    /// The name of a namespace that accepts any relation and any subject.
    pub name: String,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FeatureFlags {
    /// Whether only declared types of subjects count, and subject ids, which have no type, are refused in checks and new
    /// relation tuples.
    pub strict_mode: bool,
    /// Whether an expansion follows permits to the relations that they depend on.
    pub expand_rewrites: bool,
}

/// Bounds of one request.
#[expect(clippy::struct_field_names, reason = "the fields have the names of the keys")]
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limits {
    /// How many objects and subject sets a check follows from one to the next, and how many levels an expansion has. A check that
    /// would need more has no answer (422).
    pub max_read_depth: u16,
    /// How many subject sets of one relation of an object a check follows, the first ones by name. A check that would need more
    /// has no answer (422).
    pub max_read_width: u16,
    /// How many relation tuples one request checks.
    pub max_batch_check_size: u16,
    /// How many nodes an expansion has.
    pub max_expand_size: u16,
}

impl Limits {
    pub(crate) const fn batch_size(self) -> u16 {
        self.max_batch_check_size
    }

    pub(crate) const fn expand_size(self) -> u16 {
        self.max_expand_size
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_read_depth: 5, max_read_width: 100, max_batch_check_size: 10, max_expand_size: 4_000 }
    }
}

/// How relation tuples are validated when they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WriteValidation {
    #[default]
    Lax,
    Strict,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(section: Value) -> Config {
        serde_json::from_value(section).unwrap()
    }

    #[test]
    fn an_empty_section_is_that_of_keto() {
        let config = read(json!({}));
        assert!(matches!(&config.namespaces, Namespaces::Location(uri) if uri == "file://./keto_namespaces"));
        assert_eq!(config.write_rules(), WriteRules { checks_types: false, refuses_subject_ids: false });
    }

    #[test]
    fn the_graph_is_bounded_by_default_and_can_be_switched_off() {
        let bytes = |graph: Value| read(json!({ "graph": graph })).graph.max_bytes();
        assert!(read(json!({})).graph.max_bytes() > 1 << 20);
        assert_eq!(bytes(json!({ "max_bytes": 1000 })), 1000);
        assert_eq!(bytes(json!({ "max_bytes": 1000, "enabled": false })), 0);
    }

    #[test]
    fn namespaces_have_three_forms() {
        let of = |namespaces: Value| read(json!({ "namespaces": namespaces })).namespaces;
        assert!(matches!(of(json!("file:///a")), Namespaces::Location(_)));
        assert!(matches!(of(json!([{"id": 1, "name": "a"}])), Namespaces::List(list) if list[0].name == "a"));
        assert!(matches!(of(json!([])), Namespaces::List(list) if list.is_empty()));
        assert!(matches!(of(json!({"location": "file:///a"})), Namespaces::Language(it) if it.location == "file:///a"));
    }

    #[test]
    fn both_keys_of_strict_mode_count() {
        let strict = |section: Value| read(section).write_rules().refuses_subject_ids;
        assert!(strict(json!({"feature_flags": {"strict_mode": true}})));
        assert!(strict(json!({"namespaces": {"location": "file:///a", "experimental_strict_mode": true}})));
        assert!(!strict(json!({"namespaces": {"location": "file:///a"}})));
        assert!(read(json!({"write_validation": "strict"})).write_rules().checks_types);
    }
}
