//! Parts of forms that several flows share.

use crate::domain::ui::ValidationMessage;
use crate::domain::{TraitError, message};

/// The errors of the schema, each at the node of its trait.
pub(crate) fn trait_messages(errors: &[TraitError]) -> Vec<ValidationMessage> {
    errors
        .iter()
        .map(|error| {
            let message = message::validation::of_trait(&error.problem);
            let path = error.pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
            match path.as_str() {
                "" | "traits" => ValidationMessage::general(message),
                _ => ValidationMessage::at(path, message),
            }
        })
        .collect()
}
