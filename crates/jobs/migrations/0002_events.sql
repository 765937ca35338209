-- No statement looks for the events of a subject: the index was a fifth of the table.
DROP INDEX jobs_events_subject;
-- Events of issued tokens are many and are kept for days only.
CREATE INDEX jobs_events_issued ON jobs_events (at) WHERE name = 'OAuth2AccessTokenIssued';
