-- How often an identity was written: a change that read another version finds no row to change.

ALTER TABLE identity_identities ADD COLUMN version bigint NOT NULL DEFAULT 1;
