-- The people, what proves them, and where they can be reached.

CREATE TABLE identity_identities (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    schema_id text NOT NULL,
    state text NOT NULL,
    state_changed_at bigint,
    traits text NOT NULL,
    metadata_public text,
    metadata_admin text,
    external_id text,
    organization_id uuid,
    available_aal text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX identity_identities_external_id ON identity_identities (tenant_id, external_id);
CREATE INDEX identity_identities_organization ON identity_identities (tenant_id, organization_id, id);

-- One row for each kind of credential; `config` is sealed JSON.
CREATE TABLE identity_credentials (
    tenant_id integer NOT NULL,
    identity_id uuid NOT NULL,
    type text NOT NULL,
    config bytea NOT NULL,
    version integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, identity_id, type)
);

-- Who is meant by an identifier. Normalised where its kind asks for it, so equality is the whole comparison.
CREATE TABLE identity_credential_identifiers (
    tenant_id integer NOT NULL,
    identifier text NOT NULL,
    type text NOT NULL,
    identity_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, identifier, type)
);
CREATE INDEX identity_credential_identifiers_identity ON identity_credential_identifiers (tenant_id, identity_id, type);

CREATE TABLE identity_verifiable_addresses (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    identity_id uuid NOT NULL,
    via text NOT NULL,
    value text NOT NULL,
    status text NOT NULL,
    verified boolean NOT NULL,
    verified_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX identity_verifiable_addresses_value ON identity_verifiable_addresses (tenant_id, via, value);
CREATE INDEX identity_verifiable_addresses_identity ON identity_verifiable_addresses (tenant_id, identity_id);

CREATE TABLE identity_recovery_addresses (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    identity_id uuid NOT NULL,
    via text NOT NULL,
    value text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX identity_recovery_addresses_value ON identity_recovery_addresses (tenant_id, via, value);
CREATE INDEX identity_recovery_addresses_identity ON identity_recovery_addresses (tenant_id, identity_id);
