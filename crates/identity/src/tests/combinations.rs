//! Every combination of facts, for the tables that check a decision in full.

/// Every combination of `N` flags.
pub(crate) fn flags<const N: usize>() -> impl Iterator<Item = [bool; N]> + Clone {
    (0_u32..1 << N).map(|bits| std::array::from_fn(|at| bits & (1 << at) != 0))
}

/// Every pair of two lists.
pub(crate) fn pairs<A: Copy, B>(
    first: impl IntoIterator<Item = A>,
    second: impl IntoIterator<Item = B> + Clone,
) -> impl Iterator<Item = (A, B)> {
    first.into_iter().flat_map(move |first| second.clone().into_iter().map(move |second| (first, second)))
}
