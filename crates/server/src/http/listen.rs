//! Serves a router on a bound listener, with time limits for its kind of clients.

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

/// The time for a whole body that a service reads before it answers. It is shorter than the time for an answer, so that a slow
/// client gets an error.
const BODY_TIMEOUT: Duration = Duration::from_secs(45);
const _: () = assert!(BODY_TIMEOUT.as_secs() < super::ANSWER_TIMEOUT.as_secs());

/// The clients of a listener, which determine its time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Browsers and programs on the Internet.
    Public,
    /// Operators and their programs, which upload lists and keep connections open.
    Admin,
    /// Clients of the applications behind the gateway. Their transfers end when they make no progress.
    Upstream,
}

impl Audience {
    pub(crate) fn limits(self, configured: &Timeouts) -> ListenerLimits {
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
        let or = |set: Option<GoDuration>, usual| set.map_or(usual, unless_zero);
        ListenerLimits {
            header_timeout: or(configured.read, usual.header_timeout),
            body_idle_timeout: or(configured.read, usual.body_idle_timeout),
            write_timeout: or(configured.write, usual.write_timeout),
            keep_alive_timeout: or(configured.idle, usual.keep_alive_timeout),
            ..usual
        }
    }
}

/// Zero means no limit, which is a year here.
fn unless_zero(set: GoDuration) -> Duration {
    if set.get().is_zero() { Duration::from_hours(24 * 365) } else { set.get() }
}

/// A bound listener and its router.
pub(crate) struct Site {
    pub(crate) socket: Socket,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) limits: ListenerLimits,
    pub(crate) rewrite: Rewrite,
    pub(crate) router: Router,
}

impl Site {
    /// Serves until `stop` changes to true, then lets open requests finish.
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

/// Rewrites the path before the router sees it.
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
    fn configured_time_limits_are_used_and_zero_means_no_limit() {
        let configured =
            Timeouts { read: Some(GoDuration::from_seconds(7)), write: Some(GoDuration::from_seconds(0)), idle: None };
        let limits = Audience::Upstream.limits(&configured);
        assert_eq!((limits.header_timeout, limits.body_idle_timeout), (Duration::from_secs(7), Duration::from_secs(7)));
        assert!(limits.write_timeout > Duration::from_hours(1));
        assert_eq!((limits.keep_alive_timeout, limits.body_timeout), (Duration::from_mins(2), None));
        assert_eq!(Audience::Admin.limits(&Timeouts::default()).keep_alive_timeout, Duration::from_mins(10));
    }
}
