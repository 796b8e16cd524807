-- name: delete_repeat
-- Forgets requests by their keys.
DELETE FROM repeat WHERE key IN (SELECT value ->> 0 FROM json_each($1));

-- name: expire_repeats
-- Forgets requests that came before a time.
DELETE FROM repeat WHERE created_at < (SELECT max(value ->> 0) FROM json_each($1));

-- name: insert_repeat
-- Promises an id to a request.
INSERT INTO repeat (key, fingerprint, made, created_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1);

-- name: answer_repeat
-- Keeps what a request was answered.
UPDATE repeat SET status = new.status, body = new.body
FROM (SELECT value ->> 0 AS key, value ->> 1 AS status, value ->> 2 AS body FROM json_each($1)) AS new
WHERE repeat.key = new.key;

-- name: select_repeat
-- A request by its key.
SELECT fingerprint, made, status, body, created_at FROM repeat WHERE key = $1;
