-- Who is signed in, and from where. The token itself is known to its holder alone.

CREATE TABLE identity_sessions (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    identity_id uuid NOT NULL,
    token_digest bytea NOT NULL,
    active boolean NOT NULL,
    aal text NOT NULL,
    authentication_methods text NOT NULL,
    issued_at bigint NOT NULL,
    authenticated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX identity_sessions_token ON identity_sessions (tenant_id, token_digest);
CREATE INDEX identity_sessions_identity ON identity_sessions (tenant_id, identity_id, created_at, id);
CREATE INDEX identity_sessions_created ON identity_sessions (tenant_id, created_at, id);
CREATE INDEX identity_sessions_expiry ON identity_sessions (expires_at);

CREATE TABLE identity_session_devices (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    ip_address text,
    user_agent text,
    location text,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX identity_session_devices_session ON identity_session_devices (tenant_id, session_id, created_at);
CREATE INDEX identity_session_devices_expiry ON identity_session_devices (expires_at);
