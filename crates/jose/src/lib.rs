//! JSON Web Keys, Signatures and Tokens (RFC 7515, 7517, 7518, 7519, 8037, 8725) over one audited crypto provider.
//!
//! Invariants:
//! - No clock, network, database or async: the caller passes times in.
//! - The algorithm is determined by the key, not by the token: a token verifies only under an algorithm that the caller
//!   allows *and* that fits the key's type and its `alg`. `none` and symmetric algorithms do not exist here.
//! - A header's `jwk`, `jku`, `x5u` and `x5c` are never followed; a `crit` header is rejected, because no extension is
//!   supported (RFC 7515 section 4.1.11).
//! - Private members are wiped when dropped and are exposed only by [`Jwk::to_private_value`].

mod algorithm;
mod claims;
mod der;
mod generate;
mod hash;
mod jwk;
mod jws;
mod signing;
mod verification;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use claims::{ClaimError, ClaimsCheck, numeric_date};
pub use generate::GenerateError;
pub use hash::left_half_hash;
pub use jwk::{Curve, Jwk, JwkError, JwkSet, KeyUse};
pub use jws::{Header, Jws, MalformedJws, VerifiedJws, VerifyError};
pub use signing::{SignError, SigningKey};
pub use verification::{VerificationKey, VerificationKeys};
