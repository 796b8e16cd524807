-- name: insert_run
-- Accepts a run.
INSERT INTO run (id, workflow_id, revision_hash, slug, origin, inputs, status, created_at, parent_id, lane)
VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9);

-- name: update_run
-- The present state of a run, whenever its status changed. The lane stays as it was where none is given.
UPDATE run
SET status = $2, started_at = $3, finished_at = $4, due_at = $5, outputs = $6, fault = $7, warnings = $8,
    lane = coalesce($9, lane)
WHERE id = $1;

-- name: select_run
-- One run by its id.
SELECT * FROM run_row WHERE id = $1;

-- name: select_runs
-- Runs, newest first, before a given id; of one slug, workflow or status where one is given. Each of the following has an
-- index of its own: however many runs there are, a page is read and not searched for.
SELECT * FROM run_row
WHERE id < $1 AND (slug = $2 OR $2 IS NULL) AND (workflow_id = $3 OR $3 IS NULL) AND (status = $4 OR $4 IS NULL)
ORDER BY id DESC LIMIT $5;

-- name: select_runs_of_slug
-- The same for one slug.
SELECT * FROM run_row
WHERE slug = $2 AND id < $1 AND (workflow_id = $3 OR $3 IS NULL) AND (status = $4 OR $4 IS NULL)
ORDER BY id DESC LIMIT $5;

-- name: select_runs_of_workflow
-- The same for one workflow.
SELECT * FROM run_row
WHERE workflow_id = $3 AND id < $1 AND (slug = $2 OR $2 IS NULL) AND (status = $4 OR $4 IS NULL)
ORDER BY id DESC LIMIT $5;

-- name: select_runs_open
-- The same for one status of runs that are not over.
SELECT * FROM run_row
WHERE status = $4 AND finished_at IS NULL AND id < $1 AND (slug = $2 OR $2 IS NULL) AND (workflow_id = $3 OR $3 IS NULL)
ORDER BY id DESC LIMIT $5;

-- name: select_runs_ended_badly
-- The same for one status of runs that did not complete.
SELECT * FROM run_row
WHERE status = $4 AND status IN ('failed', 'cancelled', 'timed_out') AND id < $1
  AND (slug = $2 OR $2 IS NULL) AND (workflow_id = $3 OR $3 IS NULL)
ORDER BY id DESC LIMIT $5;

-- name: select_newest_run_of
-- The newest run of a workflow.
SELECT id FROM run WHERE workflow_id = $1 ORDER BY id DESC LIMIT 1;

-- name: select_durations
-- How long the last completed runs of a workflow took, and each of their steps, in microseconds. The run itself
-- stands as step -1. No plan has more than 200 steps; what stands behind them belongs to items.
WITH recent AS (
    SELECT id, finished_at - started_at AS took FROM run
    WHERE slug = $1 AND revision_hash = $2 AND status = 'completed' ORDER BY id DESC LIMIT $3
)
SELECT -1 AS position, took FROM recent
UNION ALL
SELECT position, step.finished_at - step.started_at AS took
FROM recent JOIN step ON run_id = recent.id
WHERE step.status = 'completed' AND step.started_at IS NOT NULL AND position < 200;

-- name: select_open_runs
-- All runs that have not ended, oldest first: what a start carries on. Whoever waits for another run is called when that
-- one ended without anybody hearing it.
SELECT id, status, due_at, lane, started_at, origin,
       status = 'waiting' AND due_at IS NULL
           AND EXISTS (SELECT 1 FROM run AS child WHERE child.parent_id = run.id AND child.finished_at IS NOT NULL)
           AS child_over
FROM run WHERE finished_at IS NULL ORDER BY id;

-- name: select_run_ids_like
-- Ids that begin alike, for a short id and for "did you mean".
SELECT id FROM run WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 10;

-- name: count_open_runs
-- Runs that are not over, by status.
SELECT status, COUNT(*) AS runs FROM run WHERE finished_at IS NULL GROUP BY status;
