//! Parts of forms that several flows share.

use crate::domain::ui::Complaint;
use crate::domain::{TraitError, message};

/// What the schema says against the traits, each at its node.
pub(crate) fn trait_complaints(errors: &[TraitError]) -> Vec<Complaint> {
    errors
        .iter()
        .map(|error| {
            let message = message::validation::of_trait(&error.problem);
            let path = error.pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
            match path.as_str() {
                "" | "traits" => Complaint::general(message),
                _ => Complaint::at(path, message),
            }
        })
        .collect()
}
