//! Checks the invariants of ARCHITECTURE.md against the manifests and the sources. Each rule is a function from the content of
//! the repository to findings, so that it can be tested with a few lines of text.
//!
//! An error fails the build; a warning does not.

mod arrows;
mod circles;
mod code;
mod configuration;
mod contract;
mod documents;
mod hostile;
mod imports;
mod layers;
mod methods;
mod routes;
mod shape;
mod tables;
mod tree;
mod words;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};

use tree::Tree;

/// A violated invariant and its location.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    severity: Severity,
    place: String,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    Error,
    Warning,
}

impl Finding {
    fn error(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), message: message.into() }
    }

    fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}: {}", self.place, self.message)
    }
}

pub(crate) fn run(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let mut findings = arrows::check(&arrows::read(root)?);
    findings.extend(layers::check(&tree));
    findings.extend(circles::check(&tree));
    findings.extend(tables::check(&tree));
    findings.extend(contract::check(&tree));
    findings.extend(hostile::check(&tree));
    findings.extend(configuration::check(&tree));
    findings.extend(shape::check(&tree));
    findings.extend(words::check(&tree));
    findings.extend(documents::check(&tree));
    for finding in &findings {
        eprintln!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors > 0 {
        bail!("tidy found {errors} violated invariants");
    }
    eprintln!("    {} files meet the invariants", tree.files().len());
    Ok(())
}
