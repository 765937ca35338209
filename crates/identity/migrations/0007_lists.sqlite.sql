-- Indexes for the lists of the admin API: each page is a range of one of them.

-- Sessions by whether they were ended, newest first.
CREATE INDEX identity_sessions_active ON identity_sessions (tenant_id, active, created_at, id);
-- Messages by status, newest first.
CREATE INDEX identity_messages_status ON identity_messages (tenant_id, status, created_at, id);
-- The search by the beginning of an identifier reads the primary key of identity_credential_identifiers, which SQLite compares
-- byte by byte.
