-- A person who ended at the identity provider (disabled, deleted, or signed out by an operator), or one of her sessions.
-- A login that was accepted before that is not redeemed after it; the row stays as long as such a login could come.
CREATE TABLE oauth_provider_ends (
    tenant_id integer NOT NULL,
    -- subject or session
    kind text NOT NULL,
    -- The subject itself, or the id of the identity provider's session.
    name text NOT NULL,
    ended_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind, name)
);
CREATE INDEX oauth_provider_ends_by_expiry ON oauth_provider_ends (expires_at);

-- When the login application said that this person signed in.
ALTER TABLE oauth_login_sessions ADD COLUMN accepted_at bigint NOT NULL DEFAULT 0;
