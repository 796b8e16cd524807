-- name: insert_always
-- In this place the trigger starts by itself from now on.
INSERT INTO trigger_always (trigger_key, place, said_by, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (trigger_key, place) DO NOTHING;

-- name: select_always
-- Who said that the trigger starts by itself in this place.
SELECT said_by FROM trigger_always WHERE trigger_key = $1 AND place = $2;

-- name: select_all_always
-- The places in which the trigger starts by itself.
SELECT place, said_by FROM trigger_always WHERE trigger_key = $1 ORDER BY place;

-- name: delete_always
-- The trigger asks everywhere again.
DELETE FROM trigger_always WHERE trigger_key = $1;

-- name: open_flood
-- Asks about many files, unless that is asked in this place already.
INSERT INTO flood (id, trigger_key, place, opened_at, last_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (trigger_key, place) WHERE decision IS NULL AND closed_at IS NULL DO UPDATE SET last_at = excluded.last_at;

-- name: insert_flood_file
-- A further file of the question that is open in this place. One that is in a question already stays there.
INSERT INTO flood_file (firing, flood, number, name, size)
SELECT $3, flood.id, (SELECT count(*) + 1 FROM flood_file WHERE flood_file.flood = flood.id), $4, $5
FROM flood WHERE flood.trigger_key = $1 AND flood.place = $2 AND flood.decision IS NULL AND flood.closed_at IS NULL
ON CONFLICT (firing) DO NOTHING;

-- name: select_open_floods
-- The questions that are open, or whose executions are under way.
SELECT * FROM flood WHERE closed_at IS NULL ORDER BY opened_at LIMIT $1;

-- name: select_flood
-- One question.
SELECT * FROM flood WHERE id = $1;

-- name: select_flood_files
-- The files of a question, in the order in which they came, with how their executions stand.
SELECT flood_file.firing, flood_file.number, flood_file.name, flood_file.size, flood_file.run_id, run.status, run.finished_at
FROM flood_file LEFT JOIN run ON run.id = flood_file.run_id
WHERE flood_file.flood = $1 ORDER BY flood_file.number;

-- name: flood_shown
-- The message in which the question stands.
UPDATE flood SET message = $2 WHERE id = $1;

-- name: decide_flood
-- What somebody answered; the first answer counts.
UPDATE flood SET decision = $2, decided_by = $3 WHERE id = $1 AND decision IS NULL;

-- name: flood_file_started
-- A file of the question has its execution.
UPDATE flood_file SET run_id = $2 WHERE firing = $1;

-- name: close_flood
-- Nothing more comes of it.
UPDATE flood SET closed_at = $2 WHERE id = $1;

-- name: expire_flood_files
-- Forgets the files of questions that were closed before a time.
DELETE FROM flood_file WHERE flood IN (SELECT id FROM flood WHERE closed_at < $1);

-- name: expire_floods
-- Forgets questions that were closed before a time.
DELETE FROM flood WHERE closed_at < $1;
