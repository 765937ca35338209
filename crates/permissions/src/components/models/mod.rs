//! The permission model: where it comes from, and the one that is in force.
//!
//! Invariants:
//! - All files of a source form one model, which replaces the previous one atomically.
//! - A source that cannot be read, or whose model is not valid, keeps the previous model; the reason is kept, and
//!   the start reports it or it is logged, once.
//! - Without a first model nothing is answered: the service is not ready and says why.
//! - Only a list in the configuration may be empty. A document without a namespace is an error, because a file that is being
//!   rewritten is empty for a moment, and its model would deny every check.

mod document;
mod folder;
mod legacy;
pub(crate) mod loaded;
mod opl;
mod source;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use permission_language::Namespace;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use web::outbound::Client;

use crate::config::Namespaces;
use crate::domain::withdrawn_types::withdrawn_types;

use document::Document;
pub use folder::{FolderError, files_below};
pub(crate) use loaded::LoadedModel;
use source::Source;
pub(crate) use source::SourceError;

pub(crate) struct Models {
    source: Source,
    http: Client,
    strict: bool,
    model: ArcSwapOption<LoadedModel>,
    fault: ArcSwapOption<ModelFault>,
    /// The digest of the documents that were read last, whether they were a model or not.
    documents: Mutex<Option<[u8; 32]>>,
}

/// Why the model of a source is not in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permission model of {location} cannot be loaded: {reason}")]
pub struct ModelFault {
    location: String,
    reason: String,
}

/// No model was loaded since the start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no permission model is loaded")]
pub struct Unloaded;

/// What a list without a namespace amounts to.
const NO_NAMESPACES: &str = "no permission model is configured: every check is denied, and no relation tuple can be written; \
    set `namespaces.location` to a model in the Ory Permission Language, for example file:///etc/kleis/model.ts";

/// Those that a warning names.
const MOST_WITHDRAWN_TYPES: usize = 20;

impl Models {
    /// With `strict`, tuples that the model does not declare do not count.
    pub(crate) fn new(namespaces: &Namespaces, strict: bool, http: Client) -> Result<Self, SourceError> {
        Ok(Self {
            source: Source::of(namespaces)?,
            strict,
            http,
            model: ArcSwapOption::empty(),
            fault: ArcSwapOption::empty(),
            documents: Mutex::new(None),
        })
    }

    /// The model in force.
    pub(crate) fn current(&self) -> Result<Arc<LoadedModel>, Unloaded> {
        self.model.load_full().ok_or(Unloaded)
    }

    /// What an operator should correct although a model is in force: every check is denied, or the model is an old one.
    pub(crate) fn warning(&self) -> Option<String> {
        let model = self.model.load_full()?;
        if let Some(fault) = self.fault() {
            return Some(format!("{fault}\nthe previous model stays in force"));
        }
        model.model.namespaces.is_empty().then(|| NO_NAMESPACES.to_owned())
    }

    /// Why the last documents of the source are not in force.
    pub(crate) fn fault(&self) -> Option<Arc<ModelFault>> {
        self.fault.load_full()
    }

    /// The folders whose changes can change the model.
    pub(crate) fn folders(&self) -> Vec<std::path::PathBuf> {
        self.source.folders()
    }

    pub(crate) const fn is_remote(&self) -> bool {
        self.source.is_remote()
    }

    /// Reads the source and activates its model if the documents have changed.
    pub(crate) async fn refresh(&self) -> Result<(), ModelFault> {
        let mut last = self.documents.lock().await;
        let read = self.source.read(&self.http).await;
        let outcome = match read {
            Ok(documents) => {
                let digest = digest(&documents);
                if *last == Some(digest) {
                    return self.fault.load_full().map_or(Ok(()), |fault| Err((*fault).clone()));
                }
                *last = Some(digest);
                self.activate(documents).await
            }
            Err(reason) => {
                // The same documents count as changed when they can be read again.
                *last = None;
                Err(reason)
            }
        };
        let Err(reason) = outcome else {
            self.fault.store(None);
            return Ok(());
        };
        let fault = ModelFault { location: self.source.shown(), reason };
        self.fault.store(Some(Arc::new(fault.clone())));
        Err(fault)
    }

    /// Like [`Self::refresh`], and logs a new model and a new fault. The first outcome is not logged here, because the start reports
    /// it.
    pub(crate) async fn refresh_and_log(&self) {
        let (model, fault) = (self.model.load_full(), self.fault());
        match self.refresh().await {
            Ok(()) if self.model.load_full().as_ref().map(Arc::as_ptr) != model.as_ref().map(Arc::as_ptr) => {
                tracing::info!("{}", self.summary().unwrap_or_default());
            }
            Err(now) if fault.as_deref() != Some(&now) => {
                let consequence =
                    if model.is_none() { "nothing is answered without one" } else { "the previous one stays in force" };
                tracing::error!(
                    location = now.location,
                    reason = now.reason,
                    "no permission model loaded; {consequence}"
                );
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// The size of the model in force.
    pub(crate) fn summary(&self) -> Option<String> {
        let namespaces = &self.model.load_full()?.model.namespaces;
        let count = |of: fn(&Namespace) -> usize| namespaces.iter().map(of).sum::<usize>();
        let (relations, permits) = (count(|it| it.relations.len()), count(|it| it.permits.len()));
        Some(format!(
            "the permission model of {} is valid; namespaces: {}, relations: {relations}, permits: {permits}",
            self.source.shown(),
            namespaces.len()
        ))
    }

    async fn activate(&self, documents: Vec<Document>) -> Result<(), String> {
        let (source, strict, before) = (self.source.clone(), self.strict, self.model.load_full());
        let load = move || {
            let model = LoadedModel::compile(source.parse(&documents)?, strict)?;
            // In strict mode the relation tuples do not count.
            let before = before.filter(|_| !strict);
            let withdrawn = before.map(|before| withdrawn_types(&before.model, &model.model));
            Ok::<_, String>((model, withdrawn.unwrap_or_default()))
        };
        // A large model takes a while and must not block requests.
        let (model, withdrawn) = tokio::task::spawn_blocking(load).await.map_err(|error| error.to_string())??;
        warn_of_withdrawn_types(&withdrawn);
        self.put_in_force(model);
        Ok(())
    }

    pub(crate) fn put_in_force(&self, model: LoadedModel) {
        self.model.store(Some(Arc::new(model)));
    }
}

fn warn_of_withdrawn_types(withdrawn: &[String]) {
    if withdrawn.is_empty() {
        return;
    }
    let shown = withdrawn.iter().take(MOST_WITHDRAWN_TYPES).map(String::as_str).collect::<Vec<_>>().join(", ");
    tracing::warn!(
        count = withdrawn.len(),
        types = shown,
        "relations no longer accept some types of subjects, but relation tuples of these types that were written before still count; \
         delete them, or set feature_flags.strict_mode: true"
    );
}

fn digest(documents: &[Document]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for Document { name, text } in documents {
        for part in [name, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
