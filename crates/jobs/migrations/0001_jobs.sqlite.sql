CREATE TABLE jobs_queue (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    attempts integer NOT NULL,
    due_at bigint NOT NULL,
    created_at bigint NOT NULL,
    failed_at bigint,
    failure text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX jobs_queue_due ON jobs_queue (due_at) WHERE failed_at IS NULL;
CREATE INDEX jobs_queue_failed ON jobs_queue (failed_at) WHERE failed_at IS NOT NULL;

CREATE TABLE jobs_events (
    sequence integer PRIMARY KEY AUTOINCREMENT,
    tenant_id integer NOT NULL,
    at bigint NOT NULL,
    name text NOT NULL,
    actor text NOT NULL,
    subject text NOT NULL,
    request_id uuid NOT NULL,
    client_address text,
    attributes text NOT NULL
);
CREATE INDEX jobs_events_tenant ON jobs_events (tenant_id, sequence);
CREATE INDEX jobs_events_subject ON jobs_events (tenant_id, subject, sequence);
CREATE INDEX jobs_events_at ON jobs_events (at);
