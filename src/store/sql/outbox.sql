-- name: insert_letter
-- A message that waits; one that is there already stays as it is. Written by the one writer, so positions do not collide.
INSERT INTO outbox (key, position, platform, channel, thread, message, run_id, step, state, attempts, next_at, created_at,
                    since)
SELECT $1, coalesce(max(position), 0) + 1, $2, $3, $4, $5, $6, $7, 'queued', 0, $8, $8, $8 FROM outbox WHERE true
ON CONFLICT (key) DO NOTHING;

-- name: update_letter_sent
-- Its platform has taken it.
UPDATE outbox SET state = 'sent', attempts = attempts + 1, receipt = $2, fault = NULL, settled_at = $3
WHERE key = $1 AND state = 'queued';

-- name: update_letter_later
-- It was not taken, and is tried again.
UPDATE outbox SET attempts = $2, next_at = $3, fault = $4 WHERE key = $1 AND state = 'queued';

-- name: update_letter_dead
-- It is given up.
UPDATE outbox SET state = 'dead', attempts = $2, fault = $3, settled_at = $4 WHERE key = $1 AND state = 'queued';

-- name: update_letter_revived
-- It is tried again from now on, as if it were new.
UPDATE outbox SET state = 'queued', attempts = 0, next_at = $2, since = $2, settled_at = NULL
WHERE key = $1 AND state <> 'sent';

-- name: update_letters_hurried
-- A platform is there again: whatever waits for its next attempt is due.
UPDATE outbox SET next_at = $2 WHERE state = 'queued' AND platform = $1 AND next_at > $2;

-- name: delete_letter
-- Somebody does not want it sent any more.
DELETE FROM outbox WHERE key = $1 AND state <> 'sent';

-- name: delete_letters_before
-- Forgets what was settled long ago: sent before the first time, given up before the second.
DELETE FROM outbox WHERE (state = 'sent' AND settled_at < $1) OR (state = 'dead' AND settled_at < $2);

-- name: select_letter
-- One message.
SELECT * FROM outbox WHERE key = $1;

-- name: select_letters_by_beginning
-- Messages whose key begins like this; two are enough to know that it could be either.
SELECT * FROM outbox WHERE substr(key, 1, length($1)) = $1 ORDER BY position LIMIT 2;

-- name: select_letter_heads
-- The oldest waiting message of each conversation of a platform: the next one there waits for it.
SELECT * FROM outbox WHERE position IN (
    SELECT min(position) FROM outbox WHERE state = 'queued' AND platform = $1 GROUP BY channel, thread
) ORDER BY next_at, position LIMIT $2;

-- name: select_letters
-- Messages in one state, or all that are not sent; newest first.
SELECT * FROM outbox WHERE ($1 IS NULL AND state <> 'sent') OR state = $1 ORDER BY position DESC LIMIT $2;

-- name: count_letters
-- How many wait and since when the oldest does, and how many were given up.
SELECT count(CASE WHEN state = 'queued' THEN 1 END) AS queued, min(CASE WHEN state = 'queued' THEN since END) AS oldest,
       count(CASE WHEN state = 'dead' THEN 1 END) AS dead
FROM outbox WHERE state <> 'sent';
