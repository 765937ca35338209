//! Descriptions of the types of keys, from the JSON schemas.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::schema::Place;

/// The type of a key: `boolean`, `duration`, `list of texts`.
pub(super) fn in_words(places: &[Place<'_>]) -> String {
    let variants: BTreeSet<String> = places.iter().flat_map(|place| listed(place.node())).collect();
    if variants.iter().all(|it| ["false", "true"].contains(&it.as_str())) && !variants.is_empty() {
        return "boolean".to_owned();
    }
    if !variants.is_empty() {
        return variants.into_iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    }
    let mut words: Vec<String> = Vec::new();
    for place in places {
        for kind in place.types() {
            let word = match kind {
                "string" => of_text(place.node()).to_owned(),
                "array" => of_list(*place),
                "object" => "map".to_owned(),
                "null" => continue,
                other => other.to_owned(),
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words.join(" or ")
}

fn listed(node: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values = node.get("enum").and_then(Value::as_array).into_iter().flatten();
    values.chain(node.get("const")).filter(|value| value.as_str() != Some("")).map(text).collect()
}

fn of_text(node: &Value) -> &'static str {
    let is_duration = |it: &str| it.contains("(ns|us|");
    match node.get("format").and_then(Value::as_str) {
        Some("uri" | "uri-reference") => "URL",
        _ if node.get("pattern").and_then(Value::as_str).is_some_and(is_duration) => "duration",
        _ => "text",
    }
}

fn of_list(place: Place<'_>) -> String {
    let items: Vec<Place<'_>> = place.items().into_iter().flat_map(Place::expand).collect();
    match in_words(&items).as_str() {
        "" => "list".to_owned(),
        "text" => "list of texts".to_owned(),
        "URL" => "list of URLs".to_owned(),
        "integer" => "list of integers".to_owned(),
        items => format!("list of {items}"),
    }
}
