//! Header fields that belong to a connection and not to a message (RFC 9110 section 7.6.1), and names that servers
//! confuse.

use http::HeaderName;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Whether an intermediary must not forward this field.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    [CONNECTION, KEEP_ALIVE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, PROXY_CONNECTION, TE, TRANSFER_ENCODING, UPGRADE]
        .contains(name)
}

/// Takes out what belongs to the connection: the known fields, and those that `Connection` lists. A length that the
/// transfer coding overrode goes too (RFC 9112 section 6.1).
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed {
        headers.remove(name);
    }
    for name in [
        CONNECTION,
        KEEP_ALIVE,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        PROXY_CONNECTION,
        TE,
        TRANSFER_ENCODING,
        UPGRADE,
    ] {
        headers.remove(name);
    }
}

/// The headers that rules decide on: whoever is behind the gateway trusts them, so no client may send them.
///
/// Application servers that turn headers into variables read `X-User-Id` and `X_User_Id` as one, so both are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DecidedHeaders(std::collections::HashSet<String>);

impl DecidedHeaders {
    /// Credentials and the message's own framing stay out: a rule that sets them overwrites them, and other rules' clients
    /// need them.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a HeaderName>) -> Self {
        const KEPT: [&str; 6] = ["authorization", "cookie", "host", "content-type", "accept", "user-agent"];
        Self(names.into_iter().filter(|name| !KEPT.contains(&name.as_str())).map(confusable).collect())
    }

    pub(crate) fn contains(&self, name: &HeaderName) -> bool {
        !self.0.is_empty() && self.0.contains(&confusable(name))
    }

    pub(crate) fn remove_from(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        let sent: Vec<HeaderName> = headers.keys().filter(|name| self.contains(name)).cloned().collect();
        for name in sent {
            headers.remove(name);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

fn confusable(name: &HeaderName) -> String {
    name.as_str().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn fields_of_the_connection_are_taken_out() {
        let mut sent = headers(&[
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("x-end", "2"),
        ]);
        remove_hop_by_hop(&mut sent);
        assert_eq!(sent, headers(&[("x-end", "2")]));
    }

    #[test]
    fn decided_headers_are_taken_out_however_they_are_spelled() {
        let names = headers(&[("x-user-id", ""), ("authorization", "")]);
        let decided = DecidedHeaders::new(names.keys());
        let mut sent = headers(&[("X-User-Id", "a"), ("x_user_id", "b"), ("x-user_id", "c"), ("authorization", "d")]);
        decided.remove_from(&mut sent);
        assert_eq!(sent, headers(&[("authorization", "d")]));
    }
}
