-- What each transaction touched, for the read caches of the other nodes. Rows are deleted after two minutes.
CREATE TABLE kleis_changes (
    changed_at bigint NOT NULL,
    -- The process, and its count of changes.
    node bigint NOT NULL,
    sequence bigint NOT NULL,
    -- Hashes of what was touched, two bytes each.
    slots bytea NOT NULL,
    PRIMARY KEY (changed_at, node, sequence)
);
