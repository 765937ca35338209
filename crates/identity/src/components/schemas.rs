//! The identity schemas of the configuration. They are loaded once, validated at the start and compiled once. Schemas over
//! HTTP are fetched before the first request that could need them, with the documents that they reference.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use url::Url;
use web::outbound::Client;

use crate::config::{self, BUILT_IN_SCHEMA, SchemaSource};
use crate::domain::traits_schema::SchemaError;
use crate::domain::{self, TraitsSchema};

const MAX_BYTES: usize = 1024 * 1024;
/// The maximum number of documents that one schema may reference.
const MAX_RESOURCES: usize = 32;
const BUILT_IN: &str = include_str!("../../schemas/person.schema.json");

/// A schema cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum SchemaLoadError {
    #[error("identity schema {id}: {url} cannot be read: {problem}")]
    Unreadable { id: String, url: String, problem: String },
    #[error("identity schema {id}: {source}")]
    Unusable {
        id: String,
        #[source]
        source: SchemaError,
    },
    #[error("identity schema {id}: references to {url} are not allowed")]
    ForbiddenReference { id: String, url: String },
    #[error("identity.default_schema_id names \"{0}\", which is not among identity.schemas")]
    UnknownDefault(String),
}

/// The schema does not exist, or cannot be selected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity schema `{0}` cannot be selected")]
pub struct UnknownSchema(pub String);

/// All schemas. A cheap clone.
#[derive(Clone)]
pub(crate) struct Schemas(Arc<Inner>);

struct Inner {
    default_id: String,
    sources: Vec<SchemaSource>,
    refuse_references: bool,
    http: Client,
    compiled: RwLock<HashMap<String, Arc<TraitsSchema>>>,
    /// Warnings about schemas that can be used anyway.
    remarks: RwLock<Vec<String>>,
    loading: tokio::sync::Mutex<()>,
}

impl Schemas {
    /// Loads the schemas that need no network.
    pub(crate) fn new(
        config: &config::Schemas,
        refuse_references: bool,
        http: Client,
    ) -> Result<Self, SchemaLoadError> {
        let schemas = Self(Arc::new(Inner {
            default_id: config.default_schema_id.clone(),
            sources: first_of_each_id(&config.schemas),
            refuse_references,
            http,
            compiled: RwLock::default(),
            remarks: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
        }));
        if !config.schemas.iter().any(|source| source.id == config.default_schema_id) {
            return Err(SchemaLoadError::UnknownDefault(config.default_schema_id.clone()));
        }
        if schemas.0.sources.len() < config.schemas.len() {
            schemas.remark("an id is listed twice; its first schema is used".to_owned());
        }
        for source in &schemas.0.sources {
            if is_remote(&source.url) {
                continue;
            }
            let document = schemas.parse(
                source,
                &source.url,
                &local(&source.url).map_err(|problem| unreadable(source, &source.url, problem))?,
            )?;
            let mut resources = HashMap::new();
            let mut pending = schemas.references(source, &document)?;
            // A local schema that references the network is loaded by `load`.
            if pending.iter().any(|url| is_remote(url)) {
                continue;
            }
            while let Some(url) = pending.pop() {
                if resources.contains_key(&url) || resources.len() >= MAX_RESOURCES {
                    continue;
                }
                let text = local(&url).map_err(|problem| unreadable(source, &url, problem))?;
                let resource = schemas.parse(source, &url, &text)?;
                pending.extend(schemas.references(source, &resource)?);
                resources.insert(url, resource);
            }
            schemas.compile(source, document, &resources)?;
        }
        Ok(schemas)
    }

