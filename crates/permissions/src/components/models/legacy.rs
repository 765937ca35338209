//! Namespaces in the format that preceded the Ory Permission Language: a name, and nothing about relations.

use base::OfObjects;
use permission_language::{Model, Namespace};
use serde::Deserialize;

use super::document::Document;
use crate::domain::write_validation::NAMESPACE_BYTES;

/// The extensions of files in a folder.
pub(super) const EXTENSIONS: &[&str] = &["yaml", "yml", "json", "toml"];

/// A file. Its other members, `id` and `config`, have no effect.
#[derive(Deserialize)]
#[serde(expecting = "keys and values")]
struct Declaration {
    name: String,
}

/// The model of namespaces without declarations.
pub(super) fn model(names: &[String]) -> Result<Model, String> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if name.is_empty() || name.len() > NAMESPACE_BYTES || base::holds_nul(name) {
            return Err(format!(
                "the name of a namespace must have between 1 and {NAMESPACE_BYTES} bytes and no U+0000"
            ));
        }
        if !seen.insert(name) {
            return Err(format!("the namespace \"{name}\" is declared twice"));
        }
    }
    let namespaces = names.iter().map(|name| Namespace { name: name.clone(), ..Namespace::default() });
    Ok(Model { namespaces: namespaces.collect(), ..Model::default() })
}

pub(super) fn parse(documents: &[Document]) -> Result<Model, String> {
    let names: Vec<String> = documents.iter().map(name_in).collect::<Result<_, _>>()?;
    model(&names)
}

fn name_in(document: &Document) -> Result<String, String> {
    let Document { name, text } = document;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let declaration = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("toml") => toml::from_str(text).map_err(|error| error.message().to_owned()),
        Some("json") => serde_json::from_str(text).map_err(|error| error.to_string()),
        Some(_) | None => serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string()),
    };
    declaration
        .map(|OfObjects::<Declaration>(it)| it.name)
        .map_err(|error| format!("{name} does not declare one namespace: {error}"))
}
