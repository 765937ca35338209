//! Errors with their chain of causes.

use std::error::Error;

/// The error, then its causes, from the outermost to the innermost.
pub fn all<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The error and its causes on one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    all(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no mail was sent")]
    struct NoMail(#[source] std::io::Error);

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "the server refused");
        assert_eq!(chain(&NoMail(refused)), "no mail was sent: the server refused");
    }
}
