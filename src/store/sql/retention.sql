-- name: select_outlived
-- Runs that have been over for long enough, with those that they began: completed ones before $1, others before $2. One
-- that another run began goes with that one; one of which something is still under way stays.
WITH RECURSIVE outlived (id) AS (
    SELECT id FROM (
        SELECT id FROM run
        WHERE finished_at IS NOT NULL AND parent_id IS NULL
          AND finished_at < CASE WHEN status = 'completed' THEN $1 ELSE $2 END
          AND NOT EXISTS (SELECT 1 FROM run AS child WHERE child.parent_id = run.id AND child.finished_at IS NULL)
        ORDER BY finished_at LIMIT $3
    )
    UNION
    SELECT run.id FROM run JOIN outlived ON run.parent_id = outlived.id WHERE run.finished_at IS NOT NULL
)
SELECT id FROM outlived;

-- name: delete_run
-- Forgets a run; its journal, its steps and its message go with it.
DELETE FROM run WHERE id = $1;

-- name: delete_cached_of_run
-- Forgets what other runs could have taken from it.
DELETE FROM cache WHERE run_id = $1;

-- name: insert_blob_use
-- A run has a large value in this content.
INSERT INTO blob_use (run_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: select_blobs_of_run
-- The contents that hold large values of a run.
SELECT digest FROM blob_use WHERE run_id = $1;

-- name: select_blob_in_use
-- Whether anything still names a content.
SELECT EXISTS (SELECT 1 FROM blob_use WHERE digest = $1) OR EXISTS (SELECT 1 FROM file WHERE digest = $1) AS in_use;
