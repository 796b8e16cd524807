-- name: delete_repeat
-- Forgets requests by their keys.
DELETE FROM repeat WHERE key = $1;

-- name: expire_repeats
-- Forgets requests that came before a time.
DELETE FROM repeat WHERE created_at < $1;

-- name: insert_repeat
-- Promises an id to a request.
INSERT INTO repeat (key, fingerprint, made, created_at)
VALUES ($1, $2, $3, $4);

-- name: answer_repeat
-- Keeps what a request was answered.
UPDATE repeat SET status = $2, body = $3 WHERE key = $1;

-- name: select_repeat
-- A request by its key.
SELECT fingerprint, made, status, body, created_at FROM repeat WHERE key = $1;
