-- Attempt limits. `expires_at` of `identity_attempts` is the time at which a budget is full again; `count` counts since it was.

-- Devices and networks from which a person signed in, as digests, so that strangers cannot use up what is allowed there.
CREATE TABLE identity_familiar_clients (
    tenant_id integer NOT NULL,
    identity_id uuid NOT NULL,
    client bytea NOT NULL,
    seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, identity_id, client)
);
CREATE INDEX identity_familiar_clients_expiry ON identity_familiar_clients (expires_at);

-- Who asked for a code: a stranger, a familiar client or an administrator. A person has one open code of each.
ALTER TABLE identity_codes ADD COLUMN asked_by text NOT NULL DEFAULT 'stranger';
