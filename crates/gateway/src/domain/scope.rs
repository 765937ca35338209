//! Whether the scopes of a token include the scopes that a rule requires.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScopeStrategy {
    /// `a.b` covers `a.b.c`.
    Hierarchic,
    Exact,
    /// `a.*` covers `a.b` and `a.b.c`.
    Wildcard,
    /// The gateway does not compare scopes.
    #[default]
    None,
}

impl ScopeStrategy {
    /// Whether one of `granted` covers `required`.
    pub(crate) fn covers(self, granted: &[String], required: &str) -> bool {
        granted.iter().any(|scope| match self {
            Self::Exact => scope == required,
            Self::Hierarchic => {
                required.strip_prefix(scope.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                    && !scope.is_empty()
            }
            Self::Wildcard => wildcard_covers(scope, required),
            Self::None => false,
        })
    }
}

/// Each part must be equal or `*`; a trailing `*` stands for one or more parts.
fn wildcard_covers(scope: &str, required: &str) -> bool {
    let granted: Vec<&str> = scope.split('.').collect();
    let required: Vec<&str> = required.split('.').collect();
    if required.iter().any(|part| part.is_empty()) || required.len() < granted.len() {
        return false;
    }
    let parts_agree = granted.iter().zip(&required).all(|(one, other)| *one == "*" || one == other);
    parts_agree && (granted.len() == required.len() || granted.last() == Some(&"*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(strategy: ScopeStrategy, granted: &str, required: &str) -> bool {
        let granted: Vec<String> = granted.split(' ').map(str::to_owned).collect();
        strategy.covers(&granted, required)
    }

    #[test]
    fn each_strategy_compares_scopes_differently() {
        use ScopeStrategy::{Exact, Hierarchic, None, Wildcard};
        assert!(covers(Exact, "x a.b", "a.b") && !covers(Exact, "a", "a.b"));
        assert!(covers(Hierarchic, "a.b", "a.b.c") && covers(Hierarchic, "a.b", "a.b"));
        assert!(
            !covers(Hierarchic, "a.b", "a.bc") && !covers(Hierarchic, "a.b.c", "a.b") && !covers(Hierarchic, "", "a")
        );
        assert!(covers(Wildcard, "a.*", "a.b") && covers(Wildcard, "a.*", "a.b.c") && covers(Wildcard, "*", "a"));
        assert!(
            !covers(Wildcard, "a.*", "a") && !covers(Wildcard, "a.*.c", "a.b.d") && !covers(Wildcard, "a.b", "a.b.c")
        );
        assert!(covers(Wildcard, "a.*.c", "a.b.c") && !covers(Wildcard, "a.*", "a."));
        assert!(!covers(None, "a", "a"));
    }
}
