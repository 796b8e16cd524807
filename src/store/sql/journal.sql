-- name: insert_journal
-- The events of one commit of a run. A taken number is refused: its writer has not seen everything.
INSERT INTO journal (run_id, seq, at, events)
VALUES ($1, $2, $3, $4);

-- name: insert_step
-- Settled steps.
INSERT INTO step (run_id, position, generation, status, attempts, started_at, finished_at, outputs)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: select_journal
-- The events of a run after a number, in order; so many rows at the most.
SELECT seq, at, events FROM journal WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: select_steps
-- The settled steps of a run between two places, each in its newest generation.
SELECT position, generation, status, attempts, started_at, finished_at, outputs FROM step
WHERE run_id = $1 AND position >= $2 AND position < $3 ORDER BY position, generation;
