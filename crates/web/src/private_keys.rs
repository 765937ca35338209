//! Who may read private keys.

/// Put on a request whose sender proved to be an operator, or may read private keys because the configuration says so. On
/// a request without it, an admin API shows the public part of a key.
#[derive(Clone, Copy, Debug)]
pub struct MayReadPrivateKeys;
