-- Indexes for the lists of the admin API: each page is a range of one of them.

-- Sessions by whether they were ended, newest first.
CREATE INDEX identity_sessions_active ON identity_sessions (tenant_id, active, created_at, id);
-- Messages by status, newest first.
CREATE INDEX identity_messages_status ON identity_messages (tenant_id, status, created_at, id);
-- Identifiers byte by byte, for the search by their beginning. The parentheses are for CockroachDB.
CREATE INDEX identity_credential_identifiers_bytes
    ON identity_credential_identifiers (tenant_id, (identifier COLLATE "C"), type);
