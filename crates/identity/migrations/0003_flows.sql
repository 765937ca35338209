-- Self-service: what a person is in the middle of, and the one-time values that belong to it.

-- All five kinds of flow. `version` counts the writes: a submission that lost a race finds another number.
CREATE TABLE identity_flows (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    type text NOT NULL,
    state text NOT NULL,
    identity_id uuid,
    body text NOT NULL,
    version bigint NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX identity_flows_expiry ON identity_flows (expires_at);
CREATE INDEX identity_flows_identity ON identity_flows (tenant_id, identity_id);

-- Codes and link tokens, as digests. `purpose` keeps a code of one kind from being redeemed as another.
CREATE TABLE identity_codes (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    purpose text NOT NULL,
    flow_id uuid NOT NULL,
    digest bytea NOT NULL,
    identity_id uuid,
    via text NOT NULL,
    address text NOT NULL,
    attempts integer NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX identity_codes_flow ON identity_codes (tenant_id, flow_id, purpose);
CREATE INDEX identity_codes_digest ON identity_codes (tenant_id, digest);
CREATE INDEX identity_codes_identity ON identity_codes (tenant_id, identity_id);
CREATE INDEX identity_codes_expiry ON identity_codes (expires_at);

-- Submissions that wait for the person to prove herself again.
CREATE TABLE identity_continuities (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    identity_id uuid,
    flow_id uuid,
    payload bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX identity_continuities_identity ON identity_continuities (tenant_id, identity_id, name);
CREATE INDEX identity_continuities_expiry ON identity_continuities (expires_at);

-- Errors that a browser is sent to look at.
CREATE TABLE identity_errors (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    body text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX identity_errors_expiry ON identity_errors (expires_at);

-- Attempts within a window, by address, identifier or tenant; `subject` is a digest.
CREATE TABLE identity_attempts (
    tenant_id integer NOT NULL,
    kind text NOT NULL,
    subject bytea NOT NULL,
    count integer NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind, subject)
);
CREATE INDEX identity_attempts_expiry ON identity_attempts (expires_at);
