//! The tenant that a row, a request or a cached value belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A small integer that is the first column of every primary key. Currently only [`TenantId::DEFAULT`] exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(i32);

impl TenantId {
    pub const DEFAULT: Self = Self(1);

    pub const fn from_i32(id: i32) -> Self {
        Self(id)
    }

    pub const fn as_i32(self) -> i32 {
        self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
