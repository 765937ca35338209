//! The definition of a service for `server`: one [`Definition`] per service, over which `server` iterates.
//!
//! Invariants:
//! - `server` knows the services only by their definitions, and keeps one list of them.
//! - A definition consists of data and functions. It opens and reads nothing before [`Definition::build`] is called.
//! - A path is relative to the section of the service; `server` adds the name of the section.

mod build;
pub mod configuration;
mod definition;
mod diagnosis;
mod links;
mod listener;
mod readiness;
mod report;
mod watched_folders;

pub use build::{Background, Building, Built, Check, Directory, KeptFiles, Parts, StartTask};
pub use definition::{
    Configuration, Defaults, Definition, Protection, Remote, RemoteApi, RemoteKey, Replaced, Secrets, Unsupported,
};
pub use diagnosis::{Diagnosing, Diagnosis, Examined, Verdict};
pub use links::Links;
pub use listener::{AdminListener, ErrorFormat, Kind, Listener, PublicListener};
pub use readiness::Readiness;
pub use report::{Fault, Notice, Report, Severity};
pub use watched_folders::WatchedFolders;
