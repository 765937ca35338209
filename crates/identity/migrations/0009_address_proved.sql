-- Whether an address of the identity was ever verified, although it may have been replaced since.

ALTER TABLE identity_identities ADD COLUMN address_proved boolean NOT NULL DEFAULT FALSE;
UPDATE identity_identities SET address_proved = TRUE WHERE EXISTS (
    SELECT 1 FROM identity_verifiable_addresses x
    WHERE x.tenant_id = identity_identities.tenant_id AND x.identity_id = identity_identities.id AND x.verified
);
