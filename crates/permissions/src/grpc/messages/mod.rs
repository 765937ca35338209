//! The messages of the services, as Rust types and as descriptors.
//!
//! The files in `generated/` are made from the `.proto` files by a test, which fails when they are out of date. They are not made
//! by a build script, because the compiler for them would be a dependency of every build.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// A `google.protobuf.FileDescriptorSet` of all `.proto` files.
const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");

/// The descriptors of all services and messages.
pub(super) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    // A test decodes them; without descriptors there is no JSON and no reflection.
    DescriptorPool::decode(DESCRIPTORS).unwrap_or_default()
});

pub(super) use grpc::health::v1 as health;
pub(super) use grpc::reflection::v1 as reflection;
pub(super) use kleis::permissions::v1 as kleis_v1;
pub(super) use ory::keto::opl::v1alpha1 as opl;
pub(super) use ory::keto::relation_tuples::v1alpha2 as keto;

macro_rules! packages {
    ($($file:literal)*) => { $(include!(concat!("generated/", $file, ".rs"));)* };
}

#[expect(
    unreachable_pub,
    clippy::doc_markdown,
    clippy::enum_variant_names,
    clippy::trivially_copy_pass_by_ref,
    reason = "generated"
)]
mod grpc {
    pub(in super::super) mod health {
        pub(in super::super::super) mod v1 {
            packages!("grpc.health.v1");
        }
    }
    pub(in super::super) mod reflection {
        pub(in super::super::super) mod v1 {
            packages!("grpc.reflection.v1");
        }
    }
}

#[expect(unreachable_pub, reason = "generated")]
mod kleis {
    pub(in super::super) mod permissions {
        pub(in super::super::super) mod v1 {
            packages!("kleis.permissions.v1");
        }
    }
}

#[expect(unreachable_pub, clippy::doc_markdown, clippy::trivially_copy_pass_by_ref, reason = "generated")]
mod ory {
    pub(in super::super) mod keto {
        pub(in super::super::super) mod opl {
            pub(in super::super::super::super) mod v1alpha1 {
                packages!("ory.keto.opl.v1alpha1");
            }
        }
        pub(in super::super::super) mod relation_tuples {
            pub(in super::super::super::super) mod v1alpha2 {
                packages!("ory.keto.relation_tuples.v1alpha2");
            }
        }
    }
}

#[cfg(test)]
mod tests;
