CREATE TABLE server_secret_checks (
    tenant_id integer NOT NULL,
    service text NOT NULL,
    sealed text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, service)
);
