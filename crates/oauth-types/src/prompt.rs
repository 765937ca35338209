//! The `prompt` parameter (OpenID Connect Core section 3.1.2.1, Initiating User Registration 1.0).

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
    /// Show the registration page first. `create` is the standard name, `registration` that of Ory Hydra.
    Create,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    #[error("'{0}' is not a known prompt")]
    Unknown(String),
    #[error("prompt 'none' excludes every other prompt")]
    NoneWithOthers,
}

/// The prompts of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptSet(Vec<Prompt>);

impl Prompt {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "none" => Self::None,
            "login" => Self::Login,
            "consent" => Self::Consent,
            "select_account" => Self::SelectAccount,
            "create" | "registration" => Self::Create,
            _ => return None,
        })
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
            Self::Create => "create",
        }
    }
}

impl PromptSet {
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let mut prompts = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let prompt = Prompt::parse(word).ok_or_else(|| PromptError::Unknown(word.to_owned()))?;
            if !prompts.contains(&prompt) {
                prompts.push(prompt);
            }
        }
        if prompts.contains(&Prompt::None) && prompts.len() > 1 {
            return Err(PromptError::NoneWithOthers);
        }
        Ok(Self(prompts))
    }

    pub fn contains(&self, prompt: Prompt) -> bool {
        self.0.contains(&prompt)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_none_excludes_other_values() {
        assert_eq!(PromptSet::parse("none login"), Err(PromptError::NoneWithOthers));
        assert!(PromptSet::parse("none none").unwrap().contains(Prompt::None));
        assert_eq!(PromptSet::parse("Login"), Err(PromptError::Unknown("Login".to_owned())));
        assert!(PromptSet::parse("").unwrap().is_empty());
    }
}
