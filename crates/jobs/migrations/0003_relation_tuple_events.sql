-- Changes of relation tuples are read in their order, by every node and by watchers.
CREATE INDEX jobs_events_relation_tuples ON jobs_events (tenant_id, sequence) WHERE name = 'RelationTuplesChanged';
