-- Clients, grants, login sessions, consents and keys of the OAuth 2.0 service.
-- Times are microseconds since the Unix epoch; JSON is text; what must not be read in the database is sealed (bytea).

-- A registered client (RFC 7591). `metadata` holds everything that is not a column of its own, as JSON.
CREATE TABLE oauth_clients (
    tenant_id integer NOT NULL,
    id text NOT NULL,
    client_name text NOT NULL,
    owner text NOT NULL,
    metadata text NOT NULL,
    -- JSON array of secret digests: the current one first, then the rotated ones.
    secrets text NOT NULL,
    registration_token_digest bytea,
    -- Carried by each access token: a new value ends them all (an epoch knows no clock skew).
    token_epoch bigint NOT NULL,
    -- Grows with each change: an update names the version that it read.
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX oauth_clients_by_client_name ON oauth_clients (tenant_id, client_name, id);
CREATE INDEX oauth_clients_by_owner ON oauth_clients (tenant_id, owner, id);

-- One authorization: its code, its session data and its family of refresh tokens. The id is the consent request's id.
CREATE TABLE oauth_grants (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    client_id text NOT NULL,
    subject text NOT NULL,
    -- `sid`: the login session that it was made in.
    login_session_id uuid,
    -- Space-separated scope values; audiences are a JSON array.
    requested_scope text NOT NULL,
    granted_scope text NOT NULL,
    granted_audience text NOT NULL,
    -- The code is found by the grant's id, which it carries under seal, and compared by its digest.
    code_digest bytea,
    -- none, issued, redeemed or burnt
    code_state text NOT NULL,
    code_expires_at bigint,
    -- RFC 7636, always S256.
    code_challenge text,
    -- As it was sent; null when the authorization request left it out.
    redirect_uri text,
    nonce text,
    acr text,
    -- JSON array.
    amr text NOT NULL,
    authenticated_at bigint,
    requested_at bigint NOT NULL,
    -- The claims for tokens and their settings: JSON, sealed.
    session bytea NOT NULL,
    -- The refresh family: 0 without one; the digest is the current token's. Access tokens of an earlier generation are no
    -- longer active.
    refresh_generation integer NOT NULL,
    refresh_digest bytea,
    -- The current refresh token, sealed: returned again to whoever repeats the last rotation in the grace period.
    refresh_successor bytea,
    refresh_rotated_at bigint,
    refresh_grace_uses integer NOT NULL,
    refresh_expires_at bigint,
    revoked_at bigint,
    created_at bigint NOT NULL,
    -- When the last token of the grant has expired.
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX oauth_grants_by_subject ON oauth_grants (tenant_id, subject, client_id);
CREATE INDEX oauth_grants_by_client ON oauth_grants (tenant_id, client_id);
CREATE INDEX oauth_grants_by_login_session ON oauth_grants (tenant_id, login_session_id);
CREATE INDEX oauth_grants_by_expiry ON oauth_grants (expires_at);

-- A login remembered (or still needed to log out from the clients it reached). The id is `sid`.
CREATE TABLE oauth_login_sessions (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    subject text NOT NULL,
    remember boolean NOT NULL,
    acr text,
    -- JSON array.
    amr text NOT NULL,
    authenticated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    identity_provider_session_id text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX oauth_login_sessions_by_subject ON oauth_login_sessions (tenant_id, subject);
CREATE INDEX oauth_login_sessions_by_provider_session
    ON oauth_login_sessions (tenant_id, identity_provider_session_id);
CREATE INDEX oauth_login_sessions_by_expiry ON oauth_login_sessions (expires_at);

-- A consent that a person gave (skipped ones leave no row). The id is the consent request's, hence the grant's.
CREATE TABLE oauth_consents (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    subject text NOT NULL,
    client_id text NOT NULL,
    login_session_id uuid,
    granted_scope text NOT NULL,
    -- JSON array.
    granted_audience text NOT NULL,
    remember boolean NOT NULL,
    remember_for_seconds bigint NOT NULL,
    -- What was asked and answered, as the admin API shows it: JSON, sealed.
    details bytea NOT NULL,
    handled_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX oauth_consents_by_subject ON oauth_consents (tenant_id, subject, client_id, handled_at);
CREATE INDEX oauth_consents_by_client ON oauth_consents (tenant_id, client_id);
CREATE INDEX oauth_consents_by_login_session ON oauth_consents (tenant_id, login_session_id);
CREATE INDEX oauth_consents_by_expiry ON oauth_consents (expires_at);

-- The subject identifier that the login application forced for one client and person.
CREATE TABLE oauth_forced_subjects (
    tenant_id integer NOT NULL,
    client_id text NOT NULL,
    subject text NOT NULL,
    forced_subject text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, client_id, subject)
);
CREATE INDEX oauth_forced_subjects_by_subject ON oauth_forced_subjects (tenant_id, subject);

-- A key of a named set, private part included: a JWK, sealed.
CREATE TABLE oauth_keys (
    tenant_id integer NOT NULL,
    set_name text NOT NULL,
    kid text NOT NULL,
    algorithm text NOT NULL,
    material bytea NOT NULL,
    -- Orders keys that were written at the same time.
    position integer NOT NULL,
    created_at bigint NOT NULL,
    -- From when on it may sign: a little after it was published.
    active_at bigint NOT NULL,
    -- From when on it signs no more; it verifies until it expires.
    retired_at bigint,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, set_name, kid)
);
CREATE INDEX oauth_keys_by_expiry ON oauth_keys (expires_at);

-- The reaper serves all tenants at once, hence indexes on expiry alone.

-- Access tokens revoked one by one because no grant stands behind them (client credentials).
CREATE TABLE oauth_revoked_tokens (
    tenant_id integer NOT NULL,
    jti uuid NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, jti)
);
CREATE INDEX oauth_revoked_tokens_by_expiry ON oauth_revoked_tokens (expires_at);

-- Assertions already used (RFC 7523 section 3): per issuer, so that nobody can burn the `jti` of another.
CREATE TABLE oauth_used_jtis (
    tenant_id integer NOT NULL,
    issuer text NOT NULL,
    jti_digest bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, issuer, jti_digest)
);
CREATE INDEX oauth_used_jtis_by_expiry ON oauth_used_jtis (expires_at);

-- Challenges and verifiers already used: a row makes a second use fail.
CREATE TABLE oauth_used_challenges (
    tenant_id integer NOT NULL,
    digest bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX oauth_used_challenges_by_expiry ON oauth_used_challenges (expires_at);

-- What the nodes keep in memory: a changed version tells them to read it again.
CREATE TABLE oauth_versions (
    tenant_id integer NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
