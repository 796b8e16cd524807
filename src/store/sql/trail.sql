-- name: insert_trail
-- Somebody did something, or was not let to.
INSERT INTO trail (id, at, identity, name, door, channel, message, said, verb, about, allowed, rule)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: expire_trail
-- Forgets what happened before a time.
DELETE FROM trail WHERE at < $1;

-- name: select_trail
-- What happened, newest first, from before a given one on.
SELECT id, at, identity, name, door, channel, message, said, verb, about, allowed, rule FROM trail
WHERE id < $1 AND ($2 IS NULL OR identity = $2) AND ($3 = 0 OR allowed = 0)
ORDER BY id DESC LIMIT $4;
