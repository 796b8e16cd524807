-- name: upsert_mark
-- How far something has come.
INSERT INTO mark (name, at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET at = excluded.at;

-- name: select_mark
-- How far something has come.
SELECT at FROM mark WHERE name = $1;

-- name: select_runs_ended_since
-- Runs that nobody else began and that ended after another one, in the order of their ends.
SELECT id, finished_at FROM run
WHERE finished_at IS NOT NULL AND parent_id IS NULL AND finished_at >= $1 AND (finished_at > $1 OR id > $2)
ORDER BY finished_at, id LIMIT $3;

-- name: select_children_ended_since
-- Runs that ended after a time, and that were begun by one that goes on.
SELECT child.id AS id FROM run AS child JOIN run AS beginner ON beginner.id = child.parent_id
WHERE beginner.finished_at IS NULL AND child.finished_at >= $1
ORDER BY child.finished_at, child.id;
