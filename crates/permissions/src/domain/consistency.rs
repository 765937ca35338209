//! How recent an answer must be.

use super::snapshot::Snapshot;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// The answer has every change of this process that was acknowledged before the question, and every other one that is older
    /// than a second.
    #[default]
    MinimizeLatency,
    /// The answer also has the changes up to this snapshot.
    AtLeastAsFresh(Snapshot),
    /// The answer has every change that was acknowledged anywhere before the question.
    FullyConsistent,
}
