-- name: select_done_steps
-- The steps of a run that succeeded, newest first, each in the newest generation that did; with who took it back.
SELECT step.position, max(step.generation) AS generation, step.finished_at, by_run
FROM step LEFT JOIN undone ON undone.run_id = step.run_id AND undone.position = step.position
                          AND undone.generation = step.generation
WHERE step.run_id = $1 AND status = 'completed'
GROUP BY step.position
ORDER BY step.finished_at DESC, step.position DESC;

-- name: select_children
-- The runs that steps of a run began and waited for.
SELECT id FROM run WHERE parent_id = $1 ORDER BY id;

-- name: insert_undone
-- Something was taken back; whoever did it first counts.
INSERT INTO undone (run_id, position, generation, by_run, at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: insert_checkpoint
-- A mark in what a workflow does.
INSERT INTO checkpoint (id, workflow_id, at)
VALUES ($1, $2, $3);

-- name: select_checkpoint
-- One mark.
SELECT workflow_id, at FROM checkpoint WHERE id = $1;

-- name: select_runs_since
-- Runs of a workflow in which something was done after a time, newest first.
SELECT DISTINCT run.id FROM run JOIN step ON step.run_id = run.id
WHERE workflow_id = $1 AND parent_id IS NULL AND step.status = 'completed' AND step.finished_at > $2
ORDER BY run.id DESC;
