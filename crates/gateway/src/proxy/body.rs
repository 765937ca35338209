//! Request bodies on their way to the upstream. Progress is recorded, to distinguish a long upload from a silent upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use web::listener::{IdleBody, Stalled};

use crate::domain::failure::Failure;
use crate::domain::headers::{is_client_address, is_forwarded, is_overriding, remove_hop_by_hop, remove_where};
use crate::pipeline::RuleSet;

/// The client's side of the exchange failed, not the upstream's.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientFault {
    #[error("the client stopped sending")]
    Stalled,
    #[error("the client aborted the request")]
    Gone,
}

impl ClientFault {
    /// The failure for an error of the client's body.
    pub(super) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let was_stalled = base::causes::all(error).any(<dyn std::error::Error>::is::<Stalled>);
        if was_stalled { Self::Stalled } else { Self::Gone }
    }
}

/// The status that nginx uses when a client closes its connection; it appears only in the log.
const CLIENT_CLOSED_REQUEST: u16 = 499;

impl From<&ClientFault> for Box<Failure> {
    fn from(fault: &ClientFault) -> Self {
        let (status, reason) = match fault {
            ClientFault::Stalled => (StatusCode::REQUEST_TIMEOUT, "the client stopped sending the request's body"),
            ClientFault::Gone => {
                let status = StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::BAD_REQUEST);
                (status, "the client closed the connection")
            }
        };
        let mut failure = Failure::bad_request(reason);
        failure.status = status;
        failure
    }
}

/// The number of pieces that have passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub(super) struct RequestBody {
    inner: IdleBody<Body>,
    progress: Progress,
    rules: Arc<RuleSet>,
}

impl RequestBody {
    pub(super) const fn new(inner: IdleBody<Body>, progress: Progress, rules: Arc<RuleSet>) -> Self {
        Self { inner, progress, rules }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = ClientFault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ClientFault>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if polled.is_ready() {
            self.progress.0.fetch_add(1, Ordering::Relaxed);
        }
        // Headers that clients may not send are not allowed in trailers either.
        let polled = polled.map_ok(|mut frame: Frame<Bytes>| {
            if let Some(trailers) = frame.trailers_mut() {
                remove_hop_by_hop(trailers);
                remove_where(trailers, |name| is_overriding(name) || is_forwarded(name) || is_client_address(name));
                self.rules.decided_headers().remove_from(trailers);
            }
            frame
        });
        polled.map_err(|error| ClientFault::of(error.as_ref()))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
