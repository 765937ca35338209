//! `deny`: nobody.

use crate::domain::failure::Failure;

pub(super) fn authorize() -> Result<(), Box<Failure>> {
    Err(Failure::forbidden())
}

#[cfg(test)]
mod tests {
    #[test]
    fn deny_refuses_every_request() {
        assert_eq!(super::authorize().unwrap_err().status, http::StatusCode::FORBIDDEN);
    }
}