    /// Fetches the schemas over HTTP that are not loaded yet. Call it before serving; if it fails, each request calls it
    /// again.
    pub(crate) async fn load(&self) -> Result<(), SchemaLoadError> {
        if self.is_complete() {
            return Ok(());
        }
        let _one_at_a_time = self.0.loading.lock().await;
        for source in &self.0.sources {
            if self.get(&source.id).is_some() {
                continue;
            }
            let document = self.parse(source, &source.url, &self.fetch(source, &source.url).await?)?;
            let mut resources = HashMap::new();
            let mut pending = self.references(source, &document)?;
            while let Some(url) = pending.pop() {
                if resources.contains_key(&url) || resources.len() >= MAX_RESOURCES {
                    continue;
                }
                let resource = self.parse(source, &url, &self.fetch(source, &url).await?)?;
                pending.extend(self.references(source, &resource)?);
                resources.insert(url, resource);
            }
            self.compile(source, document, &resources)?;
        }
        Ok(())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.0.compiled.read().unwrap_or_else(PoisonError::into_inner).len() == self.0.sources.len()
    }

    /// A schema by its id; `None` when it is unknown or, over HTTP, not loaded.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<TraitsSchema>> {
        self.0.compiled.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The schema that a request selected, if it may be selected.
    pub(crate) fn selectable(&self, chosen: Option<String>) -> Result<Option<String>, UnknownSchema> {
        let Some(chosen) = chosen else { return Ok(None) };
        let is_selectable = chosen == self.0.default_id
            || self.0.sources.iter().any(|source| source.id == chosen && source.selfservice_selectable);
        if is_selectable { Ok(Some(chosen)) } else { Err(UnknownSchema(chosen)) }
    }

    /// The schema of an identity; the default one when its own is no longer configured.
    pub(crate) fn of_person(&self, person: &domain::Identity) -> Result<Arc<TraitsSchema>, UnknownSchema> {
        self.by_id(Some(&person.schema_id)).or_else(|_| self.by_id(None))
    }

    /// A schema by its id; the default one without.
    pub(crate) fn by_id(&self, id: Option<&str>) -> Result<Arc<TraitsSchema>, UnknownSchema> {
        let id = id.unwrap_or(&self.0.default_id);
        self.get(id).ok_or_else(|| UnknownSchema(id.to_owned()))
    }

    pub(crate) fn default_id(&self) -> &str {
        &self.0.default_id
    }

    /// All ids, in the order of the configuration.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.sources.iter().map(|source| source.id.as_str())
    }

    /// Warnings about schemas that can be used anyway.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.0.remarks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn parse(&self, source: &SchemaSource, url: &str, text: &[u8]) -> Result<Value, SchemaLoadError> {
        if text.len() > MAX_BYTES {
            return Err(unreadable(source, url, "it is larger than 1 MiB".to_owned()));
        }
        let mut documents = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
        let document = documents.next().ok_or_else(|| unreadable(source, url, "it is empty".to_owned()))?;
        let mut document = document.map_err(|error| unreadable(source, url, error.to_string()))?;
        if let Some(base) = base_of(&document, url) {
            make_references_absolute(&mut document, &base);
        }
        let rest = text.get(documents.byte_offset()..).unwrap_or_default().trim_ascii();
        if !rest.is_empty() {
            self.remark(format!("{}: data after the end of its JSON document is ignored", source.id));
        }
        Ok(document)
    }

    fn remark(&self, text: String) {
        let mut remarks = self.0.remarks.write().unwrap_or_else(PoisonError::into_inner);
        if !remarks.contains(&text) {
            remarks.push(text);
        }
    }

    fn compile(
        &self,
        source: &SchemaSource,
        document: Value,
        resources: &HashMap<String, Value>,
    ) -> Result<(), SchemaLoadError> {
        let schema = TraitsSchema::compile(&source.id, document, resources)
            .map_err(|error| SchemaLoadError::Unusable { id: source.id.clone(), source: error })?;
        let mut compiled = self.0.compiled.write().unwrap_or_else(PoisonError::into_inner);
        compiled.insert(source.id.clone(), Arc::new(schema));
        Ok(())
    }

    /// The external documents that this one references.
    fn references(&self, source: &SchemaSource, document: &Value) -> Result<Vec<String>, SchemaLoadError> {
        let mut found = Vec::new();
        collect_references(document, &mut found);
        let own = document.get("$id").and_then(Value::as_str).unwrap_or_default().trim_end_matches('#').to_owned();
        found.retain(|url| *url != own);
        match found.iter().find(|url| self.0.refuse_references && !url.starts_with("base64://")) {
            Some(url) => Err(SchemaLoadError::ForbiddenReference { id: source.id.clone(), url: url.clone() }),
            None => Ok(found),
        }
    }

    async fn fetch(&self, source: &SchemaSource, url: &str) -> Result<Vec<u8>, SchemaLoadError> {
        if !is_remote(url) {
            return local(url).map_err(|problem| unreadable(source, url, problem));
        }
        let response = self.0.http.get(url).await.map_err(|error| unreadable(source, url, error.to_string()))?;
        if !response.status().is_success() {
            return Err(unreadable(source, url, format!("the response status is {}", response.status())));
        }
        Ok(response.into_body().to_vec())
    }
}

