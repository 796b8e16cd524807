-- name: insert_chat_card
-- An execution gets its message; one that has one keeps it.
INSERT INTO chat_card (run_id, platform, channel, thread, requester, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (run_id) DO NOTHING;

-- name: update_chat_card
-- What its message shows now.
UPDATE chat_card SET message = $2, sent = $3, is_final = $4 WHERE run_id = $1;

-- name: select_chat_card
-- The message of one execution.
SELECT run_id, platform, channel, thread, requester, message, sent, is_final, told, created_at
FROM chat_card WHERE run_id = $1;

-- name: select_open_chat_cards
-- Messages that do not show an end yet, oldest first.
SELECT run_id, platform, channel, thread, requester, message, sent, is_final, told, created_at
FROM chat_card WHERE is_final = 0 ORDER BY run_id;

-- name: select_chat_cards_in
-- The newest executions of a channel: of one thread where one is given, of one person where one is given.
SELECT run_id, platform, channel, thread, requester, message, sent, is_final, told, created_at
FROM chat_card
WHERE platform = $1 AND channel = $2 AND ($3 IS NULL OR message = $3 OR thread = $3)
  AND ($4 IS NULL OR requester = $4)
ORDER BY run_id DESC LIMIT $5;

-- name: update_chat_card_told
-- What was said of an execution in a message of its own.
UPDATE chat_card SET told = $2 WHERE run_id = $1;

-- name: count_cards_behind
-- Runs that are over and whose messages do not show it yet, and when the first of them was.
SELECT COUNT(*) AS cards, MIN(run.finished_at) AS since
FROM chat_card JOIN run ON run.id = chat_card.run_id
WHERE is_final = 0 AND run.finished_at IS NOT NULL;
