//! Publishes the next signing keys. An operation that signs queues this job when a key is due for rotation.

use std::sync::Arc;

use async_trait::async_trait;
use base::Context;
use jobs::{Failure, Handler, Job};

use crate::OAuth;
use crate::domain::effect::ROTATE_KEYS;

pub(crate) struct RotateKeys(pub(crate) Arc<OAuth>);

#[async_trait]
impl Handler for RotateKeys {
    fn kind(&self) -> &'static str {
        ROTATE_KEYS
    }

    async fn run(&self, cx: &Context, _: &Job) -> Result<(), Failure> {
        self.0.key_sets.rotate(cx).await.map_err(|error| Failure::Retry(error.to_string()))
    }
}
