-- name: insert_run
-- Accepts a run.
INSERT INTO run (id, workflow_id, revision_hash, slug, origin, inputs, status, created_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4, value -> 5, 'queued', value ->> 6
FROM json_each($1);

-- name: update_run
-- The present state of a run, whenever its status changed. Rows: id, status, started, finished, due, outputs,
-- fault, warnings.
UPDATE run
SET status = new.status, started_at = new.started_at, finished_at = new.finished_at, due_at = new.due_at,
    outputs = new.outputs, fault = new.fault, warnings = new.warnings
FROM (SELECT value ->> 0 AS id, value ->> 1 AS status, value ->> 2 AS started_at, value ->> 3 AS finished_at,
             value ->> 4 AS due_at, nullif(value -> 5, 'null') AS outputs,
             nullif(value -> 6, 'null') AS fault, value -> 7 AS warnings
      FROM json_each($1)) AS new
WHERE run.id = new.id;

-- name: select_run
-- One run by its id.
SELECT id, workflow_id, revision_hash, slug, origin, inputs, status, created_at, started_at, finished_at, due_at,
       outputs, fault, warnings
FROM run WHERE id = $1;

-- name: select_runs
-- Runs, newest first, before a given id; of one slug or status where one is given.
SELECT id, workflow_id, revision_hash, slug, origin, inputs, status, created_at, started_at, finished_at, due_at,
       outputs, fault, warnings
FROM run
WHERE id < $1 AND (slug = $2 OR $2 IS NULL) AND (status = $3 OR $3 IS NULL)
ORDER BY id DESC LIMIT $4;

-- name: select_open_runs
-- All runs that have not ended, oldest first: what a start carries on.
SELECT id, status, due_at FROM run WHERE finished_at IS NULL ORDER BY id;

-- name: select_run_ids_like
-- Ids that begin alike, for a short id and for "did you mean".
SELECT id FROM run WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 10;
