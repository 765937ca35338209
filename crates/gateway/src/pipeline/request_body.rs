//! The body of a request, which an authorizer may read before the upstream gets it.

use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::failure::Failure;

#[async_trait]
pub(crate) trait RequestBody: Send + Sync {
    /// The whole body. It is kept for the upstream. One of more than `most` bytes, or one that does not come, is a failure.
    async fn read(&self, most: usize) -> Result<Bytes, Box<Failure>>;
}

/// What a request is looked at for.
#[derive(Clone, Copy)]
pub(crate) enum Look<'a> {
    /// It has come, with this body.
    First(&'a dyn RequestBody),
    /// It opened a tunnel earlier, and may have lost its access since.
    Again,
}
