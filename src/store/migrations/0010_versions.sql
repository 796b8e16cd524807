-- Which revision a workflow had, and since when. Nothing is ever taken out; the newest row is the one in use.

-- sqlite: the number is the row's own address
CREATE TABLE version (
    number        INTEGER PRIMARY KEY,
    workflow_id   TEXT NOT NULL REFERENCES workflow (id),
    revision_hash TEXT NOT NULL REFERENCES revision (hash),
    at            BIGINT NOT NULL
);
-- postgres:
CREATE TABLE version (
    number        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id   TEXT NOT NULL REFERENCES workflow (id),
    revision_hash TEXT NOT NULL REFERENCES revision (hash),
    at            BIGINT NOT NULL
);
-- all:
CREATE INDEX version_by_workflow ON version (workflow_id, number);
INSERT INTO version (workflow_id, revision_hash, at) SELECT id, revision_hash, updated_at FROM workflow ORDER BY id;
