-- The courier's messages. `content` (subject, body, template data) is sealed, because it carries codes.

CREATE TABLE identity_messages (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    channel text NOT NULL,
    template_type text NOT NULL,
    recipient text NOT NULL,
    content bytea NOT NULL,
    status text NOT NULL,
    send_count integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX identity_messages_created ON identity_messages (tenant_id, created_at, id);
CREATE INDEX identity_messages_recipient ON identity_messages (tenant_id, recipient, created_at, id);
CREATE INDEX identity_messages_expiry ON identity_messages (expires_at);

CREATE TABLE identity_message_dispatches (
    tenant_id integer NOT NULL,
    id uuid NOT NULL,
    message_id uuid NOT NULL,
    status text NOT NULL,
    error text,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX identity_message_dispatches_message ON identity_message_dispatches (tenant_id, message_id, created_at);
CREATE INDEX identity_message_dispatches_expiry ON identity_message_dispatches (expires_at);
