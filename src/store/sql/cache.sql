-- name: upsert_cached
-- Keeps what a step gave, under what it was made of; the newest counts.
INSERT INTO cache (key, run_id, outputs, expires_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE
SET run_id = excluded.run_id, outputs = excluded.outputs, expires_at = excluded.expires_at;

-- name: select_cached
-- What a step gave, unless that is too old.
SELECT run_id, outputs FROM cache WHERE key = $1 AND expires_at > $2;

-- name: delete_old_cached
-- Results that are too old for anybody.
DELETE FROM cache WHERE expires_at <= $1;
