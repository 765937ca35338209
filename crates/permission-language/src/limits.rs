//! The bounds of the language. Whatever a text contains, the time and the stack that it costs are bounded by them.

/// What a caller can bound. The defaults are those of the replaced system, where it has the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of one file.
    pub file_bytes: usize,
    /// The bytes of all files that are parsed together.
    pub total_bytes: usize,
    /// How deep `(` and `!` nest in a permit; the permit itself is the first level. At most [`MAX_NESTING`].
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 1024 * 1024, total_bytes: 8 * 1024 * 1024, nesting: 10 }
    }
}

/// The largest value of [`Limits::nesting`], and how deep the expression of a permit becomes by alternating `&&` and `||`.
/// Every recursion over an expression is bounded by a small multiple of it.
pub const MAX_NESTING: usize = 100;

/// How many problems one call reports. A text with more of them has the same first ones.
pub const MAX_PROBLEMS: usize = 100;

/// How many hops from `SubjectSet` to `SubjectSet` the check of `traverse` follows.
pub(crate) const SUBJECT_SET_HOPS: usize = 10;

/// How many types the checks of all `traverse` calls visit together. Far above any real model; it keeps the time of a
/// contrived one bounded.
pub(crate) const TRAVERSE_STEPS: usize = 2_000_000;

/// How many characters of a name or a text a message quotes.
pub(crate) const QUOTED_CHARACTERS: usize = 200;
