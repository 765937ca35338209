//! The character U+0000: no stored text contains it. PostgreSQL cannot store it, and the answer to a request must not
//! depend on the engine.

/// A field contains the character U+0000.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {NUL_IS_REFUSED}")]
pub struct NulCharacter {
    /// The name of the field, as it may be shown.
    pub field: String,
}

/// What is wrong with a text that [`holds_nul`].
pub const NUL_IS_REFUSED: &str = "must not contain the character U+0000";

pub fn holds_nul(text: &str) -> bool {
    text.contains('\0')
}

impl NulCharacter {
    /// Refuses a field with the character in its name or its value.
    pub fn refuse(name: &str, value: &str) -> Result<(), Self> {
        if holds_nul(name) || holds_nul(value) {
            return Err(Self { field: name.replace('\0', "\u{fffd}") });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_refused_by_its_name_and_by_its_value() {
        assert_eq!(NulCharacter::refuse("a", "b"), Ok(()));
        let refused = |name: &str, value: &str| NulCharacter::refuse(name, value).unwrap_err().to_string();
        assert_eq!(refused("a", "b\0"), "a: must not contain the character U+0000");
        assert_eq!(refused("a\0", "b"), "a\u{fffd}: must not contain the character U+0000");
    }
}
