//! The rules for new passwords: long enough, not similar to an identifier of their owner, not known from breaches. The first
//! violated rule is reported.

/// The parameters of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// In bytes.
    pub min_length: usize,
    pub check_similarity: bool,
    pub max_breaches: u64,
}

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    #[error("the password has {actual} characters, but must have {min} or more")]
    TooShort { min: usize, actual: usize },
    #[error("the password has {actual} bytes, but must have {max} or fewer")]
    TooLong { max: usize, actual: usize },
    #[error("the password is too similar to an identifier")]
    TooSimilar,
    #[error("the password was found in {breaches} data breaches")]
    Breached { breaches: u64 },
    #[error("the new password equals the old one")]
    Unchanged,
}

impl PasswordRefusal {
    /// The id of the validation message.
    pub const fn message_id(self) -> u32 {
        match self {
            Self::TooShort { .. } => 4_000_032,
            Self::TooLong { .. } => 4_000_033,
            Self::TooSimilar => 4_000_031,
            Self::Breached { .. } => 4_000_034,
            Self::Unchanged => 4_000_039,
        }
    }

    /// The context of that message.
    pub fn context(self) -> serde_json::Value {
        match self {
            Self::TooShort { min, actual } => serde_json::json!({ "min_length": min, "actual_length": actual }),
            Self::TooLong { max, actual } => serde_json::json!({ "max_length": max, "actual_length": actual }),
            Self::Breached { breaches } => serde_json::json!({ "breaches": breaches }),
            Self::TooSimilar | Self::Unchanged => serde_json::json!({}),
        }
    }
}

/// Longer texts are not compared: the time grows with the product of the lengths.
const MAX_COMPARED: usize = 256;
const MIN_DISTANCE: usize = 5;

impl PasswordPolicy {
    /// The rules that need no other service. The check against breaches follows when they pass.
    pub fn check<'i>(
        &self,
        password: &str,
        identifiers: impl IntoIterator<Item = &'i str>,
    ) -> Result<(), PasswordRefusal> {
        if password.len() < self.min_length {
            return Err(PasswordRefusal::TooShort { min: self.min_length, actual: password.len() });
        }
        if self.check_similarity && identifiers.into_iter().any(|identifier| is_similar(password, identifier)) {
            return Err(PasswordRefusal::TooSimilar);
        }
        Ok(())
    }

    pub const fn check_breaches(&self, breaches: u64) -> Result<(), PasswordRefusal> {
        if breaches > self.max_breaches { Err(PasswordRefusal::Breached { breaches }) } else { Ok(()) }
    }
}

fn is_similar(password: &str, identifier: &str) -> bool {
    if identifier.is_empty() || password.len() > MAX_COMPARED || identifier.len() > MAX_COMPARED {
        return false;
    }
    let password: Vec<char> = password.to_lowercase().chars().collect();
    let identifier: Vec<char> = identifier.to_lowercase().chars().collect();
    distance(&password, &identifier) < MIN_DISTANCE || 2 * longest_common(&password, &identifier) > password.len()
}

/// The edit distance of Levenshtein.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

/// The length of the longest text that both contain.
fn longest_common(left: &[char], right: &[char]) -> usize {
    let mut row = vec![0_usize; right.len() + 1];
    let mut longest = 0;
    for a in left {
        let mut diagonal = 0;
        for (j, b) in right.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if a == b { diagonal + 1 } else { 0 };
            longest = longest.max(row[j + 1]);
            diagonal = above;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: PasswordPolicy = PasswordPolicy { min_length: 8, check_similarity: true, max_breaches: 0 };

    #[test]
    fn the_first_broken_rule_is_reported() {
        let check = |password, identifier| POLICY.check(password, [identifier]);
        assert_eq!(check("short", "someone@example.org"), Err(PasswordRefusal::TooShort { min: 8, actual: 5 }));
        assert_eq!(check("ääää", "someone@example.org"), Ok(()), "the length counts bytes");
        assert_eq!(check("Someone@Example.or", "someone@example.org"), Err(PasswordRefusal::TooSimilar));
        assert_eq!(check("someone@1", "someone@example.org"), Err(PasswordRefusal::TooSimilar));
        assert_eq!(check("correct horse battery", "someone@example.org"), Ok(()));
        assert_eq!(POLICY.check_breaches(1), Err(PasswordRefusal::Breached { breaches: 1 }));
        let lax = PasswordPolicy { check_similarity: false, max_breaches: 3, ..POLICY };
        assert_eq!(lax.check("someone@example.org", ["someone@example.org"]), Ok(()));
        assert_eq!(lax.check_breaches(3), Ok(()));
    }

    #[test]
    fn distances_match_known_values() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("kitten"), &chars("sitting")), 3);
        assert_eq!(distance(&chars(""), &chars("abc")), 3);
        assert_eq!(longest_common(&chars("xabcdy"), &chars("zabcdz")), 4);
        assert_eq!(longest_common(&chars("abc"), &chars("def")), 0);
    }
}
