//! A text of a source of the model.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// For messages, and for the kind of a file.
    pub(super) name: String,
    pub(super) text: String,
}
