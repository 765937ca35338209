//! Keyset pagination: the number of rows, the key that they follow, and the key of the next page.

/// A request for at most `size` rows that follow `after` (from the beginning when it is `None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    pub size: u32,
    pub after: Option<K>,
}

/// Some rows, and the key of the last one when there are more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, K> {
    pub items: Vec<T>,
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Builds a page from up to `size + 1` rows: an extra row shows that there is a next page, and is dropped.
    pub fn from_rows(mut rows: Vec<T>, size: u32, key: impl FnOnce(&T) -> K) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }

    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U, K> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}
