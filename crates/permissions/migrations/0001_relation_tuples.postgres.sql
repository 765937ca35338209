-- A subject has a relation to an object. A subject id has the subject_namespace '', and a subject set without a relation, which
-- is the object itself, has the subject_relation ''. Texts are ordered by their bytes, as they are in the program.
CREATE TABLE permissions_relation_tuples (
    tenant_id integer NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    relation text COLLATE "C" NOT NULL,
    subject_namespace text COLLATE "C" NOT NULL,
    subject_object text COLLATE "C" NOT NULL,
    subject_relation text COLLATE "C" NOT NULL,
    -- The name of the condition under which the tuple counts; '' for none.
    condition text COLLATE "C" NOT NULL,
    -- A JSON object: the values that the tuple gives to its condition.
    condition_context text,
    expires_at bigint,
    PRIMARY KEY (tenant_id, namespace, object, relation, subject_namespace, subject_object, subject_relation)
);
CREATE INDEX permissions_relation_tuples_by_subject ON permissions_relation_tuples
    (tenant_id, subject_namespace, subject_object, subject_relation, namespace, relation, object);
-- The subject sets whose members are followed, which may be few among many subjects.
CREATE INDEX permissions_relation_tuples_sets ON permissions_relation_tuples
    (tenant_id, namespace, object, relation, subject_namespace, subject_object, subject_relation)
    WHERE subject_relation <> '';
CREATE INDEX permissions_relation_tuples_by_expiry ON permissions_relation_tuples (expires_at)
    WHERE expires_at IS NOT NULL;

-- One row for each tenant. Writers of relation tuples lock it, so that their changes become visible in the order of their
-- sequences.
CREATE TABLE permissions_state (
    tenant_id integer NOT NULL,
    -- The sequence of the last change, which is kept longer than the event.
    sequence bigint NOT NULL,
    -- The secret for page tokens and snapshot tokens. They protect nothing that this table does not hold.
    token_key text NOT NULL,
    PRIMARY KEY (tenant_id)
);
