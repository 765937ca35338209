-- Indexes for the lists of the admin API: each page is a range of one of them.
CREATE INDEX oauth_clients_by_owner_and_name ON oauth_clients (tenant_id, owner, client_name, id);
CREATE INDEX oauth_consents_by_handled_at ON oauth_consents (tenant_id, subject, handled_at, id);
