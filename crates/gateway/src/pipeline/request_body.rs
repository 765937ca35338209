//! The body of a request, which an authorizer may read before it is forwarded to the upstream.

use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::failure::Failure;

#[async_trait]
pub(crate) trait RequestBody: Send + Sync {
    /// The whole body, which is kept for the upstream. Fails if it has more than `most` bytes or does not arrive in time.
    async fn read(&self, most: usize) -> Result<Bytes, Box<Failure>>;
}

/// Why a request is evaluated.
#[derive(Clone, Copy)]
pub(crate) enum Evaluation<'a> {
    /// It has arrived, with this body.
    NewRequest(&'a dyn RequestBody),
    /// It opened a tunnel earlier, and may have lost its access since.
    Recheck,
}
