//! Middleware that is written as a function, as in [`axum::middleware`], at a cost that grows with the number of layers.
//!
//! A router clones the service of a route for each request. A layer of `axum::middleware` has its own copy of everything below it
//! and clones it twice, so that a request through n layers makes about n² copies of services, each with its allocations. Here
//! the layers below are shared until one of them is called.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
pub use axum::middleware::Next;
use axum::middleware::{self, FromFnLayer};
use tower::ServiceExt as _;
use tower::util::Oneshot;
use tower_layer::Layer;
use tower_service::Service;

/// A function of `(extractors…, Request, Next)`.
pub fn from_fn<F, T>(f: F) -> (FromFnLayer<F, (), T>, Sharing) {
    from_fn_with_state((), f)
}

/// Like [`from_fn`], with a state for the extractors.
#[expect(clippy::disallowed_methods, reason = "the only place: what is below is shared")]
pub fn from_fn_with_state<F, S, T>(state: S, f: F) -> (FromFnLayer<F, S, T>, Sharing) {
    (middleware::from_fn_with_state(state, f), Sharing)
}

/// Shares the service below: a clone of it is a pointer.
#[derive(Clone, Copy, Debug)]
pub struct Sharing;

impl<S> Layer<S> for Sharing {
    type Service = Shared<S>;

    fn layer(&self, inner: S) -> Shared<S> {
        Shared(Arc::new(inner))
    }
}

/// Copied when it is called.
#[derive(Debug)]
pub struct Shared<S>(Arc<S>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Service<Request, Error = Infallible> + Clone> Service<Request> for Shared<S> {
    type Response = S::Response;
    type Error = Infallible;
    type Future = Oneshot<S, Request>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The copy is asked before it is called.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        S::clone(&self.0).oneshot(request)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::body::Body;
    use axum::extract::State;
    use axum::routing::get;

    use super::*;

    /// Counts how often it is copied.
    struct Copies(Arc<AtomicUsize>);

    impl Clone for Copies {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Ordering::SeqCst);
            Self(self.0.clone())
        }
    }

    #[tokio::test]
    async fn the_copies_of_a_request_grow_with_the_number_of_layers() {
        let copies = async |layers: usize| {
            let count = Arc::new(AtomicUsize::new(0));
            let mut router = Router::new().route("/", get("answer"));
            for _ in 0..layers {
                let pass = async |State(_): State<Copies>, request: Request, next: Next| next.run(request).await;
                router = router.layer(from_fn_with_state(Copies(count.clone()), pass));
            }
            count.store(0, Ordering::SeqCst);
            let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();
            assert_eq!(answer.status(), 200);
            count.load(Ordering::SeqCst)
        };
        let (one, four, eight) = (copies(1).await, copies(4).await, copies(8).await);
        // Each layer more makes as many as the one before.
        assert_eq!((eight - four) * 3, (four - one) * 4, "{one} {four} {eight}");
        assert!(one > 0 && four > one, "{one} {four}");
    }
}
