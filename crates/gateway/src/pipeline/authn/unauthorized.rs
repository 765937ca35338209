//! `unauthorized`: lets nobody in.

use super::Outcome;
use crate::domain::failure::Failure;

/// This is a decision of the rule and no credential's fault: `on_invalid` does not soften it.
pub(super) fn authenticate() -> Outcome {
    Outcome::Refused(Failure::unauthorized())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unauthorized_refuses_every_request() {
        let Outcome::Refused(failure) = authenticate() else { panic!("not refused") };
        assert_eq!(failure.status, http::StatusCode::UNAUTHORIZED);
    }
}
