//! Values that every crate of Kleis uses: time, randomness, identifiers, secrets, sealed values and the context of a request.
//!
//! Invariants:
//! - Nothing here performs I/O, except the operating system's clock and random source, which are built once, at the edge, and
//!   passed down as [`Clock`] and [`Rng`].
//! - A [`Secret`] never prints, and a bearer value is stored only as its [`TokenDigest`].
//! - A value sealed for one [`Purpose`](seal::Purpose) or one tenant never opens as another.

pub mod bounds;
mod budget;
pub mod causes;
mod clock;
mod context;
mod digest;
mod go_duration;
mod id;
pub mod json_patch;
mod nesting;
mod nul;
mod objects;
mod page;
mod rng;
pub mod seal;
mod secret;
pub mod shares;
mod tenant;
mod text_serde;
mod timestamp;
mod token;
mod trust_store;

pub use budget::Budget;
pub use clock::{Clock, ManualClock, TimeSource};
pub use context::{Actor, Context, Locale, RequestId};
pub use digest::digest_parts;
pub use go_duration::{GoDuration, InvalidDuration};
pub use nesting::{MAX_NESTING, is_nested_too_deep};
pub use nul::{NUL_IS_REFUSED, NulCharacter, holds_nul};
pub use objects::{Objects, OfObjects};
pub use page::{Page, PageRequest};
pub use rng::{RandomSource, Rng};
pub use seal::Sealer;
pub use secret::Secret;
pub use tenant::TenantId;
pub use timestamp::{ParseTimestampError, Timestamp};
pub use token::{PlainToken, TokenDigest};
pub use trust_store::{NoCertificate, TrustStore};

#[doc(hidden)]
pub use {serde, uuid};
