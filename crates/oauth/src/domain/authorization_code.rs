//! Authorization codes (RFC 6749 section 4.1.2): issued after consent, redeemed once.
//!
//! A code contains the sealed id of its grant, and randomness whose digest is stored in the grant's row. So neither read
//! access to the database nor the sealing key alone is enough to obtain a code.

use base::{PlainToken, Rng, Sealer, TenantId};
use uuid::Uuid;

use super::grant::GrantId;
use super::sealed_token::AUTHORIZATION_CODE;

/// A new code for a grant. [`PlainToken::digest`] of it is stored.
pub fn issue(sealer: &Sealer, rng: &Rng, tenant: TenantId, grant: GrantId) -> PlainToken {
    let mut payload = [0; 32];
    let (id, random) = payload.split_at_mut(16);
    id.copy_from_slice(grant.as_uuid().as_bytes());
    rng.fill(random);
    AUTHORIZATION_CODE.seal(sealer, tenant, &payload)
}

/// The grant of a code; `None` when the code was not issued by this service.
pub fn open(sealer: &Sealer, tenant: TenantId, code: &PlainToken) -> Option<GrantId> {
    let payload = AUTHORIZATION_CODE.open(sealer, tenant, code.expose())?;
    let (id, _) = payload.split_first_chunk::<16>()?;
    Some(GrantId::from_uuid(Uuid::from_bytes(*id)))
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::*;

    #[test]
    fn a_code_names_its_grant_for_its_tenant_alone() {
        let rng = Rng::seeded(1);
        let sealer = Sealer::new(&[Secret::new("a secret of some length".to_owned())], rng.clone()).unwrap();
        let grant = GrantId::generate(&rng);
        let code = issue(&sealer, &rng, TenantId::DEFAULT, grant);
        assert!(code.expose().starts_with("ory_ac_"));
        assert_eq!(open(&sealer, TenantId::DEFAULT, &code), Some(grant));
        assert_eq!(open(&sealer, TenantId::from_i32(7), &code), None);
        assert_eq!(open(&sealer, TenantId::DEFAULT, &PlainToken::received("ory_ac_x")), None);
        let again = issue(&sealer, &rng, TenantId::DEFAULT, grant);
        assert!(again.digest() != code.digest());
    }
}
