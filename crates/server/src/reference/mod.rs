//! The reference in `docs/reference/`: generated from the types of the configuration, its JSON schemas, and the command line.
//!
//! Invariant: the same sources generate the same text, so that a test can find a file that is out of date.

mod command_line;
mod configuration;
mod json_schema;
mod types;

use crate::config::Fault;

/// A file of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub name: &'static str,
    pub text: String,
}

/// Every file of the reference.
///
/// # Errors
/// A schema of this build that cannot be read.
pub fn files() -> Result<[File; 3], Fault> {
    Ok([
        File { name: "configuration.md", text: configuration::document()? },
        File { name: "configuration.schema.json", text: json_schema::document()? },
        File { name: "command-line.md", text: command_line::document() },
    ])
}

/// The keys without a description, with their sections.
///
/// # Errors
/// A schema of this build that cannot be read.
pub fn keys_without_description() -> Result<Vec<String>, Fault> {
    let parts = configuration::parts()?;
    let described = |row: &configuration::Row| !row.description.is_empty();
    let missing = |part: &configuration::Part| {
        let rows = part.rows.iter().filter(|row| !described(row));
        rows.map(|row| format!("{}: {}", part.title, row.path)).collect::<Vec<_>>()
    };
    Ok(parts.iter().flat_map(missing).collect())
}
