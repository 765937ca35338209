//! Digests of several values, for keys of caches and counters.

use sha2::{Digest as _, Sha256};

/// SHA-256 of the parts. Each is preceded by its length, so that different lists of parts have different digests.
pub fn digest_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundaries_of_the_parts_matter() {
        let digests = [digest_parts(&[b"ab", b"c"]), digest_parts(&[b"a", b"bc"]), digest_parts(&[b"abc"])];
        assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2]);
    }
}
