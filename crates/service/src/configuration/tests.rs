use std::collections::BTreeMap;

use base::{GoDuration, Secret};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;

#[derive(Deserialize, JsonSchema)]
#[serde(default)]
struct Section {
    /// How long it takes,
    /// at most.
    lifespan: GoDuration,
    /// How it is done.
    #[serde(rename = "use")]
    used: Way,
    /// The recipients.
    names: Vec<String>,
    /// Whether it happens.
    enabled: Option<bool>,
    password: Option<Secret<String>>,
    /// More about it.
    more: More,
    /// Entries by name.
    by_name: BTreeMap<String, Entry>,
    /// Entries in their order.
    listed: Vec<Entry>,
    anything: Value,
}

#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    TheFirst,
    #[default]
    TheSecond,
}

#[derive(Deserialize, JsonSchema)]
#[serde(default)]
struct More {
    /// A number.
    count: u32,
    /// A text.
    text: String,
}

impl Default for More {
    fn default() -> Self {
        Self { count: 7, text: "a, \"b\"} (c)".to_owned() }
    }
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the keys count")]
struct Entry {
    /// Where it is.
    url: String,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            lifespan: GoDuration::from_seconds(3600),
            used: Way::default(),
            names: vec!["a".to_owned(), "b".to_owned()],
            enabled: None,
            password: None,
            more: More::default(),
            by_name: BTreeMap::new(),
            listed: Vec::new(),
            anything: Value::Null,
        }
    }
}

#[test]
fn keys_have_the_names_descriptions_and_defaults_of_their_fields() {
    let keys = Keys::of(&schema_of::<Section>());
    let found: Vec<(&str, Option<&str>, Option<Value>)> =
        keys.iter().map(|(path, key)| (path, key.description.as_deref(), key.default.clone())).collect();
    let wanted = [
        ("anything", None, None),
        ("by_name.*.url", Some("Where it is."), None),
        ("enabled", Some("Whether it happens."), None),
        ("lifespan", Some("How long it takes, at most."), Some(json!("1h"))),
        ("listed.*.url", Some("Where it is."), None),
        ("more.count", Some("A number."), Some(json!(7))),
        ("more.text", Some("A text."), Some(json!("a, \"b\"} (c)"))),
        ("names", Some("The recipients."), Some(json!(["a", "b"]))),
        ("password", None, None),
        ("use", Some("How it is done."), Some(json!("the_second"))),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_key_represents_the_keys_below_it_and_not_those_above() {
    let keys = Keys::of(&schema_of::<Section>());
    for path in ["anything.at.all", "by_name.x.url", "listed.0.url", "names.0", "more.count"] {
        assert!(keys.contain(path), "{path}");
    }
    for path in ["more", "by_name.x", "more.planted", "listed.0.planted", "planted"] {
        assert!(!keys.contain(path), "{path}");
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the keys count")]
enum Model {
    /// By its URL.
    Location(String),
    Named(Entry),
    Listed(Vec<Entry>),
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the keys count")]
struct OfModel {
    model: Model,
}

#[test]
fn a_text_that_may_be_an_object_is_a_key_itself() {
    let keys = Keys::of(&schema_of::<OfModel>());
    let found: Vec<_> = keys.iter().map(|(path, key)| (path, key.description.as_deref())).collect();
    let described = |path, text| (path, Some(text));
    let entry = "Where it is.";
    assert_eq!(
        found,
        [described("model", "By its URL."), described("model.*.url", entry), described("model.url", entry)]
    );
    assert!(keys.contain("model") && keys.contain("model.url") && keys.contain("model.0.url"));
    assert!(!keys.contain("model.planted") && !keys.contain("model.0.planted"));
}

#[test]
fn keys_of_several_types_are_joined_under_their_prefixes() {
    let mut keys = Keys::of(&schema_of::<More>());
    keys.add("serve.public", &schema_of::<Entry>());
    let paths: Vec<&str> = keys.iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["count", "serve.public.url", "text"]);
}
