-- What is kept for how long: which contents a run keeps on the disk, who ended when, and lists that stay quick however many
-- runs there are.

CREATE TABLE blob_use (
    run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (run_id, digest)
);
CREATE INDEX blob_use_by_digest ON blob_use (digest);
CREATE INDEX file_by_digest ON file (digest);
CREATE INDEX cache_by_run ON cache (run_id);

CREATE INDEX run_by_end ON run (finished_at) WHERE finished_at IS NOT NULL AND parent_id IS NULL;
CREATE INDEX run_ended_badly ON run (status, id) WHERE status IN ('failed', 'cancelled', 'timed_out');

-- A run as people see it, with the name of its workflow, and whether that has another version by now.
CREATE VIEW run_row AS
SELECT run.id, workflow_id, run.revision_hash, run.slug,
       run.slug = workflow.slug AND run.revision_hash <> workflow.revision_hash AND archived_at IS NULL AS is_behind,
       CASE WHEN run.slug = workflow.slug THEN workflow.name ELSE run.slug END AS name, origin, inputs, status,
       run.created_at, started_at, finished_at, due_at, outputs, fault, warnings
FROM run JOIN workflow ON workflow.id = workflow_id;
