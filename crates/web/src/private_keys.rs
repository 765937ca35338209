//! Permission to read private keys.

/// Marks a request whose sender authenticated as an operator, or may read private keys by the configuration. For other requests
/// an admin API shows the public part of a key.
#[derive(Clone, Copy, Debug)]
pub struct MayReadPrivateKeys;
