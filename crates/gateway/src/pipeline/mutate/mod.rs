//! Mutators: pass data about the sender to the upstream.

mod header;
mod id_token;
mod mutator;
mod noop;

use schemars::{Schema, SchemaGenerator};

use super::answer::Answer;
use super::registry::{Definition, Registry};
use super::{Inbound, Services};

pub(crate) use mutator::Mutator;

pub(crate) const MUTATORS: Registry<dyn Mutator, Services> = Registry {
    kind: "mutator",
    offered: &[header::HANDLER, id_token::HANDLER, noop::HANDLER],
    absent: &[("cookie", "use `header`"), ("hydrator", "use `header` or `id_token`")],
};

/// The keys of `mutators`.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    MUTATORS.schema(generator)
}
