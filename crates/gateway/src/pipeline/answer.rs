//! What a handler answers with. Most decide at once; those that ask a server or another service answer later, and only they
//! cost an allocation.

use std::pin::Pin;

pub(crate) enum Answer<'a, T> {
    Ready(T),
    Pending(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<'a, T> Answer<'a, T> {
    pub(crate) fn pending(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Pending(Box::pin(future))
    }

    pub(crate) async fn get(self) -> T {
        match self {
            Self::Ready(value) => value,
            Self::Pending(future) => future.await,
        }
    }
}
