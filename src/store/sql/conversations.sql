-- name: insert_chat_inbound
-- Something came in; a key that is there already is refused.
INSERT INTO chat_inbound (key, state, said, at)
VALUES ($1, 'new', $2, $3);

-- name: update_chat_inbound
-- How far the answer is, and since when.
UPDATE chat_inbound SET state = $2, at = $3 WHERE key = $1;

-- name: delete_chat_inbound_before
-- Forgets keys older than a time. What was not answered is kept.
DELETE FROM chat_inbound WHERE state = 'done' AND at < $1;

-- name: select_open_chat_inbound
-- What was not answered, oldest first.
SELECT key, state, said, at FROM chat_inbound WHERE state <> 'done' ORDER BY at, key LIMIT 1000;

-- name: insert_chat_channel
-- Makes a channel; one that is there already stays as it is.
INSERT INTO chat_channel (id, name, kind, member, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING;

-- name: select_chat_channels
-- Channels with the number of their newest change: those of everybody, and those of one member.
SELECT id, name, kind, member,
       coalesce((SELECT max(seq) FROM chat_message WHERE channel = chat_channel.id), 0) AS last_seq
FROM chat_channel WHERE member IS NULL OR member = $1 ORDER BY created_at, id;

-- name: select_chat_channel
-- One channel.
SELECT id, name, kind, member,
       coalesce((SELECT max(seq) FROM chat_message WHERE channel = chat_channel.id), 0) AS last_seq
FROM chat_channel WHERE id = $1;

-- name: upsert_chat_message
-- A new message, or another content of one that is there.
INSERT INTO chat_message (id, channel, posted, seq, thread, author, author_kind, at, text, card, files, visible_to,
                          client_id)
VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE
SET seq = excluded.seq, text = excluded.text, card = excluded.card, edited_at = excluded.at;

-- name: select_chat_message
-- One message.
SELECT id, channel, posted, seq, thread, author, author_kind, at, edited_at, text, card, files, visible_to, client_id
FROM chat_message WHERE id = $1;

-- name: select_chat_messages_since
-- What is new or changed in a channel above a number, in order.
SELECT id, channel, posted, seq, thread, author, author_kind, at, edited_at, text, card, files, visible_to, client_id
FROM chat_message WHERE channel = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: select_chat_messages_before
-- A page of a channel as one person sees it, newest first.
SELECT id, channel, posted, seq, thread, author, author_kind, at, edited_at, text, card, files, visible_to, client_id
FROM chat_message
WHERE channel = $1 AND posted < $2 AND (visible_to IS NULL OR visible_to = $3)
ORDER BY posted DESC LIMIT $4;

-- name: upsert_chat_listing
-- The latest list of a place.
INSERT INTO chat_listing (place, items, at)
VALUES ($1, $2, $3)
ON CONFLICT (place) DO UPDATE SET items = excluded.items, at = excluded.at;

-- name: select_chat_listing
-- The latest list of a place.
SELECT items FROM chat_listing WHERE place = $1;

-- name: insert_chat_key
-- Keeps a key; one that is there stays.
INSERT INTO chat_key (name, value)
VALUES ($1, $2)
ON CONFLICT (name) DO NOTHING;

-- name: select_chat_key
-- A key of this instance.
SELECT value FROM chat_key WHERE name = $1;

-- name: insert_chat_action
-- The action that a short text stands for.
INSERT INTO chat_action (short, action, at) VALUES ($1, $2, $3) ON CONFLICT (short) DO NOTHING;

-- name: select_chat_action
-- The action that a short text stands for.
SELECT action FROM chat_action WHERE short = $1;

-- name: delete_chat_actions_before
-- Actions that are too old to be pressed.
DELETE FROM chat_action WHERE at < $1;

-- name: upsert_chat_note
-- What an adapter remembers under this name.
INSERT INTO chat_note (name, value, at) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at;

-- name: select_chat_note
-- What an adapter remembers under this name.
SELECT value FROM chat_note WHERE name = $1;
