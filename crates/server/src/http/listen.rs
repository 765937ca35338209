//! What is served at which place, at which pace.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use base::GoDuration;
use tokio::sync::watch;
use tower::{Service, ServiceExt as _};
use web::listener::{Listener, ListenerLimits, Socket, TlsAcceptors};

use super::path::Rewrite;
use super::tls::TlsSettings;
use crate::config::Timeouts;

/// For a whole body that a service reads before it answers. Shorter than an answer may take, so that a client that is slow
/// hears that it was.
const BODY_TIMEOUT: Duration = Duration::from_secs(45);
const _: () = assert!(BODY_TIMEOUT.as_secs() < super::ANSWER_TIMEOUT.as_secs());

/// What a listener is for: it decides how patient it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Browsers and programs of strangers.
    Public,
    /// Operators and programs of the house, which upload lists and keep their connections.
    Admin,
    /// Visitors of the applications behind the gateway. What they send and receive ends when it stands still.
    Upstream,
}

impl Audience {
    pub(crate) fn limits(self, said: &Timeouts) -> ListenerLimits {
        let seconds = |body, write, keep_alive| ListenerLimits {
            body_idle_timeout: Duration::from_secs(body),
            body_timeout: Some(BODY_TIMEOUT).filter(|_| self != Self::Upstream),
            write_timeout: Duration::from_secs(write),
            keep_alive_timeout: Duration::from_secs(keep_alive),
            ..ListenerLimits::default()
        };
        let usual = match self {
            Self::Public => seconds(15, 60, 120),
            Self::Admin => seconds(30, 120, 600),
            Self::Upstream => seconds(5, 120, 120),
        };
        let or = |said: Option<GoDuration>, usual| said.map_or(usual, unless_zero);
        ListenerLimits {
            header_timeout: or(said.read, usual.header_timeout),
            body_idle_timeout: or(said.read, usual.body_idle_timeout),
            write_timeout: or(said.write, usual.write_timeout),
            keep_alive_timeout: or(said.idle, usual.keep_alive_timeout),
            ..usual
        }
    }
}

/// Zero stands for "as long as it takes", which is a year here.
fn unless_zero(said: GoDuration) -> Duration {
    if said.get().is_zero() { Duration::from_hours(24 * 365) } else { said.get() }
}

/// A bound listener and what it serves.
pub(crate) struct Site {
    pub(crate) socket: Socket,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) limits: ListenerLimits,
    pub(crate) rewrite: Rewrite,
    pub(crate) router: Router,
}

impl Site {
    /// Serves until `stop` says so, then lets open requests finish.
    pub(crate) async fn serve(self, stop: watch::Receiver<bool>) {
        let Self { socket, tls, limits, rewrite, router } = self;
        let tls = tls.map(|tls| Arc::new(tls) as Arc<dyn TlsAcceptors>);
        if rewrite == Rewrite::Untouched {
            Listener { socket, tls, limits, router }.serve(stop).await;
        } else {
            let router = rewriting(rewrite, router);
            Listener { socket, tls, limits, router }.serve(stop).await;
        }
    }
}

/// Rewrites the path before the router looks at it.
fn rewriting(
    rewrite: Rewrite,
    router: Router,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static {
    router.map_request(move |mut request: Request| {
        rewrite.apply(request.uri_mut());
        request
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_configuration_says_of_times_is_kept_and_zero_is_for_ever() {
        let said =
            Timeouts { read: Some(GoDuration::from_seconds(7)), write: Some(GoDuration::from_seconds(0)), idle: None };
        let limits = Audience::Upstream.limits(&said);
        assert_eq!((limits.header_timeout, limits.body_idle_timeout), (Duration::from_secs(7), Duration::from_secs(7)));
        assert!(limits.write_timeout > Duration::from_hours(1));
        assert_eq!((limits.keep_alive_timeout, limits.body_timeout), (Duration::from_mins(2), None));
        assert_eq!(Audience::Admin.limits(&Timeouts::default()).keep_alive_timeout, Duration::from_mins(10));
    }
}