impl std::fmt::Debug for Schemas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

fn first_of_each_id(sources: &[SchemaSource]) -> Vec<SchemaSource> {
    let mut kept: Vec<SchemaSource> = Vec::new();
    for source in sources {
        if !kept.iter().any(|other| other.id == source.id) {
            kept.push(source.clone());
        }
    }
    kept
}

fn unreadable(source: &SchemaSource, url: &str, problem: String) -> SchemaLoadError {
    // A base64 URL contains the entire schema, so it is too long to show.
    let url = if url.starts_with("base64://") { "base64://…" } else { url };
    SchemaLoadError::Unreadable { id: source.id.clone(), url: url.to_owned(), problem }
}

fn is_remote(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// Reads a document without network access.
fn local(url: &str) -> Result<Vec<u8>, String> {
    if url == BUILT_IN_SCHEMA {
        return Ok(BUILT_IN.as_bytes().to_vec());
    }
    if let Some(text) = url.strip_prefix("base64://") {
        return STANDARD
            .decode(text)
            .or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')))
            .map_err(|error| error.to_string());
    }
    match url.strip_prefix("file://") {
        Some(path) => web::regular_files::read(Path::new(path)).map_err(|error| error.to_string()),
        None => Err("the URL must begin with file://, base64://, http:// or https://".to_owned()),
    }
}

/// The base URI of the references in a document (RFC 3986 section 5.1): its `$id`, or its URL.
fn base_of(document: &Value, url: &str) -> Option<Url> {
    let declared = document.get("$id").and_then(Value::as_str).and_then(|id| Url::parse(id).ok());
    declared
        .filter(|id| !id.cannot_be_a_base())
        .or_else(|| Url::parse(url).ok().filter(|url| ["file", "http", "https"].contains(&url.scheme())))
}

fn make_references_absolute(value: &mut Value, base: &Url) {
    match value {
        Value::Object(object) => {
            for (key, child) in object {
                match child {
                    Value::String(text) if key == "$ref" && !text.starts_with('#') && !text.contains("://") => {
                        if let Ok(absolute) = base.join(text) {
                            *text = absolute.to_string();
                        }
                    }
                    child => make_references_absolute(child, base),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| make_references_absolute(item, base)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn collect_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, child) in object {
                if key == "$ref"
                    && let Some(url) = child.as_str().and_then(|text| text.split('#').next())
                    && url.contains("://")
                {
                    into.push(url.to_owned());
                }
                collect_references(child, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::outbound::Destinations;

    fn load(sources: &[(&str, &str)], refuse: bool) -> Result<Schemas, SchemaLoadError> {
        let schemas = sources
            .iter()
            .map(|(id, url)| SchemaSource { id: (*id).into(), url: (*url).into(), selfservice_selectable: false })
            .collect();
        let config = config::Schemas { default_schema_id: "default".into(), schemas };
        Schemas::new(&config, refuse, Client::new(Destinations::Any, &base::TrustStore::bundled()))
    }

    fn inline(schema: &str) -> String {
        format!("base64://{}", STANDARD.encode(schema))
    }

    #[test]
    fn the_built_in_schema_is_valid() {
        let schemas = Schemas::new(
            &config::Schemas::default(),
            true,
            Client::new(Destinations::Any, &base::TrustStore::bundled()),
        )
        .unwrap();
        assert!(schemas.is_complete());
        let schema = schemas.get("default").unwrap();
        assert!(schema.fields()[0].extension.is_identifier());
    }

    #[test]
    fn errors_are_found_at_the_start() {
        assert!(matches!(load(&[], false), Err(SchemaLoadError::UnknownDefault(_))));
        assert!(matches!(load(&[("default", "file:///nowhere")], false), Err(SchemaLoadError::Unreadable { .. })));
        assert!(matches!(load(&[("default", "ftp://x")], false), Err(SchemaLoadError::Unreadable { .. })));
        assert!(matches!(load(&[("default", "base64://")], false), Err(SchemaLoadError::Unreadable { .. })));
        let wrong = inline(r#"{"properties":{"traits":{"properties":{}}}}"#);
        assert!(matches!(load(&[("default", &wrong)], false), Err(SchemaLoadError::Unusable { .. })));
    }

    #[test]
    fn data_after_the_document_is_reported_and_ignored() {
        let schemas = load(&[("default", &inline(&format!("{BUILT_IN}\n  }}\n}}")))], false).unwrap();
        assert!(schemas.is_complete());
        assert_eq!(schemas.remarks(), ["default: data after the end of its JSON document is ignored"]);
        assert!(load(&[("default", BUILT_IN_SCHEMA)], false).unwrap().remarks().is_empty());
    }

    #[test]
    fn the_first_of_two_schemas_with_the_same_id_is_used() {
        let other = inline(r#"{"properties":{"traits":{"properties":{"a":{"type":"string"}}}}}"#);
        let schemas = load(&[("default", &other), ("default", BUILT_IN_SCHEMA)], false).unwrap();
        assert!(schemas.is_complete());
        assert_eq!(schemas.ids().count(), 1);
        assert_eq!(schemas.get("default").unwrap().fields()[0].name, "traits.a");
        assert_eq!(schemas.remarks(), ["an id is listed twice; its first schema is used"]);
    }

    #[test]
    fn references_are_loaded_before_or_rejected() {
        let folder = std::env::temp_dir().join(format!("kleis-schemas-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("mail.json");
        std::fs::write(&path, r#"{"type": "string", "format": "email"}"#).unwrap();
        let url = format!("file://{}", path.display());
        let schema = inline(&format!(r#"{{"properties":{{"traits":{{"properties":{{"a":{{"$ref":"{url}"}}}}}}}}}}"#));
        let schemas = load(&[("default", &schema)], false).unwrap();
        let schema_of_a = schemas.get("default").unwrap();
        assert!(schema_of_a.validate(&mut serde_json::json!({"a": "x@example.org"})).is_ok());
        assert!(schema_of_a.validate(&mut serde_json::json!({"a": "nobody"})).is_err());
        assert!(matches!(load(&[("default", &schema)], true), Err(SchemaLoadError::ForbiddenReference { .. })));

        let beside = folder.join("person.json");
        let text = r#"{"$id":"person","properties":{"traits":{"properties":{"a":{"$ref":"mail.json"}}}}}"#;
        std::fs::write(&beside, text).unwrap();
        let beside = format!("file://{}", beside.display());
        let schemas = load(&[("default", &beside)], false).unwrap();
        assert!(schemas.get("default").unwrap().validate(&mut serde_json::json!({"a": "nobody"})).is_err());
        assert!(matches!(load(&[("default", &beside)], true), Err(SchemaLoadError::ForbiddenReference { .. })));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn remote_schemas_are_unavailable_until_they_are_fetched() {
        let schemas = load(&[("default", BUILT_IN_SCHEMA), ("far", "https://example.org/x.json")], false).unwrap();
        assert!(!schemas.is_complete());
        assert!(schemas.get("far").is_none() && schemas.get("default").is_some());
    }
}
