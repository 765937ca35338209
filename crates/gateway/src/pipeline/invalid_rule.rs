//! Why a rule is invalid and lets no request through.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRule {
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("the {kind} `{handler}` {reason}")]
    Handler { kind: &'static str, handler: String, reason: String },
    #[error("its URL pattern is not valid: {0}")]
    Pattern(#[from] crate::domain::pattern::PatternError),
    #[error("its upstream is not valid: {0}")]
    Upstream(String),
}
