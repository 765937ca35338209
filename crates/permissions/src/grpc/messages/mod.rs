//! The messages of the services, as Rust types and as descriptors. They are public for clients in this repository.
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

pub use grpc::health::v1 as health;
pub use grpc::reflection::v1 as reflection;
pub use kleis::permissions::v1 as kleis_v1;
pub use ory::keto::opl::v1alpha1 as opl;
pub use ory::keto::relation_tuples::v1alpha2 as keto;

macro_rules! packages {
    ($($file:literal)*) => { $(include!(concat!("generated/", $file, ".rs"));)* };
}

#[expect(clippy::doc_markdown, reason = "generated")]
mod grpc {
    pub(super) mod health {
        pub mod v1 {
            packages!("grpc.health.v1");
        }
    }
    pub(super) mod reflection {
        pub mod v1 {
            packages!("grpc.reflection.v1");
        }
    }
}

mod kleis {
    pub(super) mod permissions {
        pub mod v1 {
            packages!("kleis.permissions.v1");
        }
    }
}

#[expect(clippy::doc_markdown, reason = "generated")]
mod ory {
    pub(super) mod keto {
        pub(in super::super) mod opl {
            pub mod v1alpha1 {
                packages!("ory.keto.opl.v1alpha1");
            }
        }
        pub(in super::super) mod relation_tuples {
            pub mod v1alpha2 {
                packages!("ory.keto.relation_tuples.v1alpha2");
            }
        }
    }
}

#[cfg(test)]
mod tests;
