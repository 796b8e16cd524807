-- name: insert_journal
-- The events of one commit of a run. A taken number is refused: its writer has not seen everything.
INSERT INTO journal (run_id, seq, at, events)
SELECT value ->> 0, value ->> 1, value ->> 2, value -> 3 FROM json_each($1);

-- name: insert_step
-- Settled steps.
INSERT INTO step (run_id, position, generation, status, attempts, started_at, finished_at, outputs)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, nullif(value -> 7, 'null')
FROM json_each($1);

-- name: select_journal
-- The events of a run after a number, in order.
SELECT seq, at, events FROM journal WHERE run_id = $1 AND seq > $2 ORDER BY seq;

-- name: select_steps
-- The settled steps of a run, each in its newest generation.
SELECT position, generation, status, attempts, started_at, finished_at, outputs FROM step
WHERE run_id = $1 ORDER BY position, generation;
