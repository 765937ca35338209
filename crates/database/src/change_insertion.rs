//! The text that records a change in `kleis_changes`: a statement of its own, or a part of another one.

macro_rules! insert_change {
    ($values:literal) => {
        concat!(
            "INSERT INTO kleis_changes (changed_at, node, sequence, slots) \
             VALUES (CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint), ",
            $values,
            ")"
        )
    };
}

/// The statement of its own.
pub(crate) const INSERT: &str = insert_change!("$1, $2, $3");

/// The same as a part of another statement, with its values from the parameter `first` on.
pub(crate) fn insertion(first: usize) -> String {
    format!(insert_change!("${}, ${}, ${}"), first, first + 1, first + 2)
}
