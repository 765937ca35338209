-- The devices of a session are a column of its row, as a JSON array: they are written and read with it. The table of devices
-- remains, for older versions of the program that still run.

ALTER TABLE identity_sessions ADD COLUMN devices text;
UPDATE identity_sessions SET devices = (
    SELECT CAST(json_agg(json_build_object('id', CAST(x.id AS text), 'ip_address', x.ip_address, 'user_agent', x.user_agent,
        'location', x.location)) AS text)
    FROM identity_session_devices x WHERE x.tenant_id = identity_sessions.tenant_id AND x.session_id = identity_sessions.id
);
DELETE FROM identity_session_devices;
