-- name: insert_chat_inbound
-- Something came in; a key that is there already is refused.
INSERT INTO chat_inbound (key, state, said, at)
SELECT value ->> 0, 'new', value ->> 1, value ->> 2 FROM json_each($1);

-- name: update_chat_inbound
-- How far the answer is.
UPDATE chat_inbound SET state = new.state
FROM (SELECT value ->> 0 AS key, value ->> 1 AS state FROM json_each($1)) AS new
WHERE chat_inbound.key = new.key;

-- name: delete_chat_inbound_before
-- Forgets keys older than a time. What was not answered is kept.
DELETE FROM chat_inbound WHERE state = 'done' AND at < (SELECT max(value ->> 0) FROM json_each($1));

-- name: select_open_chat_inbound
-- What was not answered, oldest first.
SELECT key, state, said, at FROM chat_inbound WHERE state <> 'done' ORDER BY at, key LIMIT 1000;

-- name: insert_chat_channel
-- Makes a channel; one that is there already stays as it is.
INSERT INTO chat_channel (id, name, kind, member, created_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each($1) WHERE true
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
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
       value ->> 7, nullif(value -> 8, 'null'), value -> 9, value ->> 10, value ->> 11
FROM json_each($1) WHERE true
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
SELECT value ->> 0, value -> 1, value ->> 2 FROM json_each($1) WHERE true
ON CONFLICT (place) DO UPDATE SET items = excluded.items, at = excluded.at;

-- name: select_chat_listing
-- The latest list of a place.
SELECT items FROM chat_listing WHERE place = $1;

-- name: insert_chat_key
-- Keeps a key; one that is there stays.
INSERT INTO chat_key (name, value)
SELECT value ->> 0, value ->> 1 FROM json_each($1) WHERE true
ON CONFLICT (name) DO NOTHING;

-- name: select_chat_key
-- A key of this instance.
SELECT value FROM chat_key WHERE name = $1;
